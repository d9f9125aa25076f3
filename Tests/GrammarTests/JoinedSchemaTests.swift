import Grammar
import Testing

/// Keywords that need to know what other schemas do.
@Suite struct JoinedSchemaTests {
    @Test(arguments: [
        (
            #"{"properties":{"a":{"type":"integer"}},"anyOf":[{"properties":{"b":{"const":1}},"required":["b"]},{"properties":{"c":true}}],"unevaluatedProperties":false}"#,
            [#"{"a":1}"#, #"{"a":1,"b":1}"#, #"{"b":1,"c":2}"#, #"{"c":null}"#, "7"], [#"{"d":1}"#, #"{"b":2}"#]
        ),
        (
            #"{"if":{"properties":{"a":{"const":1}},"required":["a"]},"then":{"properties":{"b":true}},"unevaluatedProperties":{"type":"string"}}"#,
            [#"{"a":1,"b":2}"#, #"{"a":"x","b":"y"}"#, #"{"a":1,"b":2,"c":"x"}"#],
            [#"{"a":2}"#, #"{"a":"x","b":1}"#, #"{"a":1,"c":1}"#]
        ),
        (
            #"{"prefixItems":[{"type":"integer"}],"allOf":[{"prefixItems":[true,{"type":"string"}]}],"unevaluatedItems":false}"#,
            ["[]", "[1]", #"[1,"a"]"#], [#"["a"]"#, "[1,2]", #"[1,"a",3]"#]
        ),
        (
            #"{"type":"array","contains":{"type":"string"},"unevaluatedItems":{"type":"null"}}"#,
            [#"["a"]"#, #"[null,"a",null]"#], ["[]", "[null]", #"["a",1]"#]
        ),
        (
            ##"{"$id":"https://x.test/root","$ref":"list","$defs":{"s":{"$dynamicAnchor":"t","type":"string"},"list":{"$id":"list","type":"array","items":{"$dynamicRef":"#t"},"$defs":{"d":{"$dynamicAnchor":"t"}}}}}"##,
            ["[]", #"["a","b"]"#], ["[1]", #"["a",1]"#]
        ),
        (
            #"{"not":{"type":"array","prefixItems":[{"type":"integer"}],"items":{"type":"null"}}}"#,
            ["1", #"["a"]"#, "[1,null,2]"], ["[]", "[1]", "[1,null,null]"]
        ),
        (
            #"{"type":"object","not":{"dependentRequired":{"a":["b"]}}}"#, [#"{"a":1}"#, #"{"a":1,"c":1}"#],
            ["{}", #"{"b":1}"#, #"{"a":1,"b":1}"#]
        ),
        (
            #"{"type":"array","items":{"type":"integer"},"not":{"contains":{"const":1},"maxContains":2}}"#,
            ["[]", "[2]", "[1,1,1]"], ["[1]", "[1,2,1]"]
        ),
        (
            #"{"anyOf":[{"type":"object","required":["long"],"propertyNames":{"maxLength":3}},{"type":"null"}]}"#,
            ["null"], [#"{"long":1}"#, "{}"]
        ),
        (#"{"type":"number","multipleOf":1.5}"#, ["0", "1.5", "-3", "4.50", "3.0"], ["1", "1.51", "2.5"]),
        (#"{"type":"number","not":{"multipleOf":0.25}}"#, ["0.1", "7.3"], ["0.25", "3", "1.50"]),
    ])
    func takesWhatTheSchemasAllowTogether(_ schema: String, _ good: [String], _ bad: [String]) throws {
        let grammar = try Grammar(.jsonSchema(schema))
        for text in good { #expect(grammar.takes(text), "\(schema) \(text)") }
        for text in bad { #expect(!grammar.takes(text), "\(schema) \(text)") }
    }

    @Test(arguments: [
        (#"{"properties":{"a":{"uniqueItems":true}}}"#, "/properties/a", "uniqueItems"),
        (#"{"properties":{"a":{"$ref":"http://example.com/x"}}}"#, "/properties/a", "$ref"),
        (#"{"items":{"multipleOf":0.123456789}}"#, "/items", "multipleOf"),
        (#"{"$schema":"http://example.com/dialect"}"#, "", "$schema"),
        (#"{"not":{"unevaluatedProperties":false}}"#, "/not", "unevaluatedProperties"),
        (#"{"properties":{"a":{"type":"string","maxLength":900000000}}}"#, "/properties/a", "maxLength"),
        (#"{"properties":{"a":{"type":"string","pattern":"^(a|b)*a(a|b){30}$"}}}"#, "/properties/a", "pattern"),
    ])
    func whatCannotBeHadIsToldWithItsPlaceAndKeyword(_ schema: String, _ pointer: String, _ keyword: String) {
        var limits = GrammarLimits()
        limits.states = 50_000
        #expect {
            try Grammar(.jsonSchema(schema), limits: limits)
        } throws: { ($0 as? GrammarError)?.place == .pointer(pointer, keyword: keyword) }
    }
}
