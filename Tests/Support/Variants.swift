internal import Foundation
internal import Testing

/// A tiny model with other files for texts than its folder has, and what sentence-transformers and transformers make of texts then.
package struct Variant: Decodable, Sendable, CustomTestStringConvertible {
    /// A text or two.
    package struct Text: Decodable, Sendable {
        package let text: String
        package let pair: String?
        package let ids: [Int32]
        package let types: [Int32]?
        /// How many of the ids are the prompt that stands before the text.
        package let leading: Int?
        package let answer: [Float]
    }

    private struct File: Decodable { let variants: [Variant] }

    /// A value of a file, written as it was read.
    private enum Value: Codable, Sendable {
        case flag(Bool)
        case number(Int)
        case text(String)
        case object([String: Value])

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let flag = try? value.decode(Bool.self) {
                self = .flag(flag)
            } else if let number = try? value.decode(Int.self) {
                self = .number(number)
            } else if let text = try? value.decode(String.self) {
                self = .text(text)
            } else {
                self = .object(try value.decode([String: Value].self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var value = encoder.singleValueContainer()
            switch self {
            case .flag(let flag): try value.encode(flag)
            case .number(let number): try value.encode(number)
            case .text(let text): try value.encode(text)
            case .object(let members): try value.encode(members)
            }
        }
    }

    package let name: String
    /// The folder of Tests/Fixtures that it is made of.
    package let base: String
    package let texts: [Text]
    private let files: [String: Value]

    package var testDescription: String { name }

    /// Every one that is recorded.
    package static let all: [Variant] = {
        let url = URL(fileURLWithPath: Fixtures.path("variants.golden.json"))
        return try! JSONDecoder().decode(File.self, from: Data(contentsOf: url)).variants
    }()

    /// One by its name.
    package static func named(_ name: String) -> Variant { all.first { $0.name == name }! }

    /// Makes its folder inside another one; the new one's path.
    package func make(in folder: TemporaryFolder) throws -> String {
        let path = folder.path + "/" + name
        try FileManager.default.copyItem(atPath: Fixtures.path(base), toPath: path)
        for (file, value) in files {
            try JSONEncoder().encode(value).write(to: URL(fileURLWithPath: path + "/" + file))
        }
        return path
    }
}
