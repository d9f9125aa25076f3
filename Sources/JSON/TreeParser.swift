internal import CJSONC

/// Lets json-c build its tree and copies it into a `JSONValue`.
enum TreeParser {
    /// Parses bytes that have passed `LexicalScanner`.
    static func parse(_ bytes: UnsafeRawBufferPointer, maximumDepth: Int) throws(JSONError) -> JSONValue {
        guard let tokener = json_tokener_new_ex(Int32(maximumDepth + 1)) else {
            throw .syntax(offset: 0, reason: "out of memory")
        }
        defer { json_tokener_free(tokener) }
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT)
        let text = bytes.baseAddress!.assumingMemoryBound(to: CChar.self)
        var root = json_tokener_parse_ex(tokener, text, Int32(bytes.count))
        var status = json_tokener_get_error(tokener)
        var offset = json_tokener_get_parse_end(tokener)
        if status == json_tokener_continue {
            // Only a NUL tells json-c that a number at the top level, or the whole text, is complete.
            root = json_tokener_parse_ex(tokener, "\0", 1)
            status = json_tokener_get_error(tokener)
            offset = bytes.count
            if status != json_tokener_success { status = json_tokener_error_parse_eof }
        }
        defer { json_object_put(root) }
        guard status == json_tokener_success else { throw .syntax(offset: offset, reason: reason(for: status)) }
        // The rest is white space, or a token that json-c stopped in front of.
        if let rest = bytes[min(offset, bytes.count)...].firstIndex(where: { ![0x20, 0x0A, 0x0D, 0x09].contains($0) }) {
            throw .syntax(offset: rest, reason: "unexpected data after the value")
        }
        return value(of: root)
    }

    private static func reason(for status: json_tokener_error) -> String {
        switch status {
        case json_tokener_error_parse_eof: "unexpected end of data"
        case json_tokener_error_depth: "nested too deeply"
        case json_tokener_error_parse_array: "expected ',' or ']' in array"
        case json_tokener_error_parse_object_key_name: "expected a string as object key"
        case json_tokener_error_parse_object_key_sep: "expected ':' after object key"
        case json_tokener_error_parse_object_value_sep: "expected ',' or '}' in object"
        case json_tokener_error_parse_unexpected: "unexpected character"
        default: String(cString: json_tokener_error_desc(status))
        }
    }

    private static func value(of node: OpaquePointer?) -> JSONValue {
        guard let node else { return .null }
        switch json_object_get_type(node) {
        case json_type_boolean:
            return .bool(json_object_get_boolean(node) != 0)
        case json_type_int:
            let unsigned = json_object_get_uint64(node)
            return unsigned > UInt64(Int64.max) ? .unsigned(unsigned) : .int(json_object_get_int64(node))
        case json_type_double:
            return .double(json_object_get_double(node))
        case json_type_string:
            let bytes = UnsafeRawBufferPointer(
                start: json_object_get_string(node), count: Int(json_object_get_string_len(node)))
            return .string(String(decoding: bytes, as: UTF8.self))
        case json_type_array:
            let count = json_object_array_length(node)
            return .array(
                [JSONValue](unsafeUninitializedCapacity: count) { buffer, initialized in
                    for index in 0..<count {
                        (buffer.baseAddress! + index).initialize(to: value(of: json_object_array_get_idx(node, index)))
                    }
                    initialized = count
                })
        case json_type_object:
            return .object(object(of: node))
        default:
            return .null
        }
    }

    private static func object(of node: OpaquePointer) -> JSONObject {
        var members = JSONObject()
        members.reserveCapacity(Int(json_object_object_length(node)))
        var entry = json_object_get_object(node)?.pointee.head
        while let current = entry {
            let key = String(cString: current.pointee.k.assumingMemoryBound(to: CChar.self))
            members.appendUnchecked(key, value(of: OpaquePointer(current.pointee.v)))
            entry = current.pointee.next
        }
        return members
    }
}
