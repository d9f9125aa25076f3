internal import APICore
internal import JSON
internal import Ledger
internal import NIOCore

/// /generate in Vertex AI's manner: prompts are instances of a list, what holds for all of them stands beside it, and answers
/// are predictions.
enum Predictions {
    /// The body of /generate that asks for the same.
    static func fields(_ given: RequestFields) throws(RequestFailure) -> RequestFields {
        let instances = try given.required("instances") { name throws(RequestFailure) in
            try given.oneOrMany(name, "a valid dictionary", \.objectValue)
        }
        guard case .many(let objects) = instances else {
            throw .malformed("body.instances: Input should be a valid list")
        }
        var request = try given.fields("parameters")?.object ?? [:]
        // The first instance says in which form all of them come.
        let name = ["text", "input_ids", "input_embeds"].first { objects.first?[$0]?.isNull == false }
        if let name {
            request[name] = .array(objects.map { $0[name] ?? .null })
        } else if objects.isEmpty {
            request["text"] = []
        }
        return RequestFields(request)
    }

    /// Writes the answers of /generate as predictions; streams are those of /generate.
    struct Writer: AnswerWriter {
        private var inner: GenerateWriter

        init(_ inner: GenerateWriter) { self.inner = inner }

        var isOver: Bool { inner.isOver }

        mutating func whole(_ rows: [LedgerRow], now: Double) -> [UInt8] {
            Array("{\"predictions\":".utf8) + inner.whole(rows, now: now) + [UInt8(ascii: "}")]
        }

        mutating func frames(_ rows: [LedgerRow], now: Double) -> ByteBuffer { inner.frames(rows, now: now) }

        func refusal(_ failure: RequestFailure, now: Double) -> ByteBuffer? { inner.refusal(failure, now: now) }
    }
}
