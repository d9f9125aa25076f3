internal import APICore
internal import JSON
internal import Ledger

/// What `input` of /v1/embeddings and /v1/classify holds: a text, ids, or a list of either.
enum EmbeddingInput {
    /// Reads the texts; the messages are the reference's.
    static func read(_ fields: RequestFields) throws(RequestFailure) -> [VectorInput] {
        switch try fields.required("input", { fields[$0] }) {
        case .string(let text):
            guard !text.isEmpty else { throw .invalid("Input cannot be empty") }
            guard !text.isBlank else { throw .invalid("Input cannot be empty or whitespace only") }
            return [.text(text)]
        case .array(let elements):
            guard let first = elements.first else { throw .invalid("Input cannot be empty") }
            switch first {
            case .string: return try texts(elements)
            case .int, .unsigned: return [.ids(try ids(elements))]
            case .array:
                return try elements.map { element throws(RequestFailure) in
                    guard let list = element.arrayValue else { throw .invalid(needsIntegers) }
                    return .ids(try ids(list))
                }
            case .object: return try objects(elements)
            default: throw .malformed("body.input: Input should be a valid string or a valid list")
            }
        default: throw .malformed("body.input: Input should be a valid string or a valid list")
        }
    }

    private static let needsIntegers = "All items in input list must be integers"

    private static func texts(_ elements: [JSONValue]) throws(RequestFailure) -> [VectorInput] {
        var inputs: [VectorInput] = []
        for (index, element) in elements.enumerated() {
            guard let text = element.stringValue else { throw .invalid("All items in input list must be strings") }
            guard !text.isBlank else { throw .invalid("Input at index \(index) cannot be empty or whitespace only") }
            inputs.append(.text(text))
        }
        return inputs
    }

    private static func ids(_ elements: [JSONValue]) throws(RequestFailure) -> [Int] {
        var ids: [Int] = []
        ids.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            guard let id = element.intValue else { throw .invalid(needsIntegers) }
            guard id >= 0 else { throw .invalid("Token ID at index \(index) must be non-negative") }
            ids.append(id)
        }
        return ids
    }

    /// Inputs of several kinds, of which this server reads text.
    private static func objects(_ elements: [JSONValue]) throws(RequestFailure) -> [VectorInput] {
        try elements.map { element throws(RequestFailure) in
            guard let object = element.objectValue else {
                throw .malformed("body.input: Input should be a valid dictionary")
            }
            for name in ["image", "video", "audio"] where object[name]?.isNull == false {
                throw .invalid("\(name) is not supported: this model reads text only.")
            }
            guard let text = object["text"]?.stringValue else {
                throw .malformed("body.input.text: Input should be a valid string")
            }
            return .text(text)
        }
    }
}

extension String {
    /// Nothing but white space, or nothing at all.
    var isBlank: Bool { allSatisfy(\.isWhitespace) }
}
