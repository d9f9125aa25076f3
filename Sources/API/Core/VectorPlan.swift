package import Ledger
package import Messages
internal import ServerSettings
internal import Values

/// One text of a request for vectors or scores.
package enum VectorInput: Sendable {
    case text(String)
    /// Two texts that are read together.
    case pair(String, String)
    case ids([Int])
}

/// Turns texts into rows for the ledger, each of which ends with a vector or scores.
package struct VectorPlan: Sendable {
    /// What a request says of all its texts.
    package struct Wishes: Sendable {
        package var dimensions: Int?
        package var priority: Int?
        package var routingKey = ""
        /// Names of the rows; nil: fresh ones.
        package var rids: [String]?
        package var returnsPromptIDs = false
        /// The request counts in the metrics.
        package var isCounted = true

        package init() {}
    }

    package let openings: [RequestLedger.Opening]

    /// Plans the rows.
    ///
    /// - Parameters:
    ///   - model: what the model is; nil while it is not known: the worker has the last word anyhow.
    ///   - rules: what the operator's flags say.
    /// - Throws: `.invalid` for what this model does not do, `.neverFits` for more texts than the server could hold.
    package init(
        _ inputs: [VectorInput], _ wishes: Wishes, model: ModelFacts?, _ rules: VectorRules
    ) throws(RequestFailure) {
        try rules.check(model, dimensions: wishes.dimensions)
        guard inputs.count <= AdmissionGate.ownLimit else {
            throw .neverFits(rows: inputs.count, limit: AdmissionGate.ownLimit)
        }
        let options = RequestOptions.make {
            $0.streamInterval = 1
            if let priority = wishes.priority { $0.priority = Int64(priority) }
            $0.routingKey = wishes.routingKey
        }
        let rids = try Self.rids(wishes.rids, count: inputs.count)
        openings = try inputs.enumerated().map { index, input throws(RequestFailure) in
            var message = Embed()
            switch input {
            case .text(let text): message.text = text
            case .pair(let first, let second):
                message.pair = .make {
                    $0.first = first
                    $0.second = second
                }
            case .ids(let list): message.ids = try Self.ids(list)
            }
            message.dimensions = UInt32(wishes.dimensions ?? 0)
            message.allowTruncate = rules.allowsTruncation
            message.wantsPromptIds = wishes.returnsPromptIDs
            message.options = options
            var opening = RequestLedger.Opening(.embed(message), rid: ClientName(rids?[index] ?? RequestNames.fresh()))
            opening.isCounted = wishes.isCounted
            return opening
        }
    }

    private static func ids(_ list: [Int]) throws(RequestFailure) -> TokenIDs {
        var ids = TokenIDs()
        ids.ids.reserveCapacity(list.count)
        for id in list {
            guard let narrow = Int32(exactly: id), narrow >= 0 else {
                throw .invalid("input_ids contains out-of-vocabulary token id \(id).")
            }
            ids.ids.append(narrow)
        }
        return ids
    }

    private static func rids(_ given: [String]?, count: Int) throws(RequestFailure) -> [String]? {
        guard let given else { return nil }
        guard given.count == count else {
            throw .invalid("The specified rids length mismatch with the batch_size for batch processing.")
        }
        var seen: Set<ClientName> = []
        let repeated = given.filter { !seen.insert(ClientName($0)).inserted }
        guard repeated.isEmpty else {
            let list = repeated.map { "'\($0)'" }.joined(separator: ", ")
            throw .invalid("Duplicate request IDs detected within the request: [\(list)]")
        }
        return given
    }
}

/// What the server says about requests for vectors.
package struct VectorRules: Sendable {
    /// Texts that are too long are cut.
    package var allowsTruncation: Bool
    /// The model's path, for the texts of errors.
    package var modelPath: String

    package init(allowsTruncation: Bool, modelPath: String) {
        self.allowsTruncation = allowsTruncation
        self.modelPath = modelPath
    }

    /// Refuses what the model does not do: vectors at all, or fewer numbers of one.
    func check(_ model: ModelFacts?, dimensions: Int?) throws(RequestFailure) {
        if let model, model.task.kind == .generation { throw .noEmbeddingModel }
        guard let dimensions else { return }
        let task = model?.task
        if let task, !task.matryoshka {
            throw .invalid(
                "Model '\(modelPath)' does not support matryoshka representation, changing output dimensions will lead "
                    + "to poor results.")
        }
        guard dimensions > 0 else { throw .invalid("Requested dimensions must be greater than 0") }
        guard let task else { return }
        if !task.dimensions.isEmpty, !task.dimensions.contains(where: { Int($0) == dimensions }) {
            throw .invalid(
                "Model '\(modelPath)' only supports \(task.dimensions) matryoshka dimensions, using other output "
                    + "dimensions will lead to poor results.")
        }
        guard dimensions <= Int(task.width) else {
            throw .invalid("Provided dimensions are greater than max embedding dimension: \(task.width)")
        }
    }
}
