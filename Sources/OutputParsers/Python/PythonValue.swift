/// A value as Python holds it between reading and writing: integers of any length, members of dictionaries in order.
enum PythonValue: Sendable, Equatable {
    case none
    case bool(Bool)
    /// Decimal digits, with a minus where there is one.
    case integer(String)
    case float(Double)
    case string(String)
    case list([PythonValue])
    case dict(PythonDict)

    /// What `json.dumps(value, ensure_ascii=False)` writes.
    var json: String {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func write(to bytes: inout [UInt8]) {
        switch self {
        case .none: bytes += Array("null".utf8)
        case .bool(let flag): bytes += Array((flag ? "true" : "false").utf8)
        case .integer(let digits): bytes += Array(digits.utf8)
        case .float(let number): bytes += Array(PythonJSON.text(of: number).utf8)
        case .string(let text): PythonJSON.quote(text, to: &bytes)
        case .list(let elements):
            bytes.append(UInt8(ascii: "["))
            for (place, element) in elements.enumerated() {
                if place > 0 { bytes += Array(", ".utf8) }
                element.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .dict(let dict):
            bytes.append(UInt8(ascii: "{"))
            for (place, member) in dict.members.enumerated() {
                if place > 0 { bytes += Array(", ".utf8) }
                PythonJSON.quote(member.key, to: &bytes)
                bytes += Array(": ".utf8)
                member.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// What Python's `bool` says.
    var isTrue: Bool {
        switch self {
        case .none: false
        case .bool(let flag): flag
        case .integer(let digits): digits != "0"
        case .float(let number): number != 0
        case .string(let text): !text.utf8.isEmpty
        case .list(let elements): !elements.isEmpty
        case .dict(let dict): !dict.members.isEmpty
        }
    }
}

/// Members in order, each key once: a key set again keeps its place and takes the new value.
struct PythonDict: Sendable, Equatable {
    /// One key and its value.
    struct Member: Sendable, Equatable {
        let key: String
        var value: PythonValue
    }

    private(set) var members: [Member] = []
    private var places: [Array<UInt8>: Int] = [:]

    subscript(key: String) -> PythonValue? {
        get { places[Array(key.utf8)].map { members[$0].value } }
        set {
            guard let newValue else { return }
            if let place = places[Array(key.utf8)] {
                members[place].value = newValue
            } else {
                places[Array(key.utf8)] = members.count
                members.append(Member(key: key, value: newValue))
            }
        }
    }
}
