internal import DequeModule
package import NIOHTTP1

/// On what terms a connection goes on after each answer: the version of the request, whether the client wants to ask again, and
/// for how long the server waits for that.
///
/// Answers leave in the order of the requests. A client of HTTP/1.0 gets no chunks: where an answer's length is not known the
/// end of the connection is its end.
package struct ConnectionTerms: Sendable {
    /// A request that is not answered.
    package struct Asked: Sendable {
        package let method: HTTPMethod
        package let uri: String
        package let version: HTTPVersion
        fileprivate var goesOn: Bool
    }

    private var asked: Deque<Asked> = []
    private let keepAliveSeconds: Int
    /// An answer said that nothing follows: what still arrives is not read.
    package private(set) var isOver = false

    /// - Parameter keepAliveSeconds: how long the server waits for the next request.
    package init(keepAliveSeconds: Int) { self.keepAliveSeconds = keepAliveSeconds }

    /// A head arrived; the server behind gets to see "close" in one form.
    package mutating func receive(_ head: inout HTTPRequestHead) {
        let goesOn = head.isKeepAlive
        if !goesOn { head.headers.replaceOrAdd(name: "connection", value: "close") }
        asked.append(Asked(method: head.method, uri: head.uri, version: head.version, goesOn: goesOn))
    }

    /// The client knows that more than one head may answer it.
    package var takesInterimAnswers: Bool { asked.first?.version.isCurrent ?? false }

    /// A head leaves; the request it answers, nil for one that could not be read.
    package mutating func answer(_ head: inout HTTPResponseHead) -> Asked? {
        guard var current = asked.first else {
            isOver = true
            return nil
        }
        if head.headers[canonicalForm: "connection"].contains("close") { current.goesOn = false }
        if !current.version.isCurrent {
            head.version = current.version
            let hasBody = current.method != .HEAD && head.status.mayHaveResponseBody
            if hasBody, !head.headers.contains(name: "content-length") { current.goesOn = false }
        }
        if current.goesOn {
            head.headers.replaceOrAdd(name: "connection", value: "keep-alive")
            head.headers.replaceOrAdd(name: "keep-alive", value: "timeout=\(keepAliveSeconds)")
        } else {
            head.headers.replaceOrAdd(name: "connection", value: "close")
        }
        asked[0] = current
        return current
    }

    /// An answer is out; whether the connection ends with it.
    package mutating func end() -> Bool {
        let current = asked.popFirst()
        if current?.goesOn != true { isOver = true }
        return isOver
    }
}

extension HTTPVersion {
    /// 1.1 or later: knows chunks, and connections that go on by themselves.
    fileprivate var isCurrent: Bool { (major, minor) >= (1, 1) }
}
