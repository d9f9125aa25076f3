import Glibc
import JSON
import Testing
import Tokenizers

/// The committed inputs and what the reference makes of them (see make_tokenizer_goldens.py for the format).
enum Golden {
    /// The folder of the fixtures, beside this file.
    static let folder = String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/")!)) + "/Fixtures"

    /// All inputs by index.
    static let inputs: [String] = lines(of: "strings.jsonl").map { line in
        if let text = line.stringValue { return text }
        return String(repeating: line["unit"]!.stringValue!, count: line["count"]!.intValue!)
    }

    /// Names of all tokenizers, in order.
    static let names: [String] = {
        var names: [String] = []
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".tokenizer.json") { names.append(String(name.dropLast(".tokenizer.json".count))) }
        }
        return names.sorted()
    }()

    /// One line of a golden file.
    struct Case {
        var index: Int
        var ids: JSONValue
        var text: JSONValue?
        var bareText: JSONValue?

        var input: String { Golden.inputs[index] }
    }

    static func cases(of name: String) -> [Case] {
        lines(of: "\(name).jsonl").map { Case(index: $0[0]!.intValue!, ids: $0[1]!, text: $0[2], bareText: $0[3]) }
    }

    static func bytes(of file: String) -> [UInt8] {
        guard let stream = fopen(file, "r") else { return [] }
        defer { fclose(stream) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&block, 1, block.count, stream)
            if count == 0 { return bytes }
            bytes.append(contentsOf: block[..<count])
        }
    }

    static func lines(of file: String) -> [JSONValue] {
        bytes(of: "\(folder)/\(file)").split(separator: 0x0A).map { try! JSON.parse(Array($0)) }
    }

    static func tokenizer(_ name: String) throws -> Tokenizer {
        try Tokenizer(file: "\(folder)/\(name).tokenizer.json")
    }

    /// Whether ids are the expected ones, given in full or as length and hash.
    static func ids(_ ids: [Int32], equal expected: JSONValue) -> Bool {
        if case .array(let list) = expected { return ids.map { JSONValue.int(Int64($0)) } == list }
        let bytes = ids.flatMap { id in (0..<4).map { UInt8(truncatingIfNeeded: id >> (8 * $0)) } }
        return expected["count"]!.intValue == ids.count && expected["hash"]!.stringValue == hash(bytes)
    }

    /// Whether a text is the expected one: in full, as length and hash, or as the number of a text it equals.
    static func text(_ text: String, equals expected: JSONValue?, among known: [String]) -> Bool {
        switch expected {
        case .string(let full): Array(full.utf8) == Array(text.utf8)
        case .int(let mark): Array(known[Int(mark) - 1].utf8) == Array(text.utf8)
        case .object(let digest):
            digest["count"]?.intValue == text.utf8.count && digest["hash"]?.stringValue == hash(Array(text.utf8))
        default: false
        }
    }

    /// FNV-1a, in 16 hexadecimal digits.
    private static func hash(_ bytes: [UInt8]) -> String {
        let hash = bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
