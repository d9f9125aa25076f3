import Foundation
import Models
import Tensors
import Values

#if canImport(Glibc)
    import Glibc
#endif

/// A model split over tensor-parallel ranks that are threads of this process, each with its own mapping of the shared
/// memory, driven as one model.
///
/// Unchecked sendability: each rank is used by one thread at a time, and `run` joins them all.
final class RankGroup: LanguageModel, @unchecked Sendable {
    private let ranks: [any LanguageModel]

    var config: ModelConfig { ranks[0].config }
    var task: ModelTask { ranks[0].task }
    var limits: ForwardLimits { ranks[0].limits }
    var report: LoadReport { ranks[0].report }
    var weightBytes: Int { ranks.reduce(0) { $0 + $1.report.byteCount } }
    var cacheBytesPerSlot: Int { ranks.reduce(0) { $0 + $1.cacheBytesPerSlot } }

    /// Loads every rank of the model with one thread each.
    init(
        _ path: String, size: Int, dtype: DType, quantization: Quantization = .none, isa: KernelISA,
        limits: ForwardLimits, task: TaskSettings = TaskSettings()
    ) throws {
        let config = try ModelConfig.load(modelPath: path)
        let slotCount = try ShardPlan.slotCount(config, limits: limits, ranks: size)
        let memory = try Self.sharedMemory()
        defer { close(memory) }
        let groups = try (0..<size).map { rank in
            guard
                let group = Collectives(
                    descriptor: memory, rank: rank, size: size, patience: 60,
                    giveUp: { fatalError("rank \($0) did not come") })
            else { throw CheckpointError.outOfMemory(purpose: "the ranks", byteCount: slotCount) }
            return group
        }
        guard groups[0].offer(terms: [], planBytes: 64, slotCount: slotCount) else {
            throw CheckpointError.outOfMemory(purpose: "the ranks", byteCount: slotCount)
        }
        for group in groups.dropFirst() where group.accept() == nil {
            throw CheckpointError.outOfMemory(purpose: "the ranks", byteCount: slotCount)
        }
        ranks = try groups.map { group in
            try loadModel(
                LoadOptions(
                    ModelSource(path, config: config, dtype: dtype, quantization: quantization, task: task),
                    limits: limits,
                    rank: ShardRank(index: group.rank, count: size), group: group,
                    compute: Compute(isa: isa, threads: 1)))
        }
    }

    func forward(_ input: borrowing ForwardInput) {
        let input = copy input
        run { rank in self.ranks[rank].forward(input) }
    }

    func logits(_ range: Range<Int>, into logits: UnsafeMutablePointer<Float>) {
        nonisolated(unsafe) let out = logits
        run { rank in
            if rank == 0 { self.ranks[0].logits(range, into: out) } else { self.ranks[rank].shareLogits(range) }
        }
    }

    var experts: ExpertTraits? { ranks[0].experts }

    func chosenExperts(inLayer layer: Int) -> UnsafeBufferPointer<Int32> { ranks[0].chosenExperts(inLayer: layer) }

    func shareLogits(_ range: Range<Int>) { fatalError("the group plays rank 0") }

    func hiddenStates(_ range: Range<Int>, into states: UnsafeMutablePointer<Float>) {
        ranks[ranks.count - 1].hiddenStates(range, into: states)
    }

    var weightFile: String? { ranks[0].weightFile }

    func check(_ weights: PreparedWeights) { fatalError("each rank checks its own") }

    func releaseWeights() { for rank in ranks { rank.releaseWeights() } }

    func weightChecksum() -> (@Sendable () -> UInt64)? { ranks[0].weightChecksum() }

    func exchangeWeights(_ weights: PreparedWeights) { fatalError("each rank exchanges its own") }

    func releaseCache() { for rank in ranks { rank.releaseCache() } }

    func reserveCache() throws(CheckpointError) { for rank in ranks { try rank.reserveCache() } }

    func weight(named name: String, rows: Int) throws(CheckpointError) -> WeightRows? {
        try ranks[ranks.count - 1].weight(named: name, rows: rows)
    }

    /// Does the same on all ranks at once; threads of their own, since a pool might not run them side by side.
    private func run(_ body: @escaping @Sendable (Int) -> Void) {
        let done = DispatchSemaphore(value: 0)
        for rank in 1..<ranks.count {
            Thread {
                body(rank)
                done.signal()
            }.start()
        }
        body(0)
        for _ in 1..<ranks.count { done.wait() }
    }

    /// An empty page behind a descriptor whose file has no name.
    private static func sharedMemory() throws -> Int32 {
        var name = Array((NSTemporaryDirectory() + "/srt-ranks-XXXXXX").utf8CString)
        let descriptor = mkstemp(&name)
        guard descriptor >= 0, ftruncate(descriptor, 4096) == 0 else { throw CocoaError(.fileWriteUnknown) }
        unlink(name)
        return descriptor
    }
}
