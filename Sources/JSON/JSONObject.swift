/// The members of a JSON object in the order in which they were written, found by key in constant time.
///
/// Keys are compared byte for byte: two spellings of one letter that Unicode calls equivalent are two keys, as in
/// every JSON parser and in every vocabulary. A key set twice keeps its first place and its last value.
package struct JSONObject: Sendable {
    /// Keys in order.
    package private(set) var keys: [String] = []
    /// Values in the order of `keys`.
    package private(set) var values: [JSONValue] = []
    /// Position by key, kept only once the object is too big to search in a line.
    private var positions: [JSONKey: Int] = [:]

    private static let linearLimit = 12

    package init() {}

    /// Members in order; of equal keys the last wins.
    package init(_ members: [(String, JSONValue)]) {
        reserveCapacity(members.count)
        for (key, value) in members { self[key] = value }
    }

    package var count: Int { keys.count }
    package var isEmpty: Bool { keys.isEmpty }

    /// Makes room for `count` members.
    package mutating func reserveCapacity(_ count: Int) {
        keys.reserveCapacity(count)
        values.reserveCapacity(count)
        if count > Self.linearLimit { positions.reserveCapacity(count) }
    }

    /// The value of a key; setting nil removes the member (in time linear in the size of the object).
    package subscript(key: String) -> JSONValue? {
        get { position(of: key).map { values[$0] } }
        set {
            switch (position(of: key), newValue) {
            case (let place?, let value?): values[place] = value
            case (nil, let value?): appendUnchecked(key, value)
            case (let place?, nil): remove(at: place)
            case (nil, nil): break
            }
        }
    }

    /// Appends a member whose key is known to be absent.
    mutating func appendUnchecked(_ key: String, _ value: JSONValue) {
        keys.append(key)
        values.append(value)
        if keys.count == Self.linearLimit + 1 {
            for (place, key) in keys.enumerated() { positions[JSONKey(key)] = place }
        } else if keys.count > Self.linearLimit {
            positions[JSONKey(key)] = keys.count - 1
        }
    }

    private mutating func remove(at place: Int) {
        keys.remove(at: place)
        values.remove(at: place)
        positions = [:]
        if keys.count > Self.linearLimit {
            for (place, key) in keys.enumerated() { positions[JSONKey(key)] = place }
        }
    }

    private func position(of key: String) -> Int? {
        if keys.count > Self.linearLimit { return positions[JSONKey(key)] }
        return keys.firstIndex { JSONKey($0) == JSONKey(key) }
    }
}

extension JSONObject: Sequence {
    /// Members in order.
    package func makeIterator() -> Zip2Sequence<[String], [JSONValue]>.Iterator {
        zip(keys, values).makeIterator()
    }
}

extension JSONObject: Equatable {
    /// Same members, in whatever order.
    package static func == (a: JSONObject, b: JSONObject) -> Bool {
        a.count == b.count && zip(a.keys, a.values).allSatisfy { b[$0] == $1 }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral members: (String, JSONValue)...) {
        self.init(members)
    }
}

/// A string that is hashed and compared by its UTF-8 bytes rather than by canonical equivalence.
private struct JSONKey: Hashable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (a: JSONKey, b: JSONKey) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
