/// How much one rendering may cost. All three are counted, not timed, so that the same input always ends the same way.
package struct TemplateLimits: Equatable, Sendable {
    /// Operations: one for every expression, statement and turn of a loop, and one for every 16 bytes of text and every
    /// element of a list that an operation makes or searches.
    package var steps: Int
    /// Nested expressions, statements and macro calls.
    package var depth: Int
    /// Bytes of the rendered text, and of any text on the way to it.
    package var outputBytes: Int

    package init(steps: Int = 10_000_000, depth: Int = 500, outputBytes: Int = 32 << 20) {
        self.steps = steps
        self.depth = depth
        self.outputBytes = outputBytes
    }

    /// How deep lists and dictionaries may nest.
    static let valueDepth = 200
    /// How deep a template's source may nest.
    static let sourceDepth = 100
    /// How high the tree of one expression may be.
    static let expressionHeight = 150
    /// The longest `range`, as Jinja's sandbox has it.
    static let range = 100_000
}
