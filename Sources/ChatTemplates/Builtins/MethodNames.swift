/// The methods that Python's types have.
enum MethodNames {
    private static let string: Set<String> = [
        "capitalize", "casefold", "center", "count", "encode", "endswith", "expandtabs", "find", "format", "format_map",
        "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower", "isnumeric",
        "isprintable", "isspace", "istitle", "isupper", "join", "ljust", "lower", "lstrip", "maketrans", "partition",
        "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip",
        "split", "splitlines", "startswith", "strip", "swapcase", "title", "translate", "upper", "zfill",
    ]
    private static let list: Set<String> = [
        "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort",
    ]
    private static let dict: Set<String> = [
        "clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values",
    ]
    private static let listChanges: Set<String> = [
        "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort",
    ]
    private static let dictChanges: Set<String> = ["clear", "pop", "popitem", "setdefault", "update"]

    /// Whether the type of a value has a method.
    static func has(_ name: String, _ value: Value) -> Bool {
        switch value {
        case .string: string.contains(name)
        case .list: list.contains(name)
        case .tuple: name == "count" || name == "index"
        case .dict: dict.contains(name)
        default: false
        }
    }

    /// Whether a method would change its value, which the sandbox forbids.
    static func changes(_ name: String, _ value: Value) -> Bool {
        switch value {
        case .list: listChanges.contains(name)
        case .dict: dictChanges.contains(name)
        default: false
        }
    }
}
