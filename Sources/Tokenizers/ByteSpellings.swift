/// The bytes of every id of a byte-level vocabulary, in one buffer.
struct ByteSpellings: Sendable {
    private var bytes: [UInt8] = []
    /// Bytes of id `i` are `bytes[starts[i] ..< starts[i + 1]]`.
    private var starts: [UInt32] = [0]

    /// Spells out `added` before `vocabulary`.
    init(_ vocabulary: Vocabulary, _ added: Vocabulary) {
        let count = Int32(max(vocabulary.idCount, added.idCount))
        starts.reserveCapacity(Int(count) + 1)
        for id in 0..<count {
            if let token = added.token(of: id) ?? vocabulary.token(of: id) {
                bytes.append(contentsOf: ByteAlphabet.bytes(of: token))
            }
            starts.append(UInt32(bytes.count))
        }
    }

    /// Appends the bytes of an id; nothing for an id that does not exist.
    func append(_ id: Int32, to output: inout [UInt8]) {
        guard id >= 0, Int(id) + 1 < starts.count else { return }
        output.append(contentsOf: bytes[Int(starts[Int(id)])..<Int(starts[Int(id) + 1])])
    }
}
