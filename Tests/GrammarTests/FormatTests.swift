import Grammar
import Testing
import Values

@Suite struct FormatTests {
    @Test(arguments: [
        (
            "date-time",
            [
                "2024-02-29T12:00:00Z", "1999-12-31t23:59:60z", "2024-01-01T00:00:00.5+01:30",
                "1998-12-31T15:59:60.123-08:00",
            ],
            ["2024-02-30T12:00:00Z", "2024-01-01", "1998-12-31T15:58:60Z", "1998-12-31T15:59:60+08:00"]
        ),
        ("duration", ["P1Y2M3D", "PT5M", "P3W", "P1DT12H"], ["P", "PT", "1D", "P1H"]),
        ("email", ["a.b@example.com", "\"x y\"@[127.0.0.1]"], ["a", "a@", ".a@b.c", "a..b@c.d"]),
        ("hostname", ["example.com", "a-b.c"], ["-a", "a-.b", "xn--x", "a_b"]),
        ("ipv4", ["127.0.0.1", "255.255.255.255"], ["256.0.0.1", "1.2.3", "01.2.3.4"]),
        (
            "ipv6", ["::", "::1", "1:2:3:4:5:6:7:8", "fe80::1:2", "::ffff:1.2.3.4"],
            ["1:2", "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9"]
        ),
        ("uuid", ["2eb8aa08-aa98-11ea-b4aa-73b441d16380"], ["2eb8aa08aa9811eab4aa73b441d16380"]),
        ("uri", ["http://example.com/a?b#c", "urn:x:y", "ftp://u@h:21/~p-q"], ["//h/p", "a b", "http://a b"]),
        ("uri-reference", ["/a/b", "#f", "http://x"], ["a b", "\\\\x"]),
        ("iri", ["http://ƒøø.ßår/?∂éœ=πîx#πîüx", "http://a/?\u{F0000}"], ["âππ", "http://a/\u{F0000}"]),
        ("idn-email", ["\"ώ\"@example.com", "\u{85}@example.com"], ["@example.com"]),
        ("uri-template", ["http://x/{term:1}/{+a,b*}"], ["{term", "a}b"]),
        ("json-pointer", ["", "/a~1b/c"], ["a", "/a~"]),
        ("relative-json-pointer", ["0#", "1/a"], ["/a", "01"]),
    ])
    func takesWhatTheFormatIs(_ name: String, _ good: [String], _ bad: [String]) throws {
        let grammar = try Grammar(.jsonSchema("{\"type\":\"string\",\"format\":\"\(name)\"}"))
        let quoted = { (text: String) in "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
        for text in good { #expect(grammar.takes(quoted(text)), "\(name) \(text)") }
        for text in bad { #expect(!grammar.takes(quoted(text)), "\(name) \(text)") }
    }

    @Test func namesOfHostsHaveAnEnd() throws {
        let grammar = try Grammar(.jsonSchema("{\"type\":\"string\",\"format\":\"hostname\"}"))
        func takes(_ labels: [Int]) -> Bool {
            grammar.takes("\"" + labels.map { String(repeating: "a", count: $0) }.joined(separator: ".") + "\"")
        }
        #expect(takes([63, 63, 63, 61]) && takes([61, 62, 63, 59]))
        #expect(!takes([63, 63, 63, 62]) && !takes([63, 63, 63, 1, 61]) && !takes([64]))
        #expect(takes(Array(repeating: 7, count: 31)) && takes(Array(repeating: 1, count: 31)))
        // Of what has more than 253 characters nothing is taken, whatever its labels are.
        var random = SplitMix64(seed: 253)
        for _ in 0..<200 {
            var labels: [Int] = []
            while labels.reduce(labels.count - 1, +) <= 253 { labels.append(Int(random.next() % 63) + 1) }
            #expect(!takes(labels), "\(labels)")
            labels.removeLast()
            labels.removeLast()
            if labels.count < 8 {
                #expect(takes(labels) || labels.reduce(0) { $0 + ($1 + 8) / 8 * 8 } > 253, "\(labels)")
            }
        }
    }

    @Test func unknownFormatsAreRefused() {
        for name in ["regex", "idn-hostname", "color"] {
            #expect(throws: GrammarError.self) {
                try Grammar(.jsonSchema("{\"type\":\"string\",\"format\":\"\(name)\"}"))
            }
        }
    }
}
