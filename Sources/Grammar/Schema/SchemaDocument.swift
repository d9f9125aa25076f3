internal import JSON

/// A schema's text with the places that references may name.
struct SchemaDocument {
    /// The whole.
    let root: JSONValue
    /// Where each resource begins, by its URI.
    private var resources: [String: String] = ["": ""]
    /// Where each anchor is, by the URI with it.
    private var anchors: [String: String] = [:]
    /// Where the dynamic anchors of each resource are, by its URI.
    private var dynamicAnchors: [String: [String: String]] = [:]
    /// The first schema whose `$schema` names a dialect that nobody knows.
    private(set) var unknownDialect: SchemaPlace?
    /// URIs that hold from a place down.
    private var bases: [String: String] = [:]

    init(_ root: JSONValue) {
        self.root = root
        scan(root, "", "")
    }

    /// A key as a part of a pointer.
    static func escaped(_ key: String) -> String {
        guard key.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return key }
        var text = ""
        for scalar in key.unicodeScalars {
            switch scalar {
            case "~": text += "~0"
            case "/": text += "~1"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    private mutating func scan(_ value: JSONValue, _ pointer: String, _ base: String) {
        switch value {
        case .array(let elements):
            for (index, element) in elements.enumerated() { scan(element, "\(pointer)/\(index)", base) }
        case .object(let object):
            var base = base
            if let id = object["$id"]?.stringValue ?? oldID(object) {
                if id.hasPrefix("#") {
                    anchors["\(base)\(id)"] = pointer
                } else {
                    base = Self.resolved(id, base).uri
                    resources[base] = pointer
                    bases[pointer] = base
                }
            }
            for name in ["$anchor", "$dynamicAnchor"] {
                if let anchor = object[name]?.stringValue { anchors["\(base)#\(anchor)"] = pointer }
            }
            if let dialect = object["$schema"]?.stringValue, unknownDialect == nil, !Self.isKnown(dialect) {
                unknownDialect = SchemaPlace(pointer: pointer, keyword: "$schema")
            }
            if let anchor = object["$dynamicAnchor"]?.stringValue {
                dynamicAnchors[base, default: [:]][anchor] = pointer
            }
            for (key, member) in object where key != "enum" && key != "const" {
                scan(member, "\(pointer)/\(Self.escaped(key))", base)
            }
        default: break
        }
    }

    /// Another dialect may give keywords another meaning, or none.
    private static func isKnown(_ dialect: String) -> Bool {
        dialect.firstRange(of: "://").map { dialect[$0.upperBound...].hasPrefix("json-schema.org/") } ?? false
    }

    /// What drafts up to 4 call `id`; a property of that name is none.
    private func oldID(_ object: JSONObject) -> String? {
        guard let id = object["id"]?.stringValue,
            object["$ref"] != nil || object["properties"] != nil || object["type"] != nil
        else { return nil }
        return id
    }

    /// A reference taken relative to a URI, and what follows its `#`.
    private static func resolved(_ reference: String, _ base: String) -> (uri: String, fragment: String) {
        let cut = reference.firstIndex(of: "#") ?? reference.endIndex
        let path = String(reference[..<cut])
        let fragment = cut < reference.endIndex ? String(reference[reference.index(after: cut)...]) : ""
        if path.isEmpty { return (base, fragment) }
        let scheme = path.prefix { $0 != ":" && $0 != "/" }
        if scheme.count < path.count, path[scheme.endIndex] == ":" { return (path, fragment) }
        var root = base[...]
        var tail = base[...]
        if let slashes = base.firstRange(of: "://") {
            tail = base[slashes.upperBound...]
            let host = tail.prefix { $0 != "/" }
            root = base[..<host.endIndex]
            tail = tail[host.endIndex...]
        } else {
            root = ""
        }
        if path.hasPrefix("/") { return (root + path, fragment) }
        var parts = tail.split(separator: "/", omittingEmptySubsequences: false).dropLast().filter { !$0.isEmpty }
        for part in path.split(separator: "/", omittingEmptySubsequences: false) {
            if part == ".." { _ = parts.popLast() } else if part != "." { parts.append(part) }
        }
        let leading = root.isEmpty && !base.hasPrefix("/") ? "" : "/"
        return (root + leading + parts.joined(separator: "/"), fragment)
    }

    /// The URI that holds at a place.
    private func base(at pointer: String) -> String {
        var place = pointer[...]
        while true {
            if let base = bases[String(place)] { return base }
            guard let slash = place.lastIndex(of: "/") else { return bases[""] ?? "" }
            place = place[..<slash]
        }
    }

    /// Where a reference that stands at a place leads; nil where that is not within the document.
    func target(of reference: String, at pointer: String) -> String? {
        let (uri, fragment) = Self.resolved(reference, base(at: pointer))
        guard let root = resources[uri] else { return nil }
        if fragment.isEmpty { return root }
        guard fragment.hasPrefix("/") else { return anchors["\(uri)#\(fragment)"] }
        let decoded = Self.decoded(fragment)
        return root + decoded
    }

    /// Whether no schema in it has a URI of its own.
    var isOneResource: Bool { Set(resources.values).count == 1 }

    /// The dynamic anchors of the resource that a place is in.
    func dynamicAnchors(around pointer: String) -> [String: String] {
        dynamicAnchors.isEmpty ? [:] : dynamicAnchors[base(at: pointer)] ?? [:]
    }

    /// The dynamic anchor that a reference names; nil where it names anything else.
    func dynamicAnchor(of reference: String, at pointer: String) -> String? {
        let (uri, fragment) = Self.resolved(reference, base(at: pointer))
        return dynamicAnchors[uri]?[fragment] == nil ? nil : fragment
    }

    /// A fragment without percent signs.
    private static func decoded(_ fragment: String) -> String {
        var bytes: [UInt8] = []
        var rest = fragment.utf8[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2).compactMap { Unicode.Scalar($0).hexValue }
            if byte == UInt8(ascii: "%"), digits.count == 2 {
                bytes.append(UInt8(digits[0] << 4 | digits[1]))
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What stands at a place.
    func value(at pointer: String) -> JSONValue? {
        var value = root
        for part in pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            let key = String(part).replacing("~1", with: "/").replacing("~0", with: "~")
            switch value {
            case .object(let object):
                guard let member = object[key] else { return nil }
                value = member
            case .array(let elements):
                guard let index = Int(part), elements.indices.contains(index) else { return nil }
                value = elements[index]
            default: return nil
            }
        }
        return value
    }
}
