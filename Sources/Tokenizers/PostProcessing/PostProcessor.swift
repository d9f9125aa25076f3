/// What is put around the ids of one text or two: the `post_processor` of tokenizer.json.
struct PostProcessor: Sendable {
    /// A part of the result, and the token type of its ids.
    enum Piece: Sendable {
        /// The ids of the first text.
        case first(type: Int32)
        /// The ids of the second text.
        case second(type: Int32)
        /// Special tokens, left out on request.
        case special([Int32], type: Int32)
    }

    /// How one text, or two, are put together.
    struct Template: Sendable {
        var single: [Piece]
        var pair: [Piece]

        /// Nothing is put around.
        static let plain = Template(single: [.first(type: 0)], pair: [.first(type: 0), .second(type: 1)])
    }

    /// Templates to apply one after the other; what the first makes of two texts is one to the next.
    var templates: [Template] = []

    /// The ids, and the type of each.
    func apply(to first: [Int32], _ second: [Int32]?, addSpecialTokens: Bool) -> (ids: [Int32], types: [Int32]) {
        var (ids, second) = (first, second)
        var types: [Int32] = []
        for template in templates.isEmpty ? [.plain] : templates {
            var result: [Int32] = []
            result.reserveCapacity(ids.count + (second?.count ?? 0) + 4)
            types.removeAll(keepingCapacity: true)
            for piece in second == nil ? template.single : template.pair {
                switch piece {
                case .first(let type): Self.append(ids, type, &result, &types)
                case .second(let type): Self.append(second ?? [], type, &result, &types)
                case .special(let special, let type):
                    if addSpecialTokens { Self.append(special, type, &result, &types) }
                }
            }
            (ids, second) = (result, nil)
        }
        return (ids, types)
    }

    private static func append(_ new: [Int32], _ type: Int32, _ ids: inout [Int32], _ types: inout [Int32]) {
        ids.append(contentsOf: new)
        types.append(contentsOf: repeatElement(type, count: new.count))
    }

    /// How many special tokens are put around one text, or two.
    func addedCount(isPair: Bool) -> Int {
        templates.enumerated().reduce(0) { sum, entry in
            let pieces = isPair && entry.offset == 0 ? entry.element.pair : entry.element.single
            return pieces.reduce(sum) { count, piece in
                if case .special(let ids, _) = piece { count + ids.count } else { count }
            }
        }
    }
}
