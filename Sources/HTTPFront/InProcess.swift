internal import APICore
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import ServerSettings
internal import Synchronization

/// A whole answer, as `Front.answer` returns it.
package struct WholeAnswer: Sendable, Equatable {
    package var status: Int
    /// Names in lower case.
    package var headers: [String: String]
    package var body: String
}

extension Front {
    /// Answers a request that did not come over a socket, up to the end of its body.
    package func answer(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8] = []
    ) async throws -> WholeAnswer {
        var fields = HTTPFields()
        for (name, value) in headers { fields.append(.init(name: .init(name)!, value: value)) }
        let request = Request(
            head: .init(method: .init(method)!, scheme: "http", authority: "local", path: path, headerFields: fields),
            body: .init(buffer: ByteBuffer(bytes: body)))
        let share = BodyShare(of: bodies, limit: settings.maxBodySize)
        defer { share.giveBack() }
        let response = try await FrontResponder(self).respond(to: request, for: ClientConnection(peer: "local"), share)
        let collected = CollectedBody()
        try await response.body.write(collected)
        var names: [String: String] = [:]
        for field in response.headers { names[field.name.canonicalName] = field.value }
        return WholeAnswer(status: response.status.code, headers: names, body: collected.text)
    }
}

/// Keeps what a response writes.
private final class CollectedBody: ResponseBodyWriter, Sendable {
    private let bytes = Mutex(ByteBuffer())

    var text: String { bytes.withLock { String(buffer: $0) } }

    func write(_ buffer: ByteBuffer) async throws { bytes.withLock { _ = $0.writeImmutableBuffer(buffer) } }

    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
