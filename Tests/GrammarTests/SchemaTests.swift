import Grammar
import Testing

@Suite struct SchemaTests {
    @Test(arguments: [
        (
            "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"string\"}},\"required\":[\"b\"],\"additionalProperties\":false}",
            ["{\"a\":1,\"b\":\"x\"}", "{\"b\":\"\"}", "{ \"a\" : -3 , \"b\" : \"\\u00e9\\n\" }"],
            ["{}", "{\"a\":1}", "{\"b\":\"\",\"c\":1}", "{\"a\":1.5,\"b\":\"\"}"]
        ),
        (
            "true", ["1", "null", "[1,{\"a\":[]}]", "{\"x\":{\"y\":[true,false]}}", "-1.5e10", "\"\\ud83d\\ude00\""],
            ["", "01", "{a:1}", "[1,]", "\"\\ud83d\"", "nul"]
        ),
        (
            "{\"type\":\"array\",\"items\":{\"type\":\"boolean\"},\"minItems\":1,\"maxItems\":2}",
            ["[true]", "[true,false]"], ["[]", "[1]", "[true,true,true]"]
        ),
        (
            "{\"$ref\":\"#/$defs/t\",\"$defs\":{\"t\":{\"type\":\"object\",\"properties\":{\"n\":{\"anyOf\":[{\"$ref\":\"#/$defs/t\"},{\"type\":\"null\"}]}},\"required\":[\"n\"],\"additionalProperties\":false}}}",
            ["{\"n\":null}", "{\"n\":{\"n\":{\"n\":null}}}"], ["{}", "{\"n\":1}"]
        ),
        (
            "{\"type\":\"integer\",\"minimum\":-12,\"exclusiveMaximum\":105}", ["-12", "0", "99", "104", "-0"],
            ["-13", "105", "1000", "-120", "1.0"]
        ),
        (
            "{\"type\":\"number\",\"minimum\":1.25,\"maximum\":10}", ["1.25", "1.3", "10", "10.0", "9.999", "2"],
            ["1.2", "1", "10.01", "-2", "1.249", "0"]
        ),
        ("{\"type\":\"integer\",\"multipleOf\":7}", ["0", "7", "-14", "700"], ["1", "8", "-15"]),
        (
            "{\"enum\":[1,\"a\",null,{\"b\":[1,2]}]}", ["1", "\"a\"", "null", "{\"b\": [1, 2]}"],
            ["2", "a", "{\"b\":[1]}"]
        ),
        (
            "{\"type\":\"string\",\"pattern\":\"^a+$\",\"maxLength\":3}", ["\"a\"", "\"aaa\""],
            ["\"\"", "\"aaaa\"", "\"b\""]
        ),
        ("{\"not\":{\"type\":\"string\"}}", ["1", "[]", "null"], ["\"a\""]),
        (
            "{\"type\":\"string\",\"not\":{\"enum\":[\"a\",\"b\"]}}", ["\"c\"", "\"aa\"", "\"\""],
            ["\"a\"", "\"b\"", "\"\\u0061\"", "1"]
        ),
        (
            "{\"oneOf\":[{\"type\":\"integer\",\"multipleOf\":2},{\"type\":\"integer\",\"multipleOf\":3}]}",
            ["2", "3", "4", "9"], ["6", "1", "12", "\"a\""]
        ),
        (
            "{\"type\":\"array\",\"contains\":{\"const\":1},\"items\":{\"type\":\"integer\"}}", ["[1]", "[2,1,3]"],
            ["[]", "[2]", "[2,3]"]
        ),
        (
            "{\"type\":\"array\",\"uniqueItems\":true,\"items\":{\"enum\":[1,2,3]}}", ["[]", "[1]", "[3,1,2]"],
            ["[1,1]", "[1,2,1]", "[4]"]
        ),
        (
            "{\"type\":\"array\",\"uniqueItems\":true,\"items\":{\"type\":[\"integer\",\"null\"],\"exclusiveMinimum\":-2,\"maximum\":1}}",
            ["[]", "[-1,0,1]", "[1,null,-1]"], ["[1,1]", "[-2]", "[null,0,null]", "[2]"]
        ),
        (
            "{\"type\":\"array\",\"uniqueItems\":true,\"maxItems\":1}", ["[]", "[{}]"], ["[1,2]"]
        ),
        (
            "{\"if\":{\"properties\":{\"k\":{\"const\":1}},\"required\":[\"k\"]},\"then\":{\"required\":[\"v\"]},\"type\":\"object\",\"properties\":{\"k\":{\"type\":\"integer\"},\"v\":{}}}",
            ["{\"k\":1,\"v\":0}", "{\"k\":2}", "{}"], ["{\"k\":1}", "{\"k\":1,\"w\":2}"]
        ),
        (
            "{\"dependentRequired\":{\"a\":[\"b\"]},\"type\":\"object\",\"properties\":{\"a\":{},\"b\":{}}}",
            ["{}", "{\"b\":1}", "{\"a\":1,\"b\":2}"], ["{\"a\":1}"]
        ),
        (
            "{\"type\":\"object\",\"patternProperties\":{\"^x\":{\"type\":\"integer\"}},\"additionalProperties\":{\"type\":\"string\"}}",
            ["{\"x1\":1,\"y\":\"a\"}", "{}"], ["{\"x\":\"a\"}", "{\"y\":1}"]
        ),
        (
            "{\"type\":\"object\",\"properties\":{\"a\":{},\"b\":{},\"c\":{}},\"additionalProperties\":false,\"minProperties\":2,\"maxProperties\":2}",
            ["{\"a\":1,\"c\":2}", "{\"b\":1,\"c\":2}"], ["{\"a\":1}", "{}", "{\"a\":1,\"b\":2,\"c\":3}"]
        ),
        (
            "{\"format\":\"date\",\"type\":\"string\"}", ["\"2024-02-29\"", "\"1999-12-31\""],
            ["\"2023-02-29\"", "\"2024-13-01\"", "\"0000-01-01\""]
        ),
        (
            "{\"allOf\":[{\"type\":\"object\",\"properties\":{\"a\":{\"minimum\":3}}},{\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]}]}",
            ["{\"a\":3}", "{\"a\":10,\"z\":1}"], ["{\"a\":2}", "{}"]
        ),
    ])
    func takesWhatTheSchemaAllows(_ schema: String, _ good: [String], _ bad: [String]) throws {
        let grammar = try Grammar(.jsonSchema(schema))
        for text in good { #expect(grammar.takes(text), "\(schema) \(text)") }
        for text in bad { #expect(!grammar.takes(text), "\(schema) \(text)") }
    }
}
