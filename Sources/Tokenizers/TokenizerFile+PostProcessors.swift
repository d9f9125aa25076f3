internal import JSON

// Post-processors of tokenizer.json.
extension TokenizerFile {
    func templates(_ cursor: TokenizerCursor) throws(TokenizerError) -> [PostProcessor.Template] {
        let type = try cursor.required("type")
        switch try type.string() {
        case "ByteLevel": return []
        case "Sequence": return try Self.list(cursor, "processors", templates).flatMap { $0 }
        case "TemplateProcessing": return [try template(cursor)]
        case "BertProcessing":
            let (start, end) = (try pairID(cursor, "cls"), try pairID(cursor, "sep"))
            let single: [PostProcessor.Piece] = [
                .special([start], type: 0), .first(type: 0), .special([end], type: 0),
            ]
            return [.init(single: single, pair: single + [.second(type: 1), .special([end], type: 1)])]
        case "RobertaProcessing":
            let (start, end) = (try pairID(cursor, "cls"), try pairID(cursor, "sep"))
            let single: [PostProcessor.Piece] = [
                .special([start], type: 0), .first(type: 0), .special([end], type: 0),
            ]
            // One type for all, and two ends between the texts.
            return [
                .init(
                    single: single,
                    pair: single + [.special([end], type: 0), .second(type: 0), .special([end], type: 0)])
            ]
        case let name: throw type.unsupported("post-processor \"\(name)\"")
        }
    }

    /// The id of a `["[CLS]", 101]`.
    private func pairID(_ cursor: TokenizerCursor, _ key: String) throws(TokenizerError) -> Int32 {
        let pair = try cursor.required(key)
        let elements = try pair.elements()
        guard elements.count == 2 else { throw pair.failure("expected a token and its id") }
        return try elements[1].tokenID()
    }

    private func template(_ cursor: TokenizerCursor) throws(TokenizerError) -> PostProcessor.Template {
        let single = try pieces(cursor, try cursor.required("single"), allowsSecond: false)
        let pair = try cursor.member("pair").map { stated throws(TokenizerError) in
            try pieces(cursor, stated, allowsSecond: true)
        }
        return PostProcessor.Template(single: single, pair: pair ?? PostProcessor.Template.plain.pair)
    }

    private func pieces(
        _ cursor: TokenizerCursor, _ list: TokenizerCursor, allowsSecond: Bool
    ) throws(TokenizerError) -> [PostProcessor.Piece] {
        var pieces: [PostProcessor.Piece] = []
        for piece in try list.elements() {
            if let sequence = try piece.member("Sequence") {
                let name = try sequence.required("id")
                let type = try type(sequence)
                switch try name.string() {
                case "A": pieces.append(.first(type: type))
                case "B" where allowsSecond: pieces.append(.second(type: type))
                default:
                    throw name.failure(
                        allowsSecond ? "expected A or B" : "only sequence A can stand in a single template")
                }
            } else {
                let special = try piece.required("SpecialToken")
                let token = try special.required("id")
                let entry = try cursor.required("special_tokens").required(try token.string())
                var ids: [Int32] = []
                for id in try entry.required("ids").elements() { ids.append(try id.tokenID()) }
                pieces.append(.special(ids, type: try type(special)))
            }
        }
        return pieces
    }

    private func type(_ piece: TokenizerCursor) throws(TokenizerError) -> Int32 {
        Int32(try piece.member("type_id")?.count() ?? 0)
    }
}
