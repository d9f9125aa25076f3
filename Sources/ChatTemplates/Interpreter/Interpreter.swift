internal import Values

/// Walks a template's statements for one conversation. Statements are in Statements.swift, expressions in
/// Expressions.swift, calls in Calls.swift.
final class Interpreter {
    let syntax: TemplateSyntax
    let limits: TemplateLimits
    /// What `strftime_now` reads.
    let clock: CalendarTime
    let root = Scope(nil)
    /// The line that is being worked on, for errors.
    var line = 0
    /// Attributes of namespaces by their numbers.
    var namespaces: [Namespace] = []
    /// Scopes that macros see. Emptied at the end: a macro in a variable of its own scope would keep both for ever.
    private var captured: [Scope] = []
    /// Text being written, innermost block last.
    private var buffers: [[UInt8]] = [[]]
    private var stepsLeft: Int
    private var depth = 0

    /// Attributes of a namespace in the order in which they came.
    struct Namespace {
        var names: [String] = []
        var values: [Value] = []
    }

    init(_ syntax: TemplateSyntax, limits: TemplateLimits, clock: CalendarTime) {
        self.syntax = syntax
        self.limits = limits
        self.clock = clock
        stepsLeft = limits.steps
    }

    /// The text of the whole template.
    func render() throws(TemplateError) -> String {
        defer { release() }
        do throws(TemplateError) {
            _ = try run(syntax.statements, in: Scope(root))
            return String(decoding: buffers[0], as: UTF8.self)
        } catch {
            var error = error
            if error.line == 0 { error.line = line }
            throw error
        }
    }

    /// Lets go of everything, each piece by itself: chains of macros would be freed one inside the other.
    private func release() {
        for scope in captured { scope.removeAll() }
        namespaces = []
    }

    // MARK: Bounds

    /// Counts steps.
    func charge(_ steps: Int = 1) throws(TemplateError) {
        stepsLeft -= steps
        if stepsLeft < 0 { throw .limit("rendering takes more than \(limits.steps) steps") }
    }

    /// Counts the work of walking through a value.
    func charge(_ value: Value) throws(TemplateError) { try charge(value.extent.weight) }

    /// A text that an operation made, counted.
    func made(_ text: String) throws(TemplateError) -> Value {
        try checkLength(text.utf8.count)
        return .string(text)
    }

    /// Counts a text of some length, before it is made.
    func checkLength(_ bytes: Int) throws(TemplateError) {
        if bytes > limits.outputBytes { throw .limit("a text of more than \(limits.outputBytes) bytes") }
        try charge(1 + bytes / 16)
    }

    /// Does something one level deeper.
    func deeper<Outcome>(_ body: () throws(TemplateError) -> Outcome) throws(TemplateError) -> Outcome {
        depth += 1
        defer { depth -= 1 }
        if depth > limits.depth { throw .limit("rendering nests deeper than \(limits.depth) levels") }
        return try body()
    }

    /// Notes that a macro sees a scope.
    func capture(_ scope: Scope) throws(TemplateError) {
        try charge()
        captured.append(scope)
    }

    // MARK: Output

    /// Appends to the innermost text.
    func write(_ text: String) throws(TemplateError) {
        let last = buffers.count - 1
        guard buffers[last].count + text.utf8.count <= limits.outputBytes else {
            throw .limit("more than \(limits.outputBytes) bytes of text")
        }
        try charge(text.utf8.count / 16)
        buffers[last].append(contentsOf: text.utf8)
    }

    /// Runs statements and gives what they wrote, and how they ended.
    func collect(
        _ statements: [Statement], in scope: Scope
    ) throws(TemplateError) -> (text: String, flow: Flow) {
        var flow = Flow.next
        let text = try collecting { () throws(TemplateError) in flow = try run(statements, in: scope) }
        return (text, flow)
    }

    /// What something writes.
    func collecting(_ body: () throws(TemplateError) -> Void) throws(TemplateError) -> String {
        buffers.append([])
        defer { buffers.removeLast() }
        try body()
        return String(decoding: buffers[buffers.count - 1], as: UTF8.self)
    }
}

/// How a statement ended.
enum Flow {
    case next
    case breaksLoop
    case continuesLoop
}
