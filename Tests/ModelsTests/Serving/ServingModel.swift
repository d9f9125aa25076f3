import Messages
import ModelWorker
import Models
import Scheduling
import Tensors
import Values

/// A request: a prompt, and how tokens are chosen.
struct Asked {
    static let newTokens = 12
    let id: UInt64
    let prompt: [Int32]

    /// Requests some of whose prompts begin alike.
    static func all(vocabulary: Int) -> [Asked] {
        let texts = sequences(vocabulary: vocabulary)
        let (first, second) = (texts[0], texts[15])
        let prompts = [
            Array(first[..<70]), Array(second[..<44]), Array(first[..<30]) + texts[9], texts[5],
            Array(second[..<20]) + texts[6], Array(texts[14][..<52]),
        ]
        return prompts.enumerated().map { Asked(id: UInt64($0 + 1), prompt: $1) }
    }

    /// The same text with its answer and two more tokens.
    func continued(with ids: [Int32]) -> Asked { Asked(id: id + 100, prompt: prompt + ids + [3, 5]) }

    /// As the worker is told it, behind ids that were told before. Every other one takes the likeliest tokens.
    func command(id: UInt64, behind ids: [Int32]) -> WorkerCommand {
        .make {
            $0.generate = .make {
                $0.key = .make { $0.id = id }
                $0.prompt = prompt
                $0.resumedIds = ids
                $0.sampling = .make {
                    $0.maxNewTokens = Int32(Self.newTokens)
                    $0.ignoreEos = true
                    $0.seed = self.id
                    $0.temperature = self.id % 2 == 0 ? 1 : 0
                    $0.topP = 1
                    $0.topK = -1
                    $0.repetitionPenalty = 1
                }
                $0.logprobs = .make {
                    $0.start = -1
                    $0.topCount = 3
                }
                $0.options = .make {
                    $0.stream = true
                    $0.streamInterval = 1
                }
            }
        }
    }
}

/// What a request is told: ids, and the bits of their log probabilities and of the best ones'.
struct Answered: Equatable {
    var ids: [Int32] = []
    var scores: [UInt32] = []
    var isOver = false
}

/// A worker without processes: an engine over a real model, and who asks it. It may die and begin anew.
struct ServingModel: ~Copyable {
    private let model: EngineModel
    private let limits: SchedulerLimits
    private var engine: Engine
    private var nextID: UInt64 = 1
    private var now = 1.0
    private(set) var losses = 0

    /// What it loses in the middle of its answers.
    enum Loss {
        /// The running requests' slots.
        case slots
        /// All it has: the next worker is told what was told so far.
        case everything
    }

    init(_ model: any LanguageModel, _ limits: SchedulerLimits) {
        self.model = EngineModel(model: model)
        self.limits = limits
        engine = Self.engine(self.model, limits)
    }

    private static func engine(_ model: EngineModel, _ limits: SchedulerLimits) -> Engine {
        let traits = EngineTraits(
            limits: limits, vocabularySize: model.model.config.vocabularySize, logitRows: model.logitRows)
        do { return try Engine(traits, compute: Compute(threads: 1), now: 0) } catch { fatalError("\(error)") }
    }

    /// What happened since it began, or began anew.
    var tally: SchedulerTally { engine.scheduler.tally }
    /// What is wrong with its slots.
    var slotError: String? { engine.scheduler.slotError() }

    /// Answers requests together; when 25 ids are told it loses something.
    mutating func answers(to asked: [Asked], losing loss: Loss? = nil) -> [Answered] {
        var answers = asked.map { _ in Answered() }
        var places = submit(asked, answers)
        var loss = loss
        while answers.contains(where: { !$0.isOver }) {
            guard let batch = engine.nextBatch() else { return answers }
            engine.step(batch, on: model, now: now)
            now += 0.01
            engine.stepped(batch, now: now)
            for effect in engine.takeEffects() {
                guard case .detokenizer(let command) = effect, case .tokens(let frame) = command.command else {
                    continue
                }
                take(frame, into: &answers, places)
            }
            guard let due = loss, answers.reduce(0, { $0 + $1.ids.count }) >= 25 else { continue }
            loss = nil
            losses += 1
            switch due {
            case .slots: pause()
            case .everything:
                die()
                places = submit(asked, answers)
            }
        }
        return answers
    }

    /// Asks for what is not over; where the answers of each id go.
    private mutating func submit(_ asked: [Asked], _ answers: [Answered]) -> [UInt64: Int] {
        var places: [UInt64: Int] = [:]
        for (place, request) in asked.enumerated() where !answers[place].isOver {
            engine.obey(request.command(id: nextID, behind: answers[place].ids), now: now)
            places[nextID] = place
            nextID += 1
        }
        return places
    }

    private func take(_ frame: TokenBatch, into answers: inout [Answered], _ places: [UInt64: Int]) {
        var start = 0
        for (row, id) in frame.requestIds.enumerated() {
            let count = Int(frame.counts[row])
            defer { start += count }
            guard let place = places[id], Int(frame.offsets[row]) == answers[place].ids.count else { continue }
            answers[place].ids += frame.ids[start..<start + count]
            answers[place].isOver = frame.finish[row].reason != nil
            for scores in frame.logprobs where Int(scores.row) == row {
                answers[place].scores += (scores.output.values + scores.outputTop.values).map(\.bitPattern)
            }
        }
    }

    /// All running requests give their slots back, and begin again from the ids so far.
    private mutating func pause() {
        engine.obey(.make { $0.control = .make { $0.pause = .make { $0.mode = .retract } } }, now: now)
        engine.obey(.make { $0.control = .make { $0.resume = true } }, now: now)
    }

    /// The next worker has nothing of what this one kept.
    private mutating func die() {
        model.model.releaseCache()
        do { try model.model.reserveCache() } catch { fatalError("\(error)") }
        engine = Self.engine(model, limits)
    }
}

/// A real model as the engine takes it.
private struct EngineModel: StepModel {
    let model: any LanguageModel

    var logitRows: Int { model.limits.logitRows }
    func forward(_ input: borrowing ForwardInput) { model.forward(input) }
    func logits(_ range: Range<Int>, into rows: UnsafeMutablePointer<Float>) { model.logits(range, into: rows) }
    func hiddenStates(_ range: Range<Int>, into states: UnsafeMutablePointer<Float>) {
        model.hiddenStates(range, into: states)
    }
    func endStep() {}
}
