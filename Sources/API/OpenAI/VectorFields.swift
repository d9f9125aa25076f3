internal import APICore
internal import JSON
internal import Ledger

/// The fields that all requests for vectors and scores share in OpenAI's interface.
enum VectorFields {
    /// Reads them for `count` texts; one `rid` names the only text, or is the stem of the names of several.
    static func wishes(_ fields: RequestFields, count: Int) throws(RequestFailure) -> VectorPlan.Wishes {
        var wishes = VectorPlan.Wishes()
        wishes.priority = try fields.int("priority")
        wishes.rids = try rids(fields, count: count)
        _ = try fields.string("user")
        let adapters = try fields.oneOrMany("lora_path", "a valid string") { $0.isNull ? "" : $0.stringValue }
        if let adapter = adapters?.all.first(where: { !$0.isEmpty }) {
            throw .noAdapter(adapter)
        }
        return wishes
    }

    private static func rids(_ fields: RequestFields, count: Int) throws(RequestFailure) -> [String]? {
        switch try fields.oneOrMany("rid", "a valid string", \.stringValue) {
        case nil: nil
        case .one(let rid)?: count == 1 ? [rid] : (0..<count).map { "\(rid)_\($0)" }
        case .many(let rids)?: rids
        }
    }
}
