import Grammar
import JSON
import TestSupport
import Testing
import Values

@Suite struct RandomSchemaTests {
    /// Seeds of 40 schemas each.
    @Test(arguments: 0..<25)
    func takesExactlyTheValuesThatTheSchemaAllows(_ seed: Int) throws {
        var schemas = RandomSchemas(seed: UInt64(seed))
        var refused = 0
        for _ in 0..<40 {
            let schema = schemas.schema()
            let text = JSON.encodeToString(schema)
            let validator = PlainValidator(root: schema)
            let values = (0..<12).map { _ in schemas.value(near: schema, schema) }
            let grammar: Grammar
            do { grammar = try Grammar(.jsonSchema(text)) } catch {
                guard "\(error)".contains("no text satisfies it") else {
                    refused += 1
                    continue
                }
                for value in values { #expect(!validator.allows(value), "\(text) is empty, but \(value)") }
                continue
            }
            for value in values {
                let isTaken = Self.spellings(value).contains { grammar.takes($0) }
                #expect(isTaken == validator.allows(value), "\(text) takes \(JSON.encodeToString(value)): \(isTaken)")
            }
        }
        #expect(refused < 10)
    }

    /// Ways to write a value: the members of objects in all orders, as a grammar wants the one of its schema.
    static func spellings(_ value: JSONValue) -> [String] {
        switch value {
        case .array(let elements):
            return products(elements.map(spellings)).map { "[\($0.joined(separator: ","))]" }
        case .object(let members):
            let parts = members.map { key, value in
                spellings(value).map { "\(JSON.encodeToString(.string(key))):\($0)" }
            }
            return products(parts).flatMap { orders($0) }.prefix(400).map { "{\($0.joined(separator: ","))}" }
        default: return [JSON.encodeToString(value)]
        }
    }

    private static func products(_ lists: [[String]]) -> [[String]] {
        lists.reduce([[]]) { done, list in Array(done.flatMap { head in list.map { head + [$0] } }.prefix(400)) }
    }

    private static func orders(_ parts: [String]) -> [[String]] {
        guard parts.count > 1 else { return [parts] }
        return parts.indices.flatMap { place in
            var rest = parts
            let first = rest.remove(at: place)
            return orders(rest).map { [first] + $0 }
        }
    }
}
