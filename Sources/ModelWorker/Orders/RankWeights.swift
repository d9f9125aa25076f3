internal import Messages
internal import Models
internal import Values

/// The weights and the cache of one rank, as rank 0's orders change them.
final class RankWeights {
    private let model: any LanguageModel
    private let source: ModelSource
    private let rank: ShardRank
    private let cacheDirectory: String?
    private var packing: RankJob<PreparedWeights>?
    private var adding: RankJob<String>?

    /// `source` is what the model's configuration was read with; each order names path and format anew.
    init(_ model: any LanguageModel, source: ModelSource, rank: ShardRank, cacheDirectory: String?) {
        self.model = model
        self.source = source
        self.rank = rank
        self.cacheDirectory = cacheDirectory
    }

    /// Does what is no step and no question.
    func obey(_ kind: RankLink.Kind, _ text: String) throws(CheckpointError) {
        switch kind {
        case .step, .report: preconditionFailure("a step and a report are answered elsewhere")
        case .prepare: prepare(text)
        case .exchange: try exchange(removing: text)
        case .discard: discard()
        case .releaseWeights: model.releaseWeights()
        case .releaseCache: model.releaseCache()
        case .restoreCache: try model.reserveCache()
        case .checksum: addUp()
        }
    }

    /// How far it is with what it was told last.
    var state: RankJobState {
        switch packing?.outcome {
        case .success(let prepared)?:
            do throws(CheckpointError) { try model.check(prepared) } catch { return .failed(Self.refusal(of: error)) }
            return .done("")
        case .failure(let failure)?: return .failed(failure.message)
        case nil: break
        }
        switch adding?.outcome {
        case .success(let sum)?: return .done(sum)
        case .failure(let failure)?: return .failed(failure.message)
        case nil: return .underWay
        }
    }

    // MARK: Other weights

    private func prepare(_ text: String) {
        discard()
        let parts = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let (source, rank, cacheDirectory) = (source, rank, cacheDirectory)
        packing = RankJob { Self.pack(parts[1], parts[0], like: source, rank, cacheDirectory) }
    }

    private static func pack(
        _ path: String, _ format: String, like present: ModelSource, _ rank: ShardRank, _ cacheDirectory: String?
    ) -> RankJob<PreparedWeights>.Outcome {
        var source = present
        source.path = path
        if let format = LoadFormat(rawValue: format) { source.loadFormat = format }
        guard ModelPath.isThere(path) else {
            return .failure(
                RankJobFailure(message: "Failed to get weights iterator: \(path) (repository not found)."))
        }
        do throws(CheckpointError) {
            if let architecture = try ModelConfig.architecture(ifPresentAt: path),
                architecture != present.config.architecture
            {
                throw .unsupported(
                    file: path, place: "config.json",
                    reason: "`\(architecture)` instead of `\(present.config.architecture)`")
            }
            return .success(try prepareWeights(source, rank: rank, cacheDirectory: cacheDirectory, threads: 1))
        } catch {
            return .failure(RankJobFailure(message: refusal(of: error)))
        }
    }

    /// What those who ordered an update are told: whether the files are at fault, or what is in them.
    private static func refusal(of error: CheckpointError) -> String {
        switch error {
        case .unreadable, .noWeights, .missingShards, .malformed: "Failed to get weights iterator: \(error)."
        case .badConfig, .unsupportedArchitecture: "Failed to get model loader: \(error)."
        default: "Failed to update weights: \(error).\nRolling back to original weights."
        }
    }

    private func exchange(removing text: String) throws(CheckpointError) {
        guard case .success(let prepared)? = packing?.outcome else {
            preconditionFailure("weights are exchanged when they lie ready")
        }
        let old = model.weightFile
        try model.exchangeWeights(prepared)
        packing = nil
        if text == Self.removal, let old, old != prepared.file { PackedWeights.removeFile(old) }
    }

    /// Says that the file of the weights before is not wanted any more: an update brought them.
    static let removal = "remove"

    private func discard() {
        if case .success(let prepared)? = packing?.outcome, case .built = prepared.report.origin,
            let file = prepared.file, file != model.weightFile
        {
            PackedWeights.removeFile(file)
        }
        packing?.forget()
        packing = nil
        adding = nil
    }

    // MARK: Checksums

    private func addUp() {
        discard()
        let sum = model.weightChecksum()
        adding = RankJob {
            guard let sum else {
                return .failure(RankJobFailure(message: "The weights' memory is released."))
            }
            let digits = String(sum(), radix: 16)
            return .success(String(repeating: "0", count: 16 - digits.count) + digits)
        }
    }
}
