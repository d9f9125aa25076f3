import Messages
import ModelWorker
import Models
import Scheduling
import ServerSettings
import Testing

/// Requests for vectors, as the engine sees them.
@Suite struct VectorTests {
    @Test(arguments: 0..<30) func everyVectorIsThatOfALoneRun(block: Int) {
        for seed in (block * 100)..<(block * 100 + 100) {
            var history = VectorHistory(seed: seed)
            let problem = history.tell()
            #expect(problem == nil, "seed \(seed), \(history.limits), \(history.task)")
            if problem != nil { return }
        }
    }

    /// What the histories are about comes about in them.
    @Test func historiesHoldEveryKindOfEvent() {
        var counts: [String: Int] = [:]
        for seed in 0..<400 {
            var history = VectorHistory(seed: seed)
            _ = history.tell()
            counts.merge(history.counts, uniquingKeysWith: +)
        }
        for event in [
            "aborted", "worker died", "neighbour died", "late message", "lost frame", "preempted", "paused retract",
            "paused inPlace", "paused abort", "several in a step", "answered",
        ] {
            #expect(counts[event, default: 0] >= 10, "\(event): \(counts)")
        }
    }

    private static let limits: SchedulerLimits = {
        var limits = SchedulerLimits(slots: 100, contextLength: 20, maxRunning: 8, chunkTokens: 64, logitRows: 8)
        limits.generates = false
        return limits
    }()

    private static func engine(_ kind: ModelTask.Kind = .embedding, timeouts: RequestTimeouts = .init()) -> Engine {
        Toy.engine(
            limits, timeouts: timeouts,
            task: ModelTask(kind: kind, width: ToyModel.vocabularySize, maxTokens: limits.contextLength))
    }

    private static func request(_ id: UInt64, count: Int = 3) -> WorkerCommand {
        .make {
            $0.embeds = .make {
                $0.requests = [
                    .make {
                        $0.key = .make { $0.id = id }
                        $0.prompt = (0..<count).map { Int32($0) }
                    }
                ]
            }
        }
    }

    @Test func aTextMayFillTheContext() {
        var engine = Self.engine()
        engine.obey(Self.request(1, count: 20), now: 0)
        #expect(engine.takeEffects().isEmpty)
        engine.obey(Self.request(2, count: 21), now: 0)
        #expect(engine.takeEffects().compactMap(\.failure).map(\.statusCode) == [400])
    }

    @Test func requestsOfAnotherKindAreRefused() {
        var embedder = Self.engine()
        embedder.obey(.make { $0.generate = Toy.request(1, [1]) }, now: 0)
        #expect(embedder.takeEffects().compactMap(\.failure).map(\.message) == [KindMismatch.noGenerator])
        var generator = Toy.engine(Self.limits)
        generator.obey(Self.request(1), now: 0)
        #expect(generator.takeEffects().compactMap(\.failure).map(\.message) == [KindMismatch.noEmbedder])
        let isIdle = embedder.scheduler.isIdle && generator.scheduler.isIdle
        #expect(isIdle)
    }

    @Test func anAbortThatWantsAnAnswerGetsItWithoutTheDetokenizer() {
        var engine = Self.engine()
        engine.obey(Self.request(1), now: 0)
        let abort = Abort.make {
            $0.key = .make { $0.id = 1 }
            $0.wantsAnswer = true
        }
        engine.obey(.make { $0.abort = abort }, now: 0)
        let effects = engine.takeEffects()
        guard effects.count == 1, case .front(let reply) = effects[0], case .text(let batch)? = reply.reply else {
            Issue.record("\(effects)")
            return
        }
        #expect(batch.requestIds == [1] && batch.finish.map(\.aborted.message) == ["Abort in waiting queue"])
        let isIdle = engine.scheduler.isIdle
        #expect(isIdle)
    }

    @Test func oneThatWaitsTooLongIsTold() {
        var engine = Self.engine(timeouts: RequestTimeouts(waiting: 1))
        engine.obey(Self.request(1), now: 0)
        engine.settle(now: 2)
        guard case .front(let reply)? = engine.takeEffects().first, case .text(let batch)? = reply.reply else {
            Issue.record("nothing was told")
            return
        }
        #expect(batch.finish.map(\.aborted.statusCode) == [503])
    }

    @Test func whoseFrontIsGoneIsDropped() {
        var engine = Self.engine()
        engine.obey(Self.request(FrontGeneration.base(1) + 1), now: 0)
        engine.obey(Self.request(FrontGeneration.base(2) + 1), now: 0)
        engine.obey(.make { $0.livingFronts = .make { $0.generations = [2] } }, now: 0)
        let ids = engine.scheduler.ids
        #expect(ids == [FrontGeneration.base(2) + 1])
    }

    private static func answer(_ task: ModelTask, prompt: [Int32], weights: UInt64) -> VectorBatch? {
        var engine = Toy.engine(limits, served: .make { $0.number = weights }, task: task)
        let model = ToyModel(limits)
        model.weights = weights
        engine.obey(
            .make {
                $0.embeds = .make {
                    $0.requests = [
                        .make {
                            $0.key = .make { $0.id = 1 }; $0.prompt = prompt
                        }
                    ]
                }
            }, now: 0)
        guard let batch = engine.nextBatch() else { return nil }
        engine.step(batch, on: model, now: 0)
        for case .front(let reply) in engine.takeEffects() {
            if case .vectors(let vectors)? = reply.reply { return vectors }
        }
        return nil
    }

    @Test func aSparseVectorHasTheLargestNumberOfEachToken() throws {
        var task = ModelTask(kind: .embedding, width: ToyModel.vocabularySize, maxTokens: 20)
        let prompt: [Int32] = [2, 7, 5, 7, 3, 5, 9, 1]
        let numbers = try #require(Self.answer(task, prompt: prompt, weights: 4)).values
        task.isSparse = true
        task.silentTokens = [2, 1]
        let told = try #require(Self.answer(task, prompt: prompt, weights: 4))
        var expected: [Int32: Float] = [:]
        for (token, number) in zip(prompt, numbers).dropFirst().dropLast() where number > 0 {
            expected[token] = max(expected[token] ?? 0, number)
        }
        #expect(!expected.isEmpty && told.sparse && told.weights == 4 && told.isConsistent)
        #expect(told.tokenIds == expected.keys.sorted() && told.values == told.tokenIds.map { expected[$0] })
    }

    @Test func wholePromptsAreNeverCutAndKeepNothing() {
        var task = ModelTask(kind: .embedding, width: 8, maxTokens: 512)
        task.wholePrompts = true
        let limits = SchedulerLimits(WorkerSettings(), slots: 1 << 20, contextLength: 512, task: task)
        #expect(!limits.cutsPrompts && !limits.usesPrefixCache && !limits.generates)
        #expect(limits.chunkTokens == 2048 && limits.maxPromptLength == 512 && limits.slots < 10_000)
        let long = SchedulerLimits(WorkerSettings(), slots: 1 << 20, contextLength: 8192, task: task)
        #expect(long.chunkTokens == 8192 && long.maxPromptLength == 8192)
        task.wholePrompts = false
        let causal = SchedulerLimits(WorkerSettings(), slots: 1 << 20, contextLength: 512, task: task)
        #expect(causal.cutsPrompts && causal.usesPrefixCache && causal.maxPromptLength == 512)
    }
}
