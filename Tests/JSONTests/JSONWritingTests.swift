import JSON
import Testing

@Suite struct JSONWritingTests {
    @Test(arguments: [
        (1.0, "1.0"), (-0.0, "-0.0"), (0.1, "0.1"), (1e-05, "1e-05"), (0.0001, "0.0001"),
        (123456789.125, "123456789.125"),
        (1e15, "1000000000000000.0"), (1e16, "1e+16"), (-1.2345678901234567e16, "-1.2345678901234568e+16"),
        (9999999999999998.0, "9999999999999998.0"), (18014398509481984.0, "1.8014398509481984e+16"), (1e22, "1e+22"),
        (1.7976931348623157e308, "1.7976931348623157e+308"), (Double.leastNonzeroMagnitude, "5e-324"),
        (0.30000000000000004, "0.30000000000000004"),
        (Double.nan, "null"), (Double.infinity, "null"), (-Double.infinity, "null"),
    ])
    func doublesAreWrittenAsPythonsRepr(_ value: Double, _ text: String) {
        #expect(JSON.encodeToString(.double(value)) == text)
    }

    @Test func doublesReadBackEqual() throws {
        var state: UInt64 = 99
        for _ in 0..<10_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let value = Double(bitPattern: state)
            if !value.isFinite { continue }
            let again = try JSON.parse(JSON.encode(.double(value)))
            #expect(again == .double(value))
        }
    }

    @Test func integersArePlain() {
        #expect(
            JSON.encodeToString([0, -1, .int(.min), .int(.max), .unsigned(.max)])
                == "[0,-1,-9223372036854775808,9223372036854775807,18446744073709551615]")
    }

    @Test func onlyWhatMustBeIsEscaped() {
        #expect(
            JSON.encodeToString("a\"\\/\n\r\t\u{8}\u{C}\u{1F}\u{0}\u{7F}é😀\u{2028}")
                == "\"a\\\"\\\\/\\n\\r\\t\\b\\f\\u001f\\u0000\u{7F}é😀\u{2028}\"")
    }

    @Test func objectsKeepTheirOrder() {
        #expect(JSON.encodeToString(["b": 1, "a": [true, nil], "": [:]]) == #"{"b":1,"a":[true,null],"":{}}"#)
    }

    @Test func theWriterPutsCommasInPlace() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("id", "x")
        writer.key("choices")
        writer.beginArray()
        writer.beginObject()
        writer.member("index", 0)
        writer.member("logprob", -0.5)
        writer.member("done", false)
        writer.member("extra", .null)
        writer.endObject()
        writer.raw("[1]".utf8)
        writer.ints([1, -2])
        writer.float(0.1)
        writer.endArray()
        writer.endObject()
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"{"id":"x","choices":[{"index":0,"logprob":-0.5,"done":false,"extra":null},[1],[1,-2],0.1]}"#)
        writer.removeAll()
        writer.beginArray()
        writer.endArray()
        #expect(writer.bytes == Array("[]".utf8))
    }
}
