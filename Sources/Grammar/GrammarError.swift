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
    /// It asks for more than the limits allow; elsewhere or with other limits it may be a grammar.
    package let isBeyondLimits: Bool

    /// States an error.
    package init(_ reason: String, at place: Place = .whole) { self.init(reason, at: place, isBeyondLimits: false) }

    /// States which limit is too small.
    init(beyond reason: String, at place: Place = .whole) { self.init(reason, at: place, isBeyondLimits: true) }

    private init(_ reason: String, at place: Place, isBeyondLimits: Bool) {
        self.place = place
        self.reason = reason
        self.isBeyondLimits = isBeyondLimits
    }

    /// The same where a place is known already, and else at a place of a schema.
    func placed(at place: SchemaPlace?) -> GrammarError {
        guard self.place == .whole, let place else { return self }
        return GrammarError(
            reason, at: .pointer(place.pointer, keyword: place.keyword), isBeyondLimits: isBeyondLimits)
    }

    /// The same, about a part of the source that is told in front.
    func of(_ part: String, at place: SchemaPlace) -> GrammarError {
        GrammarError("\(part): \(self)", at: .whole, isBeyondLimits: isBeyondLimits).placed(at: place)
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
