internal import APICore
internal import HTTPTypes
internal import Hummingbird
internal import Ledger
internal import Messages

/// Starts, stops and dumps the record of the experts that tokens take.
///
/// That recording is on is written down first, so that it outlives the worker and this front.
struct ExpertRecordRoutes: Sendable {
    /// The server was started with a mode of recording.
    let isServed: Bool
    let questions: PipeQuestions
    let keepsake: FrontKeepsake

    /// Seconds that the worker gets to obey, the writing of a file included.
    private static let patience = 60.0

    var routes: [Route] {
        [
            route("start") { [self] in
                try await order(recording: true, .start)
                return .text("Start recording the expert distribution.\n")
            },
            route("stop") { [self] in
                try await order(recording: false, .stop)
                return .text("Stop recording the expert distribution.\n")
            },
            route("dump") { [self] in try await dump() },
        ]
    }

    private func route(_ verb: String, _ answer: @escaping @Sendable () async throws -> Response) -> Route {
        Route([.get, .post], "/\(verb)_expert_distribution_record", .admin) { _, _ in
            guard isServed else {
                throw RequestFailure.invalid(
                    "Please set ServerArgs.expert_distribution_recorder_mode to use ExpertDistributionRecorder.")
            }
            return try await answer()
        }
    }

    private func ask(_ action: ExpertRecording.Action) async throws -> ControlReply {
        let reply = await questions.control(patience: Self.patience) { $0.experts = .make { $0.action = action } }
        guard let reply else { throw RequestFailure.noAnswer }
        guard reply.success else { throw RequestFailure.invalid(reply.message) }
        return reply
    }

    /// Has the worker record or not; taken back where it does not obey.
    private func order(recording: Bool, _ action: ExpertRecording.Action) async throws {
        let before = keepsake.orders?.recordsExperts ?? false
        keepsake.order { $0.recordsExperts = recording }
        do { _ = try await ask(action) } catch {
            keepsake.order { $0.recordsExperts = before }
            throw error
        }
    }

    /// The body is SGLang's; the path of the file stands in a header.
    private func dump() async throws -> Response {
        let reply = try await ask(.dump)
        var response = Response.text("Dump expert distribution record.\n")
        response.headers[.init("X-Expert-Distribution-File")!] = reply.message
        return response
    }
}
