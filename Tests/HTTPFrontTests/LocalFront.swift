import ChatAPI
import HTTPFront
import JSON
import Messages
import PipeStages
import ServerSettings
import Synchronization

/// A front without sockets: requests are calls, and a function stands for the pipe.
final class LocalFront: Sendable {
    let front: Front
    private let sent: Mutex<[TokenizerCommand]>

    /// `answer` is the pipe; `ready` tells whether the launcher says that all stages are there, `task` what the model is for.
    init(
        _ settings: FrontSettings = .served(), generation: UInt64 = 1, ready: Bool = true, sessions: Int32? = nil,
        weights: Int32? = nil,
        task: TaskFacts = TaskFacts(), model: ServedModel = ServedModel(),
        answer: @escaping @Sendable (TokenizerCommand) -> [FrontReply] = EchoStages.answer
    ) {
        let (commands, source) = AsyncStream<TokenizerCommand>.makeStream()
        let front = Front(
            settings: settings, model: model, generation: generation, log: .quiet, accessLog: .quiet,
            sessions: sessions,
            weights: weights
        ) { source.yield($0) }
        self.front = front
        sent = Mutex([])
        if ready { front.handle(Topology.ready(task: task)) }
        Task { [self] in
            for await command in commands {
                sent.withLock { $0.append(command) }
                for reply in answer(command) { front.handle(reply) }
            }
        }
    }

    /// What the pipe got so far.
    var commands: [TokenizerCommand] { sent.withLock { $0 } }

    func post(_ path: String, _ body: String, headers: [(String, String)] = [("Content-Type", "application/json")])
        async throws -> WholeAnswer
    {
        try await front.answer("POST", path, headers: headers, body: Array(body.utf8))
    }

    func get(_ path: String, headers: [(String, String)] = []) async throws -> WholeAnswer {
        try await front.answer("GET", path, headers: headers)
    }
}
