/// Why a worker cannot start although its files are good.
enum StartError: Error, CustomStringConvertible {
    case noRoom(weights: UInt64, available: UInt64)
    /// An operator bound threads to a core that this process may not use.
    case noCore(Int, available: [Int])
    /// The memory that the ranks share could not be had, or rank 0 did not come.
    case noGroup
    /// This rank found other weights written down than rank 0 did.
    case otherWeights
    /// Flags about pooling stand beside a model of this architecture that generates.
    case nothingToPool(String)

    var description: String {
        switch self {
        case .noCore(let core, let available):
            "--cpu-bind names core \(core), which this server may not use; it has \(available.map(String.init).joined(separator: ","))"
        case .noGroup: "The ranks did not come together: no shared memory, or rank 0 is missing."
        case .otherWeights: "Rank 0 serves other weights than this rank: the group has to start anew."
        case .nothingToPool(let architecture):
            "--pooler-type and --pooling-compat are about vectors of texts, and \(architecture) generates; add --is-embedding"
        case .noRoom(let weights, let available):
            "Not enough memory for the KV cache: the weights take \(weights >> 20) MiB and \(available >> 20) MiB are available. "
                + "Raise --mem-fraction-static or set --max-total-tokens."
        }
    }
}
