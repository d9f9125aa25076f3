internal import APICore
internal import JSON
internal import Ledger

/// The body of POST /v1/rerank.
struct RerankRequest: Sendable {
    let query: String
    let documents: [String]
    /// How many of the best are told; nil: all.
    let count: Int?
    let returnsDocuments: Bool
    /// What a generating model is told to judge by.
    let instruction: String?
    let wishes: VectorPlan.Wishes

    /// Reads a body; the messages are the reference's.
    init(_ fields: RequestFields) throws(RequestFailure) {
        query = try fields.required("query") { name throws(RequestFailure) in
            if case .array? = fields[name] {
                throw .invalid("query with parts is not supported: this model reads text only.")
            }
            return try fields.string(name)
        }
        guard let given = fields["documents"] else { throw .malformed("body.documents: Field required") }
        guard let elements = given.arrayValue else {
            throw .malformed("body.documents: Input should be a valid list, got \(given.kindName)")
        }
        count = try fields.int("top_n")
        returnsDocuments = try fields.bool("return_documents", or: true)
        instruction = try fields.string("instruct")
        _ = try fields.string("model")
        wishes = try VectorFields.wishes(fields, count: elements.count)
        if let count, count <= 0 {
            throw .malformed("body.top_n: Value error, parameter top_n should be larger than 0.")
        }
        guard !query.isEmpty else { throw .invalid("Query cannot be empty") }
        guard !query.isBlank else { throw .invalid("Query cannot be empty or whitespace only") }
        guard !elements.isEmpty else { throw .invalid("Documents cannot be empty") }
        documents = try elements.map { element throws(RequestFailure) in
            guard let text = element.stringValue, !text.isEmpty else {
                throw .invalid("Each document must be a non-empty string")
            }
            guard !text.isBlank else { throw .invalid("Each document cannot be empty or whitespace only") }
            return text
        }
    }
}
