internal import APICore
internal import Hummingbird
internal import JSON
internal import Ledger
internal import Logging
internal import Messages

/// Profiles of the worker: /start_profile, /stop_profile, and /set_trace_level, which has nothing to set.
struct ProfileRoutes: Sendable {
    let questions: PipeQuestions
    let log: Logger
    /// Where profiles go that name no folder.
    let folder: String
    let clock: @Sendable () -> Double

    /// Seconds the worker gets to begin, and to write down what it recorded.
    private static let patience = 120.0

    var routes: [Route] {
        [
            Route([.get, .post], "/start_profile", .admin) { [self] in try await start($0, $1) },
            Route([.get, .post], "/stop_profile", .admin) { [self] _, _ in
                try await order("Stop profiling. This will take some time.\n") { $0.stopProfile = true }
            },
            Route([.get, .post], "/set_trace_level", .admin) { [self] request, _ in try setTraceLevel(request) },
        ]
    }

    /// Fields that choose among tools which a CPU server does not have, with the values that change nothing.
    private static let others: [(name: String, harmless: [JSONValue])] = [
        ("with_stack", [false]), ("record_shapes", [false]), ("profile_by_stage", [false]),
        ("merge_profiles", [false]), ("profile_stages", [[]]),
    ]

    private func start(_ request: Request, _ context: RouteContext) async throws -> Response {
        let fields = try await request.optionalFields(context)
        let activities = try fields.oneOrMany("activities", "a valid string", \.stringValue)?.all ?? ["CPU"]
        guard activities.contains("CPU") else {
            throw RequestFailure.invalid("activities must hold \"CPU\": nothing else can be profiled here.")
        }
        let id = try fields.string("profile_id") ?? JSON.encodeToString(.double(clock()))
        let prefix = try fields.string("profile_prefix").map { $0.isEmpty ? "" : $0 + "-" } ?? ""
        let name = "\(prefix)\(id)-TP-0"
        guard !name.contains("/"), name.utf8.count <= 200, !name.utf8.contains(0) else {
            throw RequestFailure.invalid("profile_id and profile_prefix are parts of a file's name: no '/', 200 bytes.")
        }
        let profile = StartProfile.make {
            $0.name = name
            $0.folder = folder
        }
        return try await begin(profile, fields)
    }

    private func begin(_ profile: StartProfile, _ fields: RequestFields) async throws -> Response {
        var profile = profile
        if let folder = try fields.string("output_dir"), !folder.isEmpty { profile.folder = folder }
        guard !profile.folder.utf8.contains(0) else { throw RequestFailure.invalid("output_dir is no path.") }
        profile.steps = try Self.count(fields, "num_steps", least: 1)
        profile.firstStep = try Self.count(fields, "start_step", least: 0)
        let idle = Self.others.filter { name, harmless in fields[name].map { !harmless.contains($0) } ?? false }
        if !idle.isEmpty {
            log.warning(
                "/start_profile: \(idle.map(\.name).joined(separator: ", ")) has no effect: one trace holds all steps")
        }
        return try await order("Start profiling.\n") { $0.startProfile = profile }
    }

    private static func count(_ fields: RequestFields, _ name: String, least: Int) throws(RequestFailure) -> UInt64 {
        guard let count = try fields.int(name) else { return 0 }
        guard count >= least else {
            throw .malformed("body.\(name): Input should be greater than or equal to \(least), got \(count)")
        }
        return UInt64(count)
    }

    private func order(_ text: String, _ fill: (inout ControlCall) -> Void) async throws -> Response {
        guard let reply = await questions.control(patience: Self.patience, fill) else { throw RequestFailure.noAnswer }
        guard reply.success else { throw RequestFailure.invalid(reply.message) }
        return .text(text)
    }

    private func setTraceLevel(_ request: Request) throws(RequestFailure) -> Response {
        guard let text = request.uri.queryParameters["level"] else {
            throw .malformed("query.level: Field required")
        }
        guard let level = Int(text), level >= 0 else {
            throw .malformed("query.level: Input should be an integer greater than or equal to 0")
        }
        log.info("/set_trace_level: no traces are sent, so level \(level) changes nothing")
        return .text("success")
    }
}
