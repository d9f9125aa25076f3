import JSON

extension GGUFFile {
    /// The integer at `key`; nil when absent.
    func integer(_ key: String) throws(CheckpointError) -> Int? {
        switch metadata[key] {
        case nil: return nil
        case .unsigned(let value) where value <= UInt64(Int.max): return Int(value)
        case .signed(let value): return Int(value)
        default: throw wrongType(key, "an integer")
        }
    }

    /// The integer at `key`, or the one that an array of `layers` equal ones holds: some converters write every model's sizes
    /// layer by layer; nil when absent.
    func layerInteger(_ key: String, layers: Int?, mayDiffer: Bool = false) throws(CheckpointError) -> Int? {
        guard case .array = metadata[key], let layers else { return try integer(key) }
        let values = try numbers(key) ?? []
        guard values.count == layers, let first = values.first, let value = Int(exactly: first) else {
            throw wrongType(key, "an integer, or one for each of \(layers) layers")
        }
        guard mayDiffer || values.allSatisfy({ $0 == first }) else {
            throw .unsupported(
                file: path, place: "key `\(printable(key))`", reason: "layers that differ in it are not supported")
        }
        return value
    }

    /// The number at `key`, integer or floating; nil when absent.
    func number(_ key: String) throws(CheckpointError) -> Double? {
        switch metadata[key] {
        case nil: return nil
        case .unsigned(let value): return Double(value)
        case .signed(let value): return Double(value)
        case .floating(let value): return value
        default: throw wrongType(key, "a number")
        }
    }

    /// The text at `key`; nil when absent.
    func string(_ key: String) throws(CheckpointError) -> String? {
        switch metadata[key] {
        case nil: return nil
        case .string(let start):
            var reader = ByteReader(file: path, bytes: mapped.bytes, offset: start)
            return try reader.string("the value of `\(printable(key))`")
        default: throw wrongType(key, "a string")
        }
    }

    /// The truth value at `key`; nil when absent.
    func boolean(_ key: String) throws(CheckpointError) -> Bool? {
        switch metadata[key] {
        case nil: return nil
        case .boolean(let value): return value
        default: throw wrongType(key, "a boolean")
        }
    }

    /// The number of elements of the array at `key`; nil when absent.
    func arrayCount(_ key: String) throws(CheckpointError) -> Int? {
        try array(key)?.count
    }

    /// The texts of the array at `key`; nil when absent.
    func strings(_ key: String) throws(CheckpointError) -> [String]? {
        guard let array = try array(key) else { return nil }
        guard array.type == .string else { throw wrongType(key, "an array of strings") }
        var reader = ByteReader(file: path, bytes: mapped.bytes, offset: array.offset)
        var result: [String] = []
        result.reserveCapacity(array.count)
        for index in 0..<array.count { result.append(try reader.string("element \(index) of `\(key)`")) }
        return result
    }

    /// The numbers of the array at `key`, integers or floats; nil when absent.
    func numbers(_ key: String) throws(CheckpointError) -> [Double]? {
        guard let array = try array(key) else { return nil }
        var reader = ByteReader(file: path, bytes: mapped.bytes, offset: array.offset)
        var result: [Double] = []
        result.reserveCapacity(array.count)
        for _ in 0..<array.count {
            switch try reader.value(array.type) {
            case .unsigned(let value): result.append(Double(value))
            case .signed(let value): result.append(Double(value))
            case .floating(let value): result.append(value)
            case .boolean, .string, .array: throw wrongType(key, "an array of numbers")
            }
        }
        return result
    }

    /// The value at `key` as `config.json` would have it: a number, a truth value, a text, or a short list of numbers or truth
    /// values; nil when absent.
    func json(_ key: String) throws(CheckpointError) -> JSONValue? {
        guard let value = metadata[key] else { return nil }
        if case .string = value { return try string(key).map { .string($0) } }
        guard case .array(let array) = value else { return Self.json(value) }
        guard array.count <= 10_000 else { throw wrongType(key, "a short list") }
        var reader = ByteReader(file: path, bytes: mapped.bytes, offset: array.offset)
        var elements: [JSONValue] = []
        for _ in 0..<array.count {
            guard let element = Self.json(try reader.value(array.type)) else {
                throw wrongType(key, "a list of numbers or truth values")
            }
            elements.append(element)
        }
        return .array(elements)
    }

    private static func json(_ value: GGUFValue) -> JSONValue? {
        switch value {
        case .unsigned(let number): Int64(exactly: number).map { .int($0) }
        case .signed(let number): .int(number)
        case .floating(let number): .double(number)
        case .boolean(let truth): .bool(truth)
        case .string, .array: nil
        }
    }

    /// The array at `key`, still in the file; nil when absent.
    private func array(_ key: String) throws(CheckpointError) -> GGUFArray? {
        switch metadata[key] {
        case nil: return nil
        case .array(let value) where value.count <= 1 << 26: return value
        case .array: throw wrongType(key, "an array of a size that a vocabulary has")
        default: throw wrongType(key, "an array")
        }
    }

    /// The error of a value of another type than the key demands.
    private func wrongType(_ key: String, _ expected: String) -> CheckpointError {
        .malformed(file: path, place: "key `\(printable(key))`", reason: "is not \(expected)")
    }
}
