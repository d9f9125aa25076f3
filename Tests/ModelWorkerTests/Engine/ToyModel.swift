import Messages
import ModelWorker
import Models
import Scheduling
import Tensors
import Tokenizers

/// A model whose logits are a function of all tokens so far, as long as every slot of a sequence still holds what the right prefix left
/// there.
final class ToyModel: StepModel {
    static let vocabularySize = 24
    static let hiddenSize = 3
    /// Which weights it computes with.
    var weights: UInt64 = 0
    var hasWeights = true
    var vocabularySize: Int { Self.vocabularySize }
    var logitRows: Int { 3 }
    private var store: [UInt64]
    /// Of each wanted row of the step.
    private var sums: [UInt64] = []
    /// What its layers choose from; the first one has no experts.
    private let experts: ExpertTraits?
    /// By layer, of the last step.
    private var chosen: [UnsafeMutableBufferPointer<Int32>] = []

    init(_ limits: SchedulerLimits, experts: ExpertTraits? = nil) {
        store = Array(repeating: 0, count: limits.storeRows)
        self.experts = experts
    }

    deinit { for layer in chosen { layer.deallocate() } }

    func chosenExperts(inLayer layer: Int) -> UnsafeBufferPointer<Int32> { UnsafeBufferPointer(chosen[layer]) }

    private func keep(_ experts: [[Int32]]) {
        for layer in chosen { layer.deallocate() }
        chosen = experts.map { layer in
            let memory = UnsafeMutableBufferPointer<Int32>.allocate(capacity: layer.count)
            _ = memory.initialize(from: layer)
            return memory
        }
    }

    /// The experts that a token takes in a layer, behind all tokens before it.
    static func experts(_ traits: ExpertTraits, behind tokens: ArraySlice<Int32>, layer: Int) -> [Int32] {
        layer == 0 ? [] : choice(traits, tokens.reduce(1) { mix($0, $1) }, layer)
    }

    private static func choice(_ traits: ExpertTraits, _ state: UInt64, _ layer: Int) -> [Int32] {
        let first = mix(state, Int32(layer)) % UInt64(traits.count)
        return (0..<traits.each).map { Int32((first + UInt64($0)) % UInt64(traits.count)) }
    }

    /// The cache's memory is given back.
    func forget() { store = Array(repeating: 0, count: store.count) }

    func forward(_ input: borrowing ForwardInput) {
        precondition(hasWeights)
        sums.removeAll()
        var found = [[Int32]](repeating: [], count: experts?.layers ?? 0)
        defer { keep(found) }
        var wanted = 0
        for sequence in input.sequences {
            for row in sequence.rowStart..<(sequence.rowStart + sequence.rowCount) {
                let position = Int(input.positions[row])
                precondition(input.writeSlots[row] == input.slots[sequence.slotStart + position])
                let before = position == 0 ? 1 : store[Int(input.slots[sequence.slotStart + position - 1])]
                let token = Self.token(input.tokens[row], input.tokenTypes.isEmpty ? 0 : input.tokenTypes[row])
                store[Int(input.writeSlots[row])] = Self.mix(before, token)
                if let experts, input.keepsEveryRow {
                    for layer in 1..<experts.layers {
                        found[layer] += Self.choice(experts, store[Int(input.writeSlots[row])], layer)
                    }
                }
                guard wanted < input.logitRows.count, Int(input.logitRows[wanted]) == row else { continue }
                let slots = input.slots[sequence.slotStart...(sequence.slotStart + position)]
                sums.append(slots.reduce(0) { $0 &+ store[Int($1)] })
                wanted += 1
            }
        }
    }

    func logits(_ range: Range<Int>, into rows: UnsafeMutablePointer<Float>) {
        precondition(range.count <= logitRows)
        for (index, sum) in sums[range].enumerated() {
            Self.fill(
                UnsafeMutableBufferPointer(start: rows + index * vocabularySize, count: vocabularySize), sum, weights)
        }
    }

    func hiddenStates(_ range: Range<Int>, into states: UnsafeMutablePointer<Float>) {
        for (index, sum) in sums[range].enumerated() {
            for (place, number) in Self.hidden(sum, weights).enumerated() {
                states[index * Self.hiddenSize + place] = number
            }
        }
    }

    func endStep() {}

