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

    /// Orders something that is to be done although processes die: where one ends the order goes out again, with the same number, for a
    /// few times; nil when it is not answered then.
    ///
    /// - Parameter fill: gets the call's number, and whether it goes out again.
    package func order(
        patience: Double = 86_400, _ fill: @escaping @Sendable (inout ControlCall, _ isAgain: Bool) -> Void
    ) async -> ControlReply? {
        let send = send
        let ask: @Sendable (UInt64, Bool) -> Void = { number, isAgain in
            send(
                .make {
                    $0.control = .make {
                        $0.call = number
                        fill(&$0, isAgain)
                    }
                })
        }
        return await controls.ask(patience: patience, again: { ask($0, true) }) { ask($0, false) }
    }

    /// Other incarnations of the processes behind this front are ready: what was ordered of those before goes out again.
    package func pipeChanged() { controls.askAgain() }

    /// Nobody is there any more who could obey.
    package func giveUp() { controls.giveUp() }

    /// Tells the other fronts something by way of the tokenizer manager.
    package func tellFronts(_ abort: AbortMatching) { send(.make { $0.abortMatching = abort }) }

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
        /// Sends the question anew.
        let again: (@Sendable (UInt64) -> Void)?
        /// How often that was done.
        var repetitions = 0
    }

    /// A question that went out so often is what ends the processes.
    private static var mostRepetitions: Int { 3 }

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
    ///
    /// - Parameter again: sends it anew when processes ended that may have had it; nil: the answer is lost with them.
    func ask(
        patience: Double, again: (@Sendable (UInt64) -> Void)? = nil, _ send: (UInt64) -> Void
    ) async -> Answer? {
        await withCheckedContinuation { continuation in
            let deadline = clock() + patience
            let number = state.withLock { state in
                state.counter += 1
                state.waiters[state.counter] = Waiter(continuation: continuation, deadline: deadline, again: again)
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

    /// Sends anew what has to be; what was sent too often ends.
    func askAgain() {
        let (repeated, ended) = state.withLock { state in
            var repeated: [(UInt64, @Sendable (UInt64) -> Void)] = []
            var ended: [Waiter] = []
            for (number, waiter) in state.waiters.sorted(by: { $0.key < $1.key }) {
                guard let again = waiter.again else { continue }
                if waiter.repetitions < Self.mostRepetitions {
                    state.waiters[number]?.repetitions += 1
                    repeated.append((number, again))
                } else {
                    state.waiters[number] = nil
                    ended.append(waiter)
                }
            }
            return (repeated, ended)
        }
        for (number, again) in repeated { again(number) }
        for waiter in ended { waiter.continuation.resume(returning: nil) }
    }

    /// Ends what would be sent anew.
    func giveUp() {
        let ended = state.withLock { state in
            let ended = state.waiters.filter { $0.value.again != nil }
            for number in ended.keys { state.waiters[number] = nil }
            return ended
        }
        for waiter in ended.values { waiter.continuation.resume(returning: nil) }
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
