internal import HTTPTypes
package import Hummingbird
package import Ledger
package import Logging
internal import NIOCore

/// What a route gets besides the request.
package struct RouteContext: RequestContext {
    /// Where a context comes from: a request of one client.
    package struct Source: RequestContextSource {
        package let logger: Logger
        package let client: any Client
        package let share: BodyShare

        package init(logger: Logger, client: any Client, share: BodyShare) {
            self.logger = logger
            self.client = client
            self.share = share
        }
    }

    package var coreContext: CoreRequestContextStorage
    package let client: any Client
    /// What the request's body holds of the front's memory.
    let share: BodyShare

    package init(source: Source) {
        coreContext = .init(source: source)
        client = source.client
        share = source.share
    }
}

extension Request {
    /// The whole body; it counts against the front's memory until the request's answer has ended.
    ///
    /// - Throws: 413 for one beyond the server's limit, 415 for one in a coding, 503 when all bodies together are too large,
    ///   `ClientGone` for one that does not come to its end.
    package func bytes(_ context: RouteContext) async throws -> [UInt8] {
        let limit = context.share.limit
        if let coding = headers[.contentEncoding], coding.lowercased() != "identity" {
            throw RequestFailure.unknownCoding(coding)
        }
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw RequestFailure.bodyTooLarge(limit: limit)
        }
        var bytes: [UInt8] = []
        do {
            for try await piece in body {
                try context.share.take(piece.readableBytes)
                bytes += piece.readableBytesView
                guard bytes.count <= limit else { throw RequestFailure.bodyTooLarge(limit: limit) }
            }
            await LoggedExchange.current?.received(bytes)
            return bytes
        } catch let failure as RequestFailure {
            throw failure
        } catch {
            // The client went away in the middle of its request.
            throw ClientGone()
        }
    }

    /// The members of a body that must be an object.
    package func fields(_ context: RouteContext) async throws -> RequestFields {
        try RequestFields(body: try await bytes(context))
    }

    /// The members of a body that may be absent.
    package func optionalFields(_ context: RouteContext) async throws -> RequestFields {
        try RequestFields(optionalBody: try await bytes(context))
    }

    /// - Throws: 400 unless the body claims to be JSON, as the /v1 routes demand.
    package func requireJSON() throws(RequestFailure) {
        let type =
            (headers[.contentType] ?? "").split(separator: ";").first.map { String($0).trimming { $0 == " " } } ?? ""
        guard type.lowercased() == "application/json" else {
            throw .malformed("Unsupported Media Type: Only 'application/json' is allowed")
        }
    }

    /// - Throws: 400 for a request that names another copy of the model than the only one.
    package func requireOnlyRank() throws(RequestFailure) {
        guard let header = headers[.init("X-Data-Parallel-Rank")!] else { return }
        guard let rank = Int(header.trimming(while: { $0 == " " })) else {
            throw .invalid("Invalid X-Data-Parallel-Rank header: must be an integer, got '\(header)'")
        }
        if rank != 0 { throw .noRank(rank) }
    }

    /// Reads the members of a body that must be an object, and makes something of them.
    package func reading<Value: Sendable>(
        _ context: RouteContext, _ make: @escaping @Sendable (RequestFields) throws -> Value
    ) async throws -> Value {
        try await APICore.reading(bytes(context)) { body in try make(RequestFields(body: body)) }
    }
}
