extension SafetensorsFile {
    /// Whether a name is that of a file by `torch.save`.
    static func isTorch(_ name: String) -> Bool { [".pt", ".pth", ".bin"].contains { name.hasSuffix($0) } }

    /// A file by `torch.save` that holds a dictionary of tensors, as bge-m3 keeps the heads beside its network in.
    static func torch(path: String) throws(CheckpointError) -> SafetensorsFile {
        let mapped = try MappedFile(path: path)
        let zip = try ZipIndex(file: path, bytes: mapped.bytes)
        guard let data = zip.entries.first(where: { $0.key.hasSuffix("/data.pkl") }) else {
            throw .malformed(file: path, place: "archive", reason: "holds no data.pkl")
        }
        let root = data.key.dropLast("data.pkl".count)
        let pickle = try TorchPickle(file: path, bytes: mapped.bytes, range: data.value)
        var tensors: [SafetensorsTensor] = []
        var unreadable: [String: CheckpointError] = [:]
        for (name, tensor) in pickle.tensors.sorted(by: { $0.key < $1.key }) {
            let place = "tensor `\(printable(name))`"
            guard let type = WeightType(torch: tensor.kind) else {
                unreadable[name] = .unsupported(
                    file: path, place: place, reason: "`\(printable(tensor.kind))` is not readable")
                continue
            }
            let info = TensorInfo(name: name, shape: tensor.shape, type: type, file: path)
            let count = info.elementCount * type.blockBytes
            guard let storage = zip.entries[root + "data/" + tensor.storage],
                tensor.offset <= storage.count / type.blockBytes,
                count <= storage.count - tensor.offset * type.blockBytes
            else { throw .malformed(file: path, place: place, reason: "its numbers are not there") }
            tensors.append(
                SafetensorsTensor(
                    info: info, offset: storage.lowerBound + tensor.offset * type.blockBytes, byteCount: count))
        }
        let described = tensors.map { "\($0.info.name) \($0.info.shape) \($0.info.type) \($0.offset)" }
        return SafetensorsFile(
            mapped, tensors: tensors, unreadable: unreadable,
            headerHash: checksum64(described.joined(separator: "\n")))
    }
}

extension WeightType {
    /// The type of the numbers of one of torch's storages; nil for one that is not read here.
    fileprivate init?(torch storage: String) {
        switch storage {
        case "torch.FloatStorage": self = .float32
        case "torch.HalfStorage": self = .float16
        case "torch.BFloat16Storage": self = .bfloat16
        case "torch.DoubleStorage": self = .float64
        default: return nil
        }
    }
}