    private static func hidden(_ sum: UInt64, _ weights: UInt64) -> [Float] {
        (0..<hiddenSize).map { Float(mix(sum &+ weights, Int32($0) + 100) >> 40) }
    }

    /// The logits behind some tokens, without slots or steps.
    static func logits(behind tokens: some Sequence<Int32>, types: [Int32] = [], weights: UInt64 = 0) -> [Float] {
        var row = [Float](repeating: 0, count: vocabularySize)
        row.withUnsafeMutableBufferPointer { fill($0, sum(behind: tokens, types), weights) }
        return row
    }

    /// The hidden state behind some tokens.
    static func hidden(behind tokens: some Sequence<Int32>, weights: UInt64 = 0) -> [Float] {
        hidden(sum(behind: tokens, []), weights)
    }

    private static func sum(behind tokens: some Sequence<Int32>, _ types: [Int32]) -> UInt64 {
        var state: UInt64 = 1
        var sum: UInt64 = 0
        for (index, token) in tokens.enumerated() {
            state = mix(state, self.token(token, types.isEmpty ? 0 : types[index]))
            sum &+= state
        }
        return sum
    }

    private static func token(_ id: Int32, _ type: Int32) -> Int32 { id | type << 16 }

    private static func fill(_ row: UnsafeMutableBufferPointer<Float>, _ sum: UInt64, _ weights: UInt64) {
        for id in row.indices { row[id] = Float(mix(sum &+ weights, Int32(id)) >> 40) * 0x1p-21 - 4 }
    }

    private static func mix(_ state: UInt64, _ token: Int32) -> UInt64 {
        var value = (state ^ UInt64(UInt32(bitPattern: token))) &* 0xBF58_476D_1CE4_E5B9
        value ^= value >> 29
        value = value &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 32)
    }
}

/// What the tests of the engine share.
enum Toy {
    static let compute = Compute(threads: 1)

    /// Ids 0 to 20 are letters, 21 is a space, 22 and 23 are the two bytes of é.
    static let tokenizer: Tokenizer = {
        var spellings = "abcdefghijklmnopqrstu".map(String.init)
        spellings += ["Ġ", "Ã", "©"]
        let vocabulary = spellings.enumerated().map { "\"\($1)\":\($0)" }.joined(separator: ",")
        let text = """
            {"version":"1.0","added_tokens":[],"normalizer":null,"post_processor":null,
             "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true},
             "decoder":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true},
             "model":{"type":"BPE","vocab":{\(vocabulary)},"merges":[]}}
            """
        do { return try Tokenizer(json: Array(text.utf8), file: "toy", config: TokenizerConfig()) } catch {
            fatalError("\(error)")
        }
    }()

    /// An engine for the toy model.
    static func engine(
        _ limits: SchedulerLimits, generation: UInt64 = 1, timeouts: RequestTimeouts = RequestTimeouts(),
        served: ServedWeights = .init(), now: Double = 0, task: ModelTask? = nil,
        _ fill: (inout EngineTraits) -> Void = { _ in }
    ) -> Engine {
        var traits = EngineTraits(
            limits: limits, vocabularySize: ToyModel.vocabularySize, logitRows: 3, task: task)
        traits.endIDs = [20]
        traits.tokenTypeCount = 2
        traits.tokenizer = tokenizer
        traits.generation = generation
        traits.timeouts = timeouts
        traits.served = served
        traits.hiddenSize = ToyModel.hiddenSize
        fill(&traits)
        do { return try Engine(traits, compute: compute, now: now) } catch { fatalError("\(error)") }
    }

    /// Parameters that change nothing.
    static func sampling(_ fill: (inout SamplingParams) -> Void = { _ in }) -> SamplingParams {
        .make {
            $0.maxNewTokens = 8
            $0.temperature = 1
            $0.topP = 1
            $0.topK = 1
            $0.repetitionPenalty = 1
            fill(&$0)
        }
    }

    /// A request that streams each token.
    static func request(
        _ id: UInt64, _ prompt: [Int32], _ sampling: SamplingParams = sampling(),
        _ fill: (inout GenerateIDs) -> Void = { _ in }
    ) -> GenerateIDs {
        .make {
            $0.key = .make { $0.id = id }
            $0.prompt = prompt
            $0.sampling = sampling
            $0.options = .make {
                $0.stream = true
                $0.streamInterval = 1
            }
            fill(&$0)
        }
    }
}
