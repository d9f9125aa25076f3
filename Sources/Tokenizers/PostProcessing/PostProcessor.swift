/// What is put around the ids of a text: the `post_processor` of tokenizer.json, for single sequences.
struct PostProcessor: Sendable {
    /// A part of the result.
    enum Piece: Sendable {
        /// The ids of the text.
        case text
        /// Special tokens, left out on request.
        case special([Int32])
    }

    /// Templates to apply one after the other.
    var templates: [[Piece]] = []

    func apply(to ids: [Int32], addSpecialTokens: Bool) -> [Int32] {
        var ids = ids
        for template in templates {
            var result: [Int32] = []
            result.reserveCapacity(ids.count + 4)
            for piece in template {
                switch piece {
                case .text: result.append(contentsOf: ids)
                case .special(let special): if addSpecialTokens { result.append(contentsOf: special) }
                }
            }
            ids = result
        }
        return ids
    }
}
