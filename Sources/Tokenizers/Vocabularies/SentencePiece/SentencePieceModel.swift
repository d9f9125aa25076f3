/// A model of SentencePiece (Kudo and Richardson, arXiv:1808.06226) as its file has it (`sentencepiece_model.proto`).
struct SentencePieceModel {
    /// How it was trained: what finds the pieces of a text.
    enum Kind: UInt64 {
        case unigram = 1
        case bpe = 2
    }

    /// A token.
    struct Piece {
        /// What a token is good for.
        enum Kind: UInt64 {
            case normal = 1
            case unknown, control, userDefined, unused, byte
        }

        var text: [UInt8] = []
        var score: Float = 0
        var kind = Kind.normal
    }

    /// The file, named in errors.
    let file: String
    private(set) var pieces: [Piece] = []
    private(set) var kind = Kind.unigram
    private(set) var fallsBackToBytes = false
    private(set) var unknownID = 0
    /// Names of special tokens; nil for one that the model does without.
    private(set) var unknown: String? = "<unk>"
    private(set) var start: String? = "<s>"
    private(set) var end: String? = "</s>"
    /// The table of replacements, see `CharacterMap`; empty for none.
    private(set) var characterMap: [UInt8] = []
    private(set) var addsSpacePrefix = true
    private(set) var removesExtraSpaces = true
    private(set) var marksSpaces = true

    /// Whether a file is such a model: it begins with a piece.
    static func isLikely(_ bytes: [UInt8]) -> Bool { bytes.first == 0x0A }

    /// Reads the bytes of a file.
    init(_ bytes: [UInt8], file: String) throws(TokenizerError) {
        self.file = file
        var reader = ProtobufReader(bytes, 0..<bytes.count)
        do throws(ProtobufReader.Fault) {
            while let (number, value) = try reader.next() {
                guard case .bytes(let range) = value else { continue }
                let place = [1: "pieces[\(pieces.count)]", 2: "trainer_spec", 3: "normalizer_spec"][number]
                guard let place else { continue }
                do throws(ProtobufReader.Fault) {
                    switch number {
                    case 1: pieces.append(try Self.piece(bytes, range))
                    case 2: try readTraining(bytes, range)
                    default: try readNormalization(bytes, range)
                    }
                } catch { throw ProtobufReader.Fault(reason: "\(place): \(error.reason)") }
            }
        } catch { throw .malformed(file: file, path: "", reason: error.reason) }
        if pieces.isEmpty { throw .malformed(file: file, path: "pieces", reason: "no tokens") }
        if pieces.count > Vocabulary.idLimit {
            throw .malformed(file: file, path: "pieces", reason: "more than \(Vocabulary.idLimit) tokens")
        }
        guard pieces.indices.contains(unknownID) else {
            throw .malformed(
                file: file, path: "trainer_spec.unk_id",
                reason: "token id \(unknownID) is out of range 0..<\(pieces.count)")
        }
    }

    private static func piece(_ bytes: [UInt8], _ range: Range<Int>) throws(ProtobufReader.Fault) -> Piece {
        var reader = ProtobufReader(bytes, range)
        var piece = Piece()
        while let (number, value) = try reader.next() {
            switch (number, value) {
            case (1, .bytes(let range)):
                piece.text = Array(bytes[range])
                guard String(validating: piece.text, as: UTF8.self) != nil else {
                    throw ProtobufReader.Fault(reason: "is not UTF-8")
                }
            case (2, .fixed32(let bits)): piece.score = Float(bitPattern: bits)
            case (3, .varint(let kind)):
                guard let kind = Piece.Kind(rawValue: kind) else {
                    throw ProtobufReader.Fault(reason: "tokens of the kind \(kind) do not exist")
                }
                piece.kind = kind
            default: break
            }
        }
        return piece
    }

    private mutating func readTraining(_ bytes: [UInt8], _ range: Range<Int>) throws(ProtobufReader.Fault) {
        var reader = ProtobufReader(bytes, range)
        var (hasUnknown, hasStart, hasEnd) = (true, true, true)
        while let (number, value) = try reader.next() {
            switch (number, value) {
            case (3, .varint(let stated)):
                guard let kind = Kind(rawValue: stated) else {
                    throw ProtobufReader.Fault(reason: "models of the kind \(stated) are not supported")
                }
                self.kind = kind
            case (35, .varint(let flag)): fallsBackToBytes = flag != 0
            case (40, .varint(let id)):
                let id = Int32(truncatingIfNeeded: id)
                (hasUnknown, unknownID) = (id >= 0, max(0, Int(id)))
            case (41, .varint(let id)): hasStart = Int32(truncatingIfNeeded: id) >= 0
            case (42, .varint(let id)): hasEnd = Int32(truncatingIfNeeded: id) >= 0
            case (45, .bytes(let range)): unknown = String(decoding: bytes[range], as: UTF8.self)
            case (46, .bytes(let range)): start = String(decoding: bytes[range], as: UTF8.self)
            case (47, .bytes(let range)): end = String(decoding: bytes[range], as: UTF8.self)
            default: break
            }
        }
        if !hasUnknown { unknown = nil }
        if !hasStart { start = nil }
        if !hasEnd { end = nil }
    }

    private mutating func readNormalization(_ bytes: [UInt8], _ range: Range<Int>) throws(ProtobufReader.Fault) {
        var reader = ProtobufReader(bytes, range)
        while let (number, value) = try reader.next() {
            switch (number, value) {
            case (2, .bytes(let range)):
                characterMap = Array(bytes[range])
                guard characterMap.isEmpty || CharacterMap(characterMap) != nil else {
                    throw ProtobufReader.Fault(reason: "precompiled_charsmap: is no table of replacements")
                }
            case (3, .varint(let flag)): addsSpacePrefix = flag != 0
            case (4, .varint(let flag)): removesExtraSpaces = flag != 0
            case (5, .varint(let flag)): marksSpaces = flag != 0
            default: break
            }
        }
    }
}
