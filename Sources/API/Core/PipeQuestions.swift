package import Messages
internal import Synchronization

/// Questions to the processes behind the front, each with its one answer.
package final class PipeQuestions: Sendable {
    private let controls: PendingAnswers<ControlReply>
    private let encodings: PendingAnswers<EncodeReply>
    private let decodings: PendingAnswers<DecodeReply>
    private let send: @Sendable (TokenizerCommand) -> Void

    /// - Parameters:
    ///   - generation: the front's: answers to an earlier front find no question.
    ///   - send: takes a command for the tokenizer manager without waiting.
    package init(
        generation: UInt64, clock: @escaping @Sendable () -> Double,
        send: @escaping @Sendable (TokenizerCommand) -> Void
    ) {
        controls = PendingAnswers(generation: generation, clock: clock)
        encodings = PendingAnswers(generation: generation, clock: clock)
        decodings = PendingAnswers(generation: generation, clock: clock)
        self.send = send
    }

    /// Asks the worker; nil when it does not answer within `patience` seconds.
    package func control(patience: Double, _ fill: (inout ControlCall) -> Void) async -> ControlReply? {
        await controls.ask(patience: patience) { number in
            send(
                .make {
                    $0.control = .make {
                        fill(&$0)
                        $0.call = number
                    }
                })
        }
    }

    /// Tells the worker something whose answer nobody waits for.
    package func tell(_ fill: (inout ControlCall) -> Void) {
        send(
            .make {
                $0.control = .make {
                    fill(&$0)
                    $0.call = controls.number()
                }
            })
    }

    /// Tokenizes; nil when the tokenizer manager does not answer.
    package func encode(_ texts: [String], addSpecialTokens: Bool, patience: Double = 30) async -> EncodeReply? {
        await encodings.ask(patience: patience) { number in
            send(
                .make {
                    $0.encode = .make {
                        $0.call = number
                        $0.texts = texts
                        $0.addSpecialTokens = addSpecialTokens
                    }
                })
        }
    }

    /// Tokenizes a conversation; nil when the tokenizer manager does not answer.
    package func encode(
        _ conversation: Conversation, addSpecialTokens: Bool, patience: Double = 30
    ) async -> EncodeReply? {
        await encodings.ask(patience: patience) { number in
            send(
                .make {
                    $0.encode = .make {
                        $0.call = number
                        $0.conversation = conversation
                        $0.addSpecialTokens = addSpecialTokens
                    }
                })
        }
    }

    /// Turns ids into text; nil when the tokenizer manager does not answer.
    package func decode(_ lists: [[Int32]], skipSpecialTokens: Bool, patience: Double = 30) async -> DecodeReply? {
        await decodings.ask(patience: patience) { number in
            send(
                .make {
                    $0.decode = .make {
                        $0.call = number
                        $0.lists = lists.map { ids in .make { $0.ids = ids } }
                        $0.skipSpecialTokens = skipSpecialTokens
                    }
                })
        }
    }

    /// The worker answers.
    package func answer(_ reply: ControlReply) { controls.answer(reply.call, reply) }

    /// The tokenizer manager answers.
    package func answer(_ reply: EncodeReply) { encodings.answer(reply.call, reply) }

    /// The tokenizer manager answers.
    package func answer(_ reply: DecodeReply) { decodings.answer(reply.call, reply) }

    /// Time passes: questions that waited too long end.
    package func tick() {
        controls.tick()
        encodings.tick()
        decodings.tick()
    }
}

/// Questions of one kind that wait.
private final class PendingAnswers<Answer: Sendable>: Sendable {
    private struct Waiter {
        let continuation: CheckedContinuation<Answer?, Never>
        let deadline: Double
    }

    private struct State {
        var waiters: [UInt64: Waiter] = [:]
        var counter: UInt64
    }

    private let state: Mutex<State>
    private let clock: @Sendable () -> Double

    /// `generation` is the front's: answers to an earlier front find no question.
    init(generation: UInt64, clock: @escaping @Sendable () -> Double) {
        state = Mutex(State(counter: FrontGeneration.base(generation)))
        self.clock = clock
    }

    /// Asks and waits; nil when no answer came within `patience` seconds.
    func ask(patience: Double, _ send: (UInt64) -> Void) async -> Answer? {
        await withCheckedContinuation { continuation in
            let deadline = clock() + patience
            let number = state.withLock { state in
                state.counter += 1
                state.waiters[state.counter] = Waiter(continuation: continuation, deadline: deadline)
                return state.counter
            }
            send(number)
        }
    }

    /// The number of a question for whose answer nobody waits.
    func number() -> UInt64 {
        state.withLock { state in
            state.counter += 1
            return state.counter
        }
    }

    /// Hands an answer to whom it belongs.
    func answer(_ number: UInt64, _ answer: Answer) {
        state.withLock { $0.waiters.removeValue(forKey: number) }?.continuation.resume(returning: answer)
    }

    /// Time passes: calls that waited too long end.
    func tick() {
        let now = clock()
        let late = state.withLock { state in
            let late = state.waiters.filter { $0.value.deadline <= now }
            for number in late.keys { state.waiters[number] = nil }
            return late
        }
        for waiter in late.values { waiter.continuation.resume(returning: nil) }
    }
}
