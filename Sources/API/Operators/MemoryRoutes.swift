internal import APICore
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Ledger
internal import Messages

/// Gives memory of an idle server back to the system, and takes it again. Meanwhile requests wait.
struct MemoryRoutes: Sendable {
    let board: HealthBoard
    let questions: PipeQuestions
    let keepsake: FrontKeepsake
    /// The server was started for that.
    let isEnabled: Bool

    /// Seconds that the worker gets: weights that were not kept are read and packed anew.
    private static let patience = 3600.0

    var routes: [Route] {
        [
            Route([.get, .post], "/release_memory_occupation", .admin) { [self] in try await release($0, $1) },
            Route([.get, .post], "/resume_memory_occupation", .admin) { [self] in try await resume($0, $1) },
        ]
    }

    private func release(_ request: Request, _ context: RouteContext) async throws -> Response {
        let tags = try await tags(request, context) ?? ReleasedMemory.allTags
        let before = keepsake.orders?.released.tags ?? []
        try await order(before + tags.filter { !before.contains($0) }, before: before) { call, _ in
            call.releaseMemory = .make { $0.tags = tags }
        }
        return .json(.null)
    }

    private func resume(_ request: Request, _ context: RouteContext) async throws -> Response {
        let before = keepsake.orders?.released.tags ?? []
        let tags = try await tags(request, context) ?? before
        guard !tags.isEmpty else {
            throw RequestFailure.invalid("Memory that was not released cannot be resumed.")
        }
        try await order(before.filter { !tags.contains($0) }, before: before) { call, isAgain in
            call.resumeMemory = .make {
                $0.tags = tags
                // A worker that came meanwhile has it all, and knows nothing of a release.
                $0.isStanding = isAgain
            }
        }
        return .json(.null)
    }

    /// Has the worker obey. What holds then is written down first, for the fronts and workers that come later, and taken back where it
    /// does not obey.
    private func order(
        _ released: [String], before: [String], _ fill: @escaping @Sendable (inout ControlCall, Bool) -> Void
    ) async throws {
        write(released)
        do {
            let answer = await questions.order(patience: Self.patience, fill)
            guard let reply = answer else { throw RequestFailure.noAnswer }
            guard reply.success else { throw RequestFailure.invalid(reply.message) }
        } catch {
            write(before)
            throw error
        }
    }

    private func write(_ tags: [String]) {
        let memory = ReleasedMemory.make { $0.tags = tags }
        keepsake.order { $0.released = memory }
        board.release(memory)
    }

    private func tags(_ request: Request, _ context: RouteContext) async throws -> [String]? {
        let fields = try await request.optionalFields(context)
        guard isEnabled else {
            throw RequestFailure.invalid(
                "\(request.uri.path) needs a server that was started with --enable-memory-saver.")
        }
        guard let value = fields["tags"] else { return nil }
        let tags = value.arrayValue?.compactMap(\.stringValue) ?? []
        guard tags.count == value.arrayValue?.count, tags.allSatisfy({ ReleasedMemory.allTags.contains($0) }) else {
            throw RequestFailure.malformed("body.tags: Input should be a list of 'weights', 'kv_cache' or 'cuda_graph'")
        }
        var seen: Set<String> = []
        return tags.isEmpty ? nil : tags.filter { seen.insert($0).inserted }
    }
}
