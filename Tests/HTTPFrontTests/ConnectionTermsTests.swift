import HTTPFront
import NIOHTTP1
import Testing

/// When a connection goes on after an answer, and what the client is told of that.
@Suite struct ConnectionTermsTests {
    /// What an answer says to a request, and whether the connection ends behind it.
    private func answer(
        _ version: HTTPVersion, asks connection: String? = nil, method: HTTPMethod = .POST, length: String? = "5",
        status: HTTPResponseStatus = .ok, says: String? = nil
    ) -> (head: HTTPResponseHead, ends: Bool) {
        var terms = ConnectionTerms(keepAliveSeconds: 7)
        var request = HTTPRequestHead(version: version, method: method, uri: "/x")
        if let connection { request.headers.add(name: "Connection", value: connection) }
        terms.receive(&request)
        var head = HTTPResponseHead(version: .http1_1, status: status)
        if let length { head.headers.add(name: "Content-Length", value: length) }
        if let says { head.headers.add(name: "Connection", value: says) }
        let asked = terms.answer(&head)
        #expect(asked?.version == version && asked?.uri == "/x")
        let ends = terms.end()
        #expect(terms.isOver == ends)
        return (head, ends)
    }

    @Test func aConnectionGoesOnAndTheAnswerTellsForHowLong() {
        let (head, ends) = answer(.http1_1)
        #expect(!ends && head.version == .http1_1)
        #expect(head.headers["connection"] == ["keep-alive"] && head.headers["keep-alive"] == ["timeout=7"])
    }

    @Test(arguments: ["close", "Close", "close, TE"]) func itEndsWhereTheClientSaysSo(word: String) {
        let (head, ends) = answer(.http1_1, asks: word)
        #expect(ends && head.headers["connection"] == ["close"] && head.headers["keep-alive"].isEmpty)
    }

    @Test func itEndsWhereTheServerSaysSo() {
        #expect(answer(.http1_1, says: "close").ends)
    }

    @Test func anOldClientIsToldThatItEndsUnlessItAskedOtherwise() {
        let (head, ends) = answer(.http1_0)
        #expect(ends && head.version == .http1_0 && head.headers["connection"] == ["close"])
        let (other, goesOn) = answer(.http1_0, asks: "keep-alive")
        #expect(!goesOn && other.headers["connection"] == ["keep-alive"])
    }

    @Test func anAnswerOfUnknownLengthEndsWithAnOldClientsConnection() {
        #expect(answer(.http1_0, asks: "keep-alive", length: nil).ends)
        #expect(!answer(.http1_1, length: nil).ends)
        #expect(!answer(.http1_0, asks: "keep-alive", length: nil, status: .noContent).ends)
        #expect(!answer(.http1_0, asks: "keep-alive", method: .HEAD, length: nil).ends)
    }

    @Test func answersBelongToRequestsInTheirOrder() {
        var terms = ConnectionTerms(keepAliveSeconds: 5)
        for (uri, version) in [("/a", HTTPVersion.http1_1), ("/b", .http1_0)] {
            var head = HTTPRequestHead(version: version, method: .GET, uri: uri)
            terms.receive(&head)
        }
        var first = HTTPResponseHead(version: .http1_1, status: .ok)
        #expect(terms.takesInterimAnswers)
        #expect(terms.answer(&first)?.uri == "/a")
        let goesOn = !terms.end()
        #expect(goesOn && !terms.takesInterimAnswers)
        var second = HTTPResponseHead(version: .http1_1, status: .ok)
        #expect(terms.answer(&second)?.uri == "/b")
        let ends = terms.end()
        #expect(ends)
    }

    @Test func whatCannotBeReadIsAnsweredAndEnds() {
        var terms = ConnectionTerms(keepAliveSeconds: 5)
        var head = HTTPResponseHead(version: .http1_1, status: .badRequest)
        #expect(terms.answer(&head) == nil)
        let ends = terms.end()
        #expect(ends && terms.isOver)
    }
}
