import JSON
import Testing

/// Walking down JSON with an eye on the place.
@Suite struct JSONCursorTests {
    /// A strict reading whose errors are what was said, and where.
    private struct Strict: JSONReading {
        struct Failure: Error, Equatable {
            let path: String
            let complaint: JSONComplaint
        }

        func failure(at path: String, _ complaint: JSONComplaint) -> Failure {
            Failure(path: path, complaint: complaint)
        }
    }

    /// A reading for which texts of digits are integers, and which words its errors itself.
    private struct Lax: JSONReading {
        struct Failure: Error, Equatable { let text: String }

        func integer(_ value: JSONValue) -> Int? { value.intValue ?? value.stringValue.flatMap { Int($0) } }

        func failure(at path: String, _ complaint: JSONComplaint) -> Failure {
            switch complaint {
            case .missing: Failure(text: "body.\(path): Field required")
            case .wrongKind(let kind, let found): Failure(text: "body.\(path): not \(kind) but \(found.kindName)")
            case .outOfRange(let value, let least, let most):
                Failure(text: "\(path)=\(value) not in \(least)...\(most)")
            case .other(let words): Failure(text: words)
            }
        }
    }

    private static func strict(_ text: String) throws -> JSONCursor<Strict> {
        JSONCursor(try JSON.parse(text), Strict())
    }

    @Test func readsEveryKind() throws {
        let root = try Self.strict(#"{"s":"x","i":-3,"n":0.5,"b":true,"l":[1,2],"o":{"k":"v"},"z":null}"#)
        #expect(try root.required("s").string() == "x" && root.required("i").integer() == -3)
        #expect(try root.required("n").number() == 0.5 && root.required("i").number() == -3)
        #expect(try root.required("b").boolean())
        #expect(try root.required("l").elements().map { try $0.integer() } == [1, 2])
        #expect(try root.required("o").required("k").string() == "v" && root.object().count == 7)
        #expect(try root.member("z") == nil && root.member("absent") == nil)
    }

    @Test(arguments: [
        (#"{"a":[{"b":[0,"x"]}]}"#, "a[0].b[1]"), (#"{"a":[{"b":[true]}]}"#, "a[0].b[0]"),
        (#"{"a":[{"b":{}}]}"#, "a[0].b"),
        (#"{"a":[{"b":[]},1]}"#, "a[1]"), (#"{"a":7}"#, "a"), ("[]", ""),
    ])
    func aComplaintNamesThePlace(_ text: String, _ path: String) throws {
        let root = try Self.strict(text)
        let failure = #expect(throws: Strict.Failure.self) {
            try root.required("a").list { member throws(Strict.Failure) in
                try member.required("b").list { element throws(Strict.Failure) in try element.integer() }
            }
        }
        #expect(failure?.path == path)
    }

    @Test func aMissingMemberIsNamedBelowTheObject() throws {
        let root = try Self.strict(#"{"a":{"b":null}}"#)
        #expect(throws: Strict.Failure(path: "a.b", complaint: .missing)) { try root.required("a").required("b") }
        #expect(throws: Strict.Failure(path: "a.c", complaint: .missing)) { try root.required("a").required("c") }
        #expect(throws: Strict.Failure(path: "", complaint: .wrongKind(.array, found: root.value))) {
            try root.elements()
        }
    }

    @Test func nothingIsForgivenUnlessTheReadingSaysSo() throws {
        for text in ["1.0", #""1""#, "true", "null", "18446744073709551615"] {
            #expect(throws: Strict.Failure.self) { try Self.strict(text).integer() }
        }
        for text in [#""1""#, "true", "null"] {
            #expect(throws: Strict.Failure.self) { try Self.strict(text).number() }
        }
        for text in ["1", #""true""#, "0"] { #expect(throws: Strict.Failure.self) { try Self.strict(text).boolean() } }
        #expect(throws: Strict.Failure.self) { try Self.strict("1").string() }
        #expect(try JSONCursor(.string("12"), Lax()).integer() == 12)
    }

    @Test func wordsAreTheReadings() throws {
        let root = JSONCursor(try JSON.parse(#"{"n":"many","k":9}"#), Lax())
        #expect(throws: Lax.Failure(text: "body.n: not integer but string")) { try root.required("n").integer() }
        #expect(throws: Lax.Failure(text: "body.m: Field required")) { try root.required("m") }
        #expect(throws: Lax.Failure(text: "k=9 not in 0...8")) { try root.required("k").integer(in: 0...8) }
        #expect(throws: Lax.Failure(text: "k=9.0 not in 0.0...8.5")) { try root.required("k").number(in: 0...8.5) }
        #expect(root.failure("no").text == "no")
    }

    @Test func aPathMayBeginBelowARoot() throws {
        let root = JSONCursor(try JSON.parse(#"{"a":[1]}"#), Strict(), path: "rope_scaling")
        #expect(try root.required("a").elements()[0].path == "rope_scaling.a[0]")
        #expect(root.child("b", .null).path == "rope_scaling.b")
    }
}
