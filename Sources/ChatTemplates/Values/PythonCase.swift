// Upper, lower and title case as Python has them.
extension PythonText {
    static func upper(_ text: String) -> String { map(text) { $0.properties.uppercaseMapping } }

    static func lower(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        var result = ""
        for place in scalars.indices { appendLower(scalars, place, to: &result) }
        return result
    }

    /// Words begin with a title letter; a word is a run of cased letters.
    static func title(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        var result = ""
        var followsCased = false
        for place in scalars.indices {
            if followsCased {
                appendLower(scalars, place, to: &result)
            } else {
                append(scalars[place].properties.titlecaseMapping, to: &result)
            }
            followsCased = scalars[place].properties.isCased
        }
        return result
    }

    /// The first letter as in a title, the rest in lower case.
    static func capitalize(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        var result = ""
        for place in scalars.indices {
            if place == 0 {
                append(scalars[0].properties.titlecaseMapping, to: &result)
            } else {
                appendLower(scalars, place, to: &result)
            }
        }
        return result
    }

    static func swapcase(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        var result = ""
        for place in scalars.indices {
            if scalars[place].properties.isUppercase {
                appendLower(scalars, place, to: &result)
            } else if scalars[place].properties.isLowercase {
                append(scalars[place].properties.uppercaseMapping, to: &result)
            } else {
                result.unicodeScalars.append(scalars[place])
            }
        }
        return result
    }

    private static func map(_ text: String, _ mapping: (Unicode.Scalar) -> String) -> String {
        var result = ""
        for scalar in text.unicodeScalars { append(mapping(scalar), to: &result) }
        return result
    }

    private static func append(_ mapping: String, to result: inout String) {
        result.unicodeScalars.append(contentsOf: mapping.unicodeScalars)
    }

    /// A sigma that ends a word has a form of its own.
    private static func appendLower(_ scalars: [Unicode.Scalar], _ place: Int, to result: inout String) {
        guard scalars[place] == "\u{3A3}" else {
            return append(scalars[place].properties.lowercaseMapping, to: &result)
        }
        let before = scalars[..<place].last { !$0.properties.isCaseIgnorable }
        let after = scalars[(place + 1)...].first { !$0.properties.isCaseIgnorable }
        let isFinal = before?.properties.isCased == true && after?.properties.isCased != true
        result.unicodeScalars.append(isFinal ? "\u{3C2}" : "\u{3C3}")
    }
}
