internal import Synchronization

/// The formats of strings, as regular expressions for the whole of them.
enum SchemaFormat {
    /// Automata are the same for all grammars, and made once.
    private static let known = Mutex<[String: Automaton]>([:])

    /// The texts of a format; nil for an unknown one.
    static func automaton(_ name: String) throws(GrammarError) -> Automaton? {
        if let automaton = known.withLock({ $0[name] }) { return automaton }
        var budget = Budget(GrammarLimits())
        let automaton: Automaton
        if name == "hostname" {
            automaton = try HostNames.automaton(&budget)
        } else {
            guard let regex = named(name) else { return nil }
            automaton = try Automaton.matching(regex, .whole, &budget)
        }
        known.withLock { $0[name] = automaton }
        return automaton
    }

    /// The expression of a format.
    private static func named(_ name: String) -> String? {
        switch name {
        case "date": date
        case "time": time
        case "date-time": "(\(date))[Tt](\(time))"
        case "duration": duration
        case "email": "(\(localPart)|\(quotedPart))@(\(domain)|\\[(\(ipv4)|IPv6:(\(ipv6)))\\])"
        case "idn-email": "(\(widest(localPart))|\(widest(quotedPart)))@\(wide(domain))"
        case "ipv4": ipv4
        case "ipv6": ipv6
        case "uuid": "\(hex){8}-\(hex){4}-\(hex){4}-\(hex){4}-\(hex){12}"
        case "uri": uri(isReference: false)
        case "uri-reference": uri(isReference: true)
        case "iri": iri(isReference: false)
        case "iri-reference": iri(isReference: true)
        case "uri-template": template
        case "json-pointer": pointer
        case "relative-json-pointer": "(0|[1-9][0-9]*)(#|\(pointer))"
        default: nil
        }
    }

    /// Whether the expression takes all texts of a format: of others a few are left out that nobody writes.
    static func isExact(_ name: String) -> Bool {
        ["date", "duration", "ipv4", "ipv6", "uuid", "json-pointer", "relative-json-pointer"].contains(name)
    }

    /// Whether texts of a format are of ASCII and have nothing that JSON would want to be escaped.
    static func isPlain(_ name: String) -> Bool {
        ["date", "time", "date-time", "duration", "hostname", "ipv4", "ipv6", "uuid", "uri", "uri-reference"].contains(
            name)
    }

    private static let hex = "[0-9A-Fa-f]"

    // MARK: Time

