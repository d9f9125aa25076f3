import JSON

/// Parses bytes that must be one JSON object; its members in order.
func parseJSONObject(
    _ bytes: UnsafeRawBufferPointer, file: String, place: String
) throws(CheckpointError) -> [(key: String, value: JSONValue)] {
    let value: JSONValue
    do throws(JSONError) {
        value = try JSON.parse(bytes, dialect: .python)
    } catch {
        throw .malformed(file: file, place: place, reason: printable(error.description))
    }
    guard let members = objectMembers(value) else {
        throw .malformed(file: file, place: place, reason: "is a JSON \(value.kindName), not an object")
    }
    return members
}

/// Reads a JSON file of a model folder; nil when it does not exist.
func readConfig(ifPresent file: String) throws(CheckpointError) -> ConfigFields? {
    guard fileExists(file) else { return nil }
    return ConfigFields(file: file, members: try readJSONFile(file))
}

/// The members of the object in a JSON file.
func readJSONFile(_ file: String) throws(CheckpointError) -> [(key: String, value: JSONValue)] {
    try parse(MappedFile(path: file))
}

/// The value in a JSON file, of any kind.
func readJSONValue(_ file: String) throws(CheckpointError) -> JSONValue {
    try parseValue(MappedFile(path: file))
}

private func parseValue(_ mapped: borrowing MappedFile) throws(CheckpointError) -> JSONValue {
    do throws(JSONError) {
        return try JSON.parse(mapped.bytes, dialect: .python)
    } catch {
        throw .malformed(file: mapped.path, place: "JSON", reason: printable(error.description))
    }
}

// A parameter is borrowed for the whole call, so the mapping outlives the parsing.
private func parse(_ mapped: borrowing MappedFile) throws(CheckpointError) -> [(key: String, value: JSONValue)] {
    guard mapped.count <= SafetensorsFile.headerLimit else {
        throw .malformed(
            file: mapped.path, place: "file", reason: "\(mapped.count) bytes are too many for a configuration")
    }
    return try parseJSONObject(mapped.bytes, file: mapped.path, place: "JSON")
}

/// The members of an object; nil for other values.
func objectMembers(_ value: JSONValue) -> [(key: String, value: JSONValue)]? {
    value.objectValue?.map { (key: $0.0, value: $0.1) }
}
