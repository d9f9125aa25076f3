/// Why a text is no grammar, or none that can be had.
package struct GrammarError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Where in the source it is.
    package enum Place: Equatable, Sendable {
        /// The whole of it.
        case whole
        /// A byte of a text.
        case offset(Int)
        /// A JSON pointer, and a keyword there where one is meant.
        case pointer(String, keyword: String?)
    }

    /// Where the fault is.
    package let place: Place
    /// What is wrong.
    package let reason: String

    /// States an error.
    package init(_ reason: String, at place: Place = .whole) {
        self.place = place
        self.reason = reason
    }

    /// The same where a place is known already, and else at a place of a schema.
    func placed(at place: SchemaPlace?) -> GrammarError {
        guard self.place == .whole, let place else { return self }
        return place.refusal(reason)
    }

    package var description: String {
        switch place {
        case .whole: reason
        case .offset(let offset): "at byte \(offset): \(reason)"
        case .pointer(let pointer, let keyword?): "JSON Schema at \(Self.shown(pointer)), keyword \(keyword): \(reason)"
        case .pointer(let pointer, nil): "JSON Schema at \(Self.shown(pointer)): \(reason)"
        }
    }

    /// The root of a document has the empty pointer, which nobody would see.
    private static func shown(_ pointer: String) -> String { pointer.isEmpty ? "#" : pointer }
}
