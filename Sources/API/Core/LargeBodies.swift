package import Hummingbird

extension Request {
    /// Bodies from this size on are read on another thread, so that their reading does not hold up other clients.
    private static var largeBody: Int { 128 << 10 }

    /// Reads the members of a body that must be an object, and makes something of them.
    package func reading<Value: Sendable>(
        _ context: RouteContext, _ make: @escaping @Sendable (RequestFields) throws -> Value
    ) async throws -> Value {
        let body = try await bytes(context)
        guard body.count >= Self.largeBody else { return try make(RequestFields(body: body)) }
        return try await withTaskExecutorPreference(globalConcurrentExecutor) {
            try make(RequestFields(body: body))
        }
    }
}
