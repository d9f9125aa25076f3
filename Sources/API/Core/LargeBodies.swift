/// Bodies from this size on are read on another thread, so that their reading does not hold up other clients.
private let largeBody = 128 << 10

/// Makes something of a body, on another thread if that may take long.
package func reading<Value: Sendable, Failure: Error>(
    _ body: [UInt8], _ make: @escaping @Sendable ([UInt8]) throws(Failure) -> Value
) async throws(Failure) -> Value {
    guard body.count >= largeBody else { return try make(body) }
    return try await withTaskExecutorPreference(globalConcurrentExecutor) { () throws(Failure) in try make(body) }
}
