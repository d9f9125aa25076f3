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

    /// The expression matches somewhere in the text.
    package func matches(_ text: String) -> Bool {
        var found = false
        let region = SearchRegion()
        var text = text
        text.withUTF8 { bytes in regex.forEachMatch(in: bytes, region: region) { _ in found = true } }
        return found
    }
}
