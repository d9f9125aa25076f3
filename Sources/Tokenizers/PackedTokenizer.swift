internal import JSON

/// The large tables of a tokenizer, which take nearly all the time of reading one. Each model has the vocabulary and its own.
struct TokenizerTables: Sendable {
    var vocabulary: Vocabulary
    /// Byte-pair encoding.
    var merges = MergeTable(capacity: 0)
    /// Unigram and WordPiece: the tokens by their spelling.
    var pieces = PrefixTrie([])
    /// Unigram: scores by id.
    var scores: [Double] = []
}

extension TokenizerTables {
    /// Those of Unigram: tokens, whose places are their ids, and their scores.
    init(scored tokens: [([UInt8], Double)]) {
        var vocabulary = Vocabulary(capacity: tokens.count)
        for (id, token) in tokens.enumerated() { vocabulary.insert(token.0, id: Int32(id)) }
        self.init(vocabulary: vocabulary, pieces: PrefixTrie(tokens.map(\.0)), scores: tokens.map(\.1))
    }

    /// Those of WordPiece.
    init(wordPieces vocabulary: Vocabulary) {
        let tokens = (0..<Int32(vocabulary.idCount)).map { Array(vocabulary.token(of: $0) ?? []) }
        self.init(vocabulary: vocabulary, pieces: PrefixTrie(tokens))
    }
}

/// What the small parts of a tokenizer are made of.
enum TokenizerOutline: Sendable {
    /// tokenizer.json without the lists of its model; `name` is the file's, for errors.
    case file(JSONValue, name: String)
    case gguf(GGUFOutline)
}

/// A tokenizer as bytes, for other processes of the same program on the same machine.
///
/// Sections, each a count of bytes (64 bits) and the bytes, filled up to a multiple of eight: the outline as JSON, then the
/// arrays of the vocabulary, the merges, the pieces and their scores as they are in memory.
enum PackedTokenizer {
    static func bytes(_ outline: TokenizerOutline, _ tables: TokenizerTables) -> [UInt8] {
        let json: JSONValue =
            switch outline {
            case .file(let value, let name): ["name": .string(name), "tokenizer": value]
            case .gguf(let gguf): ["gguf": gguf.json]
            }
        var writer = SectionWriter()
        writer.append(JSON.encode(json))
        tables.vocabulary.pack(into: &writer)
        tables.merges.pack(into: &writer)
        tables.pieces.pack(into: &writer)
        writer.append(tables.scores)
        return writer.bytes
    }

    /// - Throws: `.malformed` for bytes that are not from `bytes`.
    static func read(_ bytes: [UInt8]) throws(TokenizerError) -> (TokenizerOutline, TokenizerTables) {
        let malformed = TokenizerError.malformed(file: "packed tokenizer", path: "", reason: "damaged")
        var reader = SectionReader(bytes)
        guard let text: [UInt8] = reader.next(), let json = try? JSON.parse(text),
            let vocabulary = Vocabulary(unpacking: &reader), let merges = MergeTable(unpacking: &reader),
            let pieces = PrefixTrie(unpacking: &reader), let scores: [Double] = reader.next(),
            pieces.count <= max(scores.count, vocabulary.idCount)
        else { throw malformed }
        let tables = TokenizerTables(vocabulary: vocabulary, merges: merges, pieces: pieces, scores: scores)
        if let value = json["tokenizer"], let name = json["name"]?.stringValue {
            return (.file(value, name: name), tables)
        }
        guard let gguf = json["gguf"].flatMap(GGUFOutline.init) else { throw malformed }
        return (.gguf(gguf), tables)
    }
}

/// Writes arrays of numbers one after the other.
struct SectionWriter {
    private(set) var bytes: [UInt8] = []

    mutating func append<Element: BitwiseCopyable>(_ list: [Element]) {
        list.withUnsafeBytes { raw in
            withUnsafeBytes(of: UInt64(raw.count)) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: raw)
        }
        while bytes.count % 8 != 0 { bytes.append(0) }
    }
}

/// Reads them back.
struct SectionReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next section; nil where none of such elements is.
    mutating func next<Element: BitwiseCopyable>() -> [Element]? {
        guard at + 8 <= bytes.count else { return nil }
        let size = Int(
            truncatingIfNeeded: bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: at, as: UInt64.self) })
        let stride = MemoryLayout<Element>.stride
        guard size >= 0, size <= bytes.count - at - 8, size % stride == 0 else { return nil }
        let start = at + 8
        at = (start + size + 7) / 8 * 8
        return [Element](unsafeUninitializedCapacity: size / stride) { buffer, count in
            bytes.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: .init(rebasing: $0[start..<start + size]))
            }
            count = size / stride
        }
    }
}
