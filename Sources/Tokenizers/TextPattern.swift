/// A regular expression that text is searched with (`stop_regex`), in Oniguruma's dialect.
package struct TextPattern: Sendable {
    private let regex: Regex

    /// Why an expression does not compile.
    package struct SyntaxError: Error, CustomStringConvertible {
        package let description: String
    }

    /// Compiles an expression.
    package init(_ expression: String) throws(SyntaxError) {
        do throws(Regex.SyntaxError) { regex = try Regex(expression) } catch {
            throw SyntaxError(description: error.reason)
        }
    }

    /// The first match in the text, given up after `steps` steps (see `BoundedSearch`).
    package func firstMatch(in text: String, steps: Int) -> BoundedSearch {
        let region = SearchRegion()
        var text = text
        return text.withUTF8 { bytes in regex.firstMatch(in: bytes, steps: steps, region: region) }
    }
}

/// What a search of limited length comes to. The same text, expression and limit give the same outcome everywhere.
package enum BoundedSearch: Sendable, Equatable {
    /// The bytes of the leftmost match.
    case match(Range<Int>)
    /// The text holds no match.
    case noMatch
    /// Given up: neither of both is known.
    case limitExceeded
}