    /// Days that there are: 30 of some months, 29 of February in leap years only, none in the year 0.
    private static let date: String = {
        let year = "([0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
        let leap = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)"
        let days =
            "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
        return "\(year)-\(days)|\(leap)-02-29"
    }()

    /// A leap second comes at the end of a day of UTC. Zones are whole quarters of an hour from there where one is told.
    private static let time: String = {
        let zone = "([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
        let fraction = "(\\.[0-9]+)?"
        let digits = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
        let clock = { (minutes: Int) in "\(digits(minutes / 60 % 24)):\(digits(minutes % 60))" }
        let leaps = stride(from: 14, to: 24 * 60, by: 15).map { minutes in
            "\(clock(minutes)):60\(fraction)(\\+\(clock(minutes + 1))|-\(clock(24 * 60 - 1 - minutes)))"
        }
        let plain = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\(fraction)\(zone)"
        return ([plain, "23:59:60\(fraction)[Zz]"] + leaps).joined(separator: "|")
    }()

    /// Each unit may be followed by the next smaller one only.
    private static let duration: String = {
        let time = "T([0-9]+H([0-9]+M([0-9]+S)?)?|[0-9]+M([0-9]+S)?|[0-9]+S)"
        let day = "[0-9]+D"
        let month = "[0-9]+M(\(day))?"
        let date = "([0-9]+Y(\(month))?|\(month)|\(day))"
        return "P(\(date)(\(time))?|\(time)|[0-9]+W)"
    }()

    // MARK: Hosts

    private static let label = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    private static let domain = "\(label)(\\.\(label))*"
    private static let atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
    private static let localPart = "\(atom)(\\.\(atom))*"
    private static let quotedPart = "\"([ !#-\\[\\]-~]|\\\\[ -~])*\""

    /// The same with letters beyond ASCII.
    private static func wide(_ pattern: String) -> String {
        pattern.replacing(
            "A-Za-z0-9", with: "A-Za-z0-9\\u{A1}-\\u{2FFF}\\u{3040}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{10000}-\\u{1FFFD}")
    }

    /// The same with all characters beyond ASCII.
    private static func widest(_ pattern: String) -> String {
        pattern.replacing("A-Za-z0-9", with: "A-Za-z0-9\\u{80}-\\u{10FFFF}")
            .replacing(" -~]", with: " -~\\u{80}-\\u{10FFFF}]").replacing("\\]-~]", with: "\\]-~\\u{80}-\\u{10FFFF}]")
    }

    private static let byte = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
    private static let ipv4 = "\(byte)(\\.\(byte)){3}"

    private static let ipv6: String = {
        let group = "\(hex){1,4}"
        let last = "(\(group):\(group)|\(ipv4))"
        var forms = ["(\(group):){6}\(last)", "::(\(group):){5}\(last)"]
        for before in 0...4 {
            let head = "((\(group):){0,\(before)}\(group))?::"
            forms.append("\(head)(\(group):){\(4 - before)}\(last)")
        }
        forms.append("((\(group):){0,5}\(group))?::\(group)")
        forms.append("((\(group):){0,6}\(group))?::")
        return forms.joined(separator: "|")
    }()

    // MARK: URIs

    private static let unreserved = "A-Za-z0-9._~\\-"
    private static let encoded = "%\(hex){2}"
    private static let further: String = {
        let planes = (1...14).map { plane in
            let first = String(plane, radix: 16) + (plane == 14 ? "1000" : "0000")
            return "\\u{\(first)}-\\u{\(String(plane, radix: 16))fffd}"
        }
        return "\\u{A0}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFEF}" + planes.joined()
    }()
    private static let privateUse = "\\u{E000}-\\u{F8FF}\\u{F0000}-\\u{FFFFD}\\u{100000}-\\u{10FFFD}"

    private static func uri(isReference: Bool) -> String { uri(isReference, unreserved, inQueries: "") }
    private static func iri(isReference: Bool) -> String {
        uri(isReference, unreserved + further, inQueries: privateUse)
    }

    private static func uri(_ isReference: Bool, _ unreserved: String, inQueries more: String) -> String {
        let subDelims = "!$&'()*+,;="
        let character = "([\(unreserved)\(subDelims):@]|\(encoded))"
        let noColon = "([\(unreserved)\(subDelims)@]|\(encoded))"
        let userInfo = "([\(unreserved)\(subDelims):]|\(encoded))*@"
        let name = "([\(unreserved)\(subDelims)]|\(encoded))*"
        let literal = "\\[(\(ipv6)|[vV]\(hex)+\\.[\(unreserved)\(subDelims):]+)\\]"
        let authority = "(\(userInfo))?(\(literal)|\(name))(:[0-9]*)?"
        let path = "(/\(character)*)*"
        let hierarchy = "(//\(authority)\(path)|/(\(character)+\(path))?|\(character)+\(path)|)"
        let tail = "(\\?(\(character)|[/?\(more)])*)?(#(\(character)|[/?])*)?"
        let absolute = "[A-Za-z][A-Za-z0-9+.-]*:\(hierarchy)\(tail)"
        guard isReference else { return absolute }
        let relative = "(//\(authority)\(path)|/(\(character)+\(path))?|\(noColon)+\(path)|)"
        return "\(absolute)|\(relative)\(tail)"
    }

    private static let template: String = {
        let literal = "[!#$&-;=?-\\[\\]_a-z~\(further)]|\(encoded)"
        let variable = "([A-Za-z0-9_]|\(encoded))(\\.?([A-Za-z0-9_]|\(encoded)))*"
        let item = "\(variable)(\\*|:[1-9][0-9]{0,3})?"
        return "(\(literal)|\\{[+#./;?&=,!@|]?\(item)(,\(item))*\\})*"
    }()

    // MARK: Pointers

    private static let pointer = "(/([^/~]|~[01])*)*"
}
