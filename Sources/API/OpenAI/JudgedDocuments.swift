internal import APICore
internal import Glibc
internal import JSON
internal import Ledger
internal import Messages
internal import Values

/// Documents that a generating model judges by "yes" or "no", as its chat template tells it to (Qwen3-Reranker).
struct JudgedDocuments: Sendable {
    let request: RerankRequest
    /// The tokens of the two answers.
    let yes: Int32
    let no: Int32

    /// Ids in Qwen3's vocabulary, for a tokenizer that has no single token for a word.
    private static let usual: (yes: Int32, no: Int32) = (9693, 2152)

    /// Asks the tokenizer manager for the tokens.
    ///
    /// - Throws: `.notReady` when it does not answer.
    init(_ request: RerankRequest, _ questions: PipeQuestions) async throws(RequestFailure) {
        self.request = request
        guard let reply = await questions.encode(["yes", "no"], addSpecialTokens: false), reply.lists.count == 2 else {
            throw .notReady
        }
        let ids = reply.lists.map(\.ids)
        (yes, no) = ids.allSatisfy { $0.count == 1 } ? (ids[0][0], ids[1][0]) : Self.usual
    }

    /// A row for each document: the template gets query and document as two messages of the user.
    func openings(_ rules: VectorRules, now: Double) throws(RequestFailure) -> [RequestLedger.Opening] {
        guard request.documents.count <= AdmissionGate.ownLimit else {
            throw .neverFits(rows: request.documents.count, limit: AdmissionGate.ownLimit)
        }
        var variables = JSONObject()
        if let instruction = request.instruction { variables["instruct"] = .string(instruction) }
        return request.documents.enumerated().map { index, document in
            var prompt = Generate.scoring([yes, no])
            let messages = [request.query, document].map { text in
                JSONValue.object(["role": "user", "content": .string(text)])
            }
            prompt.conversation = .make {
                $0.messages = JSON.encodeToString(.array(messages))
                $0.variables = JSON.encodeToString(.object(variables))
                $0.ending = .opened
                $0.time = now
            }
            prompt.allowTruncate = rules.allowsTruncation
            if let priority = request.wishes.priority { prompt.options.priority = Int64(priority) }
            let rid = request.wishes.rids?[index] ?? RequestNames.fresh()
            return RequestLedger.Opening(.generate(prompt), rid: ClientName(rid))
        }
    }

    /// The share of "yes" in both answers.
    static func score(of row: LedgerRow) throws(RequestFailure) -> Float {
        let logprobs = try row.labelLogprobs(2)
        guard logprobs.count == 2 else { return .nan }
        return Float(1 / (1 + exp(logprobs[1] - logprobs[0])))
    }
}
