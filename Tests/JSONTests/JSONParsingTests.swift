import JSON
import Testing

@Suite struct JSONParsingTests {
    private func failure(_ text: String, maximumDepth: Int = 128) -> String? {
        failure(Array(text.utf8), maximumDepth: maximumDepth)
    }

    private func failure(_ bytes: [UInt8], maximumDepth: Int = 128) -> String? {
        do throws(JSONError) { _ = try JSON.parse(bytes, maximumDepth: maximumDepth) } catch {
            return error.description
        }
        return nil
    }

    @Test(arguments: [
        ("", "unexpected end of data at byte 0"), ("  ", "unexpected end of data at byte 2"),
        ("[1", "unexpected end of data at byte 2"), (#"{"a""#, "unexpected end of data at byte 4"),
        (#""abc"#, "unexpected end of data at byte 4"), ("tru", "unexpected end of data at byte 3"),
        ("-", "unexpected end of data at byte 1"), ("1e", "unexpected end of data at byte 2"),
        ("NaN", "unexpected character at byte 0"), ("[Infinity]", "unexpected character at byte 1"),
        ("-Infinity", "expected a digit at byte 1"), ("nan", "invalid literal at byte 0"),
        ("nulL", "invalid literal at byte 0"),
        ("True", "unexpected character at byte 0"), ("truex", "invalid literal at byte 0"),
        ("/*c*/1", "unexpected character at byte 0"), ("[1,//x\n2]", "unexpected character at byte 3"),
        ("{'a':1}", "unexpected character at byte 1"), ("['a']", "unexpected character at byte 1"),
        ("{a:1}", "unexpected character at byte 1"),
        ("[1,]", "unexpected character at byte 3"), (#"{"a":1,}"#, "unexpected character at byte 7"),
        ("[,1]", "unexpected character at byte 1"),
        ("1 2", "unexpected character at byte 2"), ("[1]]", "unexpected character at byte 3"),
        ("{}{}", "unexpected character at byte 2"),
        ("[1 2]", "expected ',' or ']' in array at byte 3"), (#"{"a" 1}"#, "expected ':' after object key at byte 5"),
        (#"{"a":1 "b":2}"#, "expected ',' or '}' in object at byte 7"),
        ("{1:2}", "expected a string as object key at byte 1"),
        (#"{"a":}"#, "unexpected character at byte 5"),
        ("18446744073709551616", "integer beyond 64 bits at byte 0"),
        ("[-9223372036854775809]", "integer beyond 64 bits at byte 1"),
        ("1e400", "number beyond the range of a double at byte 0"),
        ("01", "number with a leading zero at byte 0"), ("-01", "number with a leading zero at byte 0"),
        ("1.", "unexpected end of data at byte 2"), ("[1.]", "expected a digit after the decimal point at byte 3"),
        ("+1", "unexpected character at byte 0"), (".5", "unexpected character at byte 0"),
        ("[1.5.2]", "invalid number at byte 1"),
        ("[1-2]", "invalid number at byte 1"), ("0x10", "invalid number at byte 0"),
        ("\"a\nb\"", "control character in string at byte 2"), ("\"\u{0}\"", "control character in string at byte 1"),
        (#""\ud800""#, "lone surrogate in string at byte 1"), (#""\udc00""#, "lone surrogate in string at byte 1"),
        (#""\ud800\u0041""#, "lone surrogate in string at byte 1"), (#""\x41""#, "invalid escape at byte 1"),
        (#""\u12G4""#, "invalid escape at byte 5"),
        (#"{"a\u0000b" : 1}"#, "NUL in an object key at byte 1"),
        ("\u{FEFF}{}", "unexpected byte outside of a string at byte 0"),
        ("\u{0}", "unexpected character at byte 0"), ("1\u{0}", "unexpected character at byte 1"),
        ("\u{0C}1", "unexpected character at byte 0"),
    ])
    func rejectsWithOffsetAndReason(_ text: String, _ message: String) {
        #expect(failure(text) == message)
    }

    @Test(
        arguments: [
            [0x22, 0x80, 0x22], [0x22, 0xC0, 0xAF, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22],
            [0x22, 0xE2, 0x82, 0x22], [0x22, 0xFF, 0x22], [0x22, 0xF8, 0x88, 0x80, 0x80, 0x80, 0x22],
        ] as [[UInt8]])
    func rejectsInvalidUTF8(_ bytes: [UInt8]) {
        #expect(failure(bytes) == "invalid UTF-8 at byte 1")
    }

    @Test func readsEveryKind() throws {
        let value = try JSON.parse(#" {"a":[null,true,false,-1,2.5,"x"],"b":{}} "#)
        #expect(value == ["a": [nil, true, false, -1, 2.5, "x"], "b": [:]])
        #expect(try JSON.parse("7") == 7)
        #expect(try JSON.parse("null") == nil)
        #expect(try JSON.parse("-0") == 0)
        #expect(try JSON.parse("1e2") == .double(100))
        #expect(try JSON.parse("9223372036854775807") == .int(.max))
        #expect(try JSON.parse("-9223372036854775808") == .int(.min))
        #expect(try JSON.parse("9223372036854775808") == .unsigned(9_223_372_036_854_775_808))
        #expect(try JSON.parse("18446744073709551615") == .unsigned(.max))
        #expect(try JSON.parse(#""\ud83d\ude00\n\u0000\/é""#) == "😀\n\0/é")
    }

    @Test func surrogatePairsOfAllPlanesAreRead() throws {
        // json-c itself takes some of these for lone surrogates.
        for code in stride(from: 0x10000 as UInt32, through: 0x10FFFF, by: 0x3FB) {
            let scalar = String(Unicode.Scalar(code)!)
            let escapes = scalar.utf16.map { "\\u" + String($0, radix: 16) }.joined()
            #expect(try JSON.parse("[\"a\(escapes)b\(escapes)\",1]") == [.string("a\(scalar)b\(scalar)"), 1])
        }
        #expect(failure(#"["\ud836\udfef" 1]"#) == "expected ',' or ']' in array at byte 16")
    }

    @Test func lastDuplicateWinsInTheFirstPlace() throws {
        let value = try JSON.parse(#"{"a":1,"b":2,"a":3}"#)
        #expect(value.objectValue?.keys == ["a", "b"])
        #expect(value["a"] == 3)
    }

    @Test func equivalentKeysAreDifferentKeys() throws {
        let value = try JSON.parse(#"{"\u00e9":1,"e\u0301":2}"#)
        #expect(value.objectValue?.count == 2)
        #expect(value["\u{E9}"] == 1)
        #expect(value["e\u{301}"] == 2)
    }

    @Test func depthIsLimited() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(failure(nested(128)) == nil)
        #expect(failure(String(repeating: "[", count: 128) + "1" + String(repeating: "]", count: 128)) == nil)
        #expect(failure(nested(129)) == "nested deeper than 128 levels at byte 128")
        #expect(failure(nested(5), maximumDepth: 4) == "nested deeper than 4 levels at byte 4")
        #expect(failure(String(repeating: "[", count: 1_000_000)) == "nested deeper than 128 levels at byte 128")
        #expect(failure(String(repeating: #"{"a":"#, count: 1_000_000)) == "nested deeper than 128 levels at byte 640")
        #expect(failure(nested(1_000), maximumDepth: 100_000) == nil)
        #expect(failure(nested(1_001), maximumDepth: 100_000) != nil)
    }

    @Test func integersThatPythonWritesAreClampedOnRequest() throws {
        let bytes = Array("[1000000000000000019884624838656,-99999999999999999999]".utf8)
        #expect(try JSON.parse(bytes, dialect: .python) == [.unsigned(.max), .int(.min)])
    }

    @Test func numbersThatPythonWritesAreReadOnRequest() throws {
        let text = #"{"a":[NaN,Infinity,-Infinity,1e999,-1e999,-1,0.5],"b":NaN}"#
        let value = try JSON.parse(Array(text.utf8), dialect: .python)
        let numbers = try #require(value["a"]?.arrayValue).compactMap(\.doubleValue)
        #expect(numbers[0].isNaN && value["b"]?.doubleValue?.isNaN == true)
        #expect(numbers.dropFirst() == [.infinity, -.infinity, .infinity, -.infinity, -1, 0.5])
        for whole in ["NaN", " Infinity ", "-Infinity"] {
            #expect(try JSON.parse(Array(whole.utf8), dialect: .python).doubleValue?.isFinite == false)
        }
    }

    @Test(arguments: [
        "nan", "Nan", "NaNs", "[Infinit]", "-Infinite", "- Infinity", "-inf", "Infinity1", "{NaN:1}", "+Infinity", "01",
        "'a'", "[1,]", "1.", "-NaN", "\"\\ud800\"", "1 // one",
    ])
    func pythonsNumbersMakeNothingElseLenient(_ text: String) {
        #expect(throws: JSONError.self) { try JSON.parse(Array(text.utf8), dialect: .python) }
    }

    @Test func everyPrefixOfATextIsAnError() throws {
        let text = Array(#"{"a":[1,-2.5e3,"x\u00e9\ud83d\ude00é",null,true],"b":{"c":false}}"#.utf8)
        _ = try JSON.parse(text)
        for length in 0..<text.count {
            #expect(failure(Array(text[..<length])) == "unexpected end of data at byte \(length)")
        }
    }

    @Test func randomBytesNeverTrap() {
        var state: UInt64 = 1
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let alphabet = Array(#"{}[]",:0123456789.eE+-\untrfalsb'/ "#.utf8) + [0x0A, 0x80, 0xC3, 0xA9, 0xF0, 0x00]
        for _ in 0..<20_000 {
            let bytes = (0..<next(24)).map { _ in alphabet[next(alphabet.count)] }
            guard let value = try? JSON.parse(bytes) else { continue }
            let again = try? JSON.parse(JSON.encode(value))
            #expect(again == value)
        }
    }

    @Test func readsLongTexts() throws {
        let count = 200_000
        let bytes = Array(("[" + String(repeating: "12345,", count: count) + "1]").utf8)
        #expect(try JSON.parse(bytes).arrayValue?.count == count + 1)
        let object = "{" + (0..<50_000).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"
        #expect(try JSON.parse(object)["k49999"] == 49_999)
    }
}
