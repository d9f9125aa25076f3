/// Follows texts through a grammar, with stacks that share what they have in common.
struct GrammarWalk {
    /// A state of the innermost rule that is open, and where the rules around it are noted.
    struct Thread: Equatable {
        let state: Int32
        let link: Int32
    }

    /// A rule that is open: where it goes on, and the rules around it.
    private struct Frame: Hashable {
        let state: Int32
        let link: Int32
    }

    /// Around the outermost rule.
    static let base: Int32 = -1

    private let grammar: Grammar
    private var frames: [Frame] = []
    private var depths: [Int32] = []
    private var numbers: [Frame: Int32] = [:]

    /// Rules within rules that a text may open. Recursion that goes deeper is cut off: every text of less depth stays.
    private static let mostDepth: Int32 = 512
    /// Ways to read a text that are followed at once.
    private static let mostThreads = 1024

    init(_ grammar: Grammar) { self.grammar = grammar }

    /// The threads of a state.
    mutating func threads(of state: GrammarState) -> [Thread] {
        state.stacks.map { stack in Thread(state: stack.last!, link: link(stack.dropLast())) }
    }

    /// Where rules are noted that are open around another, the innermost last.
    mutating func link(_ stack: ArraySlice<Int32>) -> Int32 {
        var link = Self.base
        for state in stack { link = push(state, link) ?? link }
        return link
    }

    /// The state that threads are in.
    func state(_ threads: ArraySlice<Thread>, isComplete: Bool) -> GrammarState {
        var stacks: [[Int32]] = []
        for thread in threads where grammar.traits[Int(thread.state)].contains(.reads) {
            var stack = [thread.state]
            var link = thread.link
            while link != Self.base {
                stack.append(frames[Int(link)].state)
                link = frames[Int(link)].link
            }
            stacks.append(stack.reversed())
        }
        stacks.sort { $0.lexicographicallyPrecedes($1) }
        return GrammarState(stacks: stacks, isComplete: isComplete)
    }

    private mutating func push(_ state: Int32, _ link: Int32) -> Int32? {
        let frame = Frame(state: state, link: link)
        if let number = numbers[frame] { return number }
        let depth = link == Self.base ? 1 : depths[Int(link)] + 1
        guard depth <= Self.mostDepth else { return nil }
        numbers[frame] = Int32(frames.count)
        frames.append(frame)
        depths.append(depth)
        return Int32(frames.count - 1)
    }

    /// Adds a thread and all that it becomes without reading: rules that begin, rules that are over.
    /// - Parameter from: Where the threads begin that this one may equal.
    /// - Returns: Whether the outermost rule may be over.
    mutating func reach(_ state: Int32, _ link: Int32, _ threads: inout [Thread], from: Int) -> Bool {
        let thread = Thread(state: state, link: link)
        for index in from..<threads.count where threads[index] == thread { return false }
        if threads.count - from >= Self.mostThreads { return false }
        threads.append(thread)
        let traits = grammar.traits[Int(state)]
        var ends = false
        if traits.contains(.calls) {
            for index in grammar.callStart[Int(state)]..<grammar.callStart[Int(state) + 1] {
                let call = grammar.calls[Int(index)]
                // A rule behind which nothing comes needs no frame: so lists that are written by recursion need no depth.
                let bare = grammar.traits[Int(call.behind)] == .accepting
                if let inner = bare ? link : push(call.behind, link) {
                    if reach(call.first, inner, &threads, from: from) { ends = true }
                }
            }
        }
        if traits.contains(.accepting) {
            if link == Self.base { return true }
            let frame = frames[Int(link)]
            if reach(frame.state, frame.link, &threads, from: from) { ends = true }
        }
        return ends
    }

    /// Adds what threads become by a symbol of a class.
    /// - Returns: Whether the outermost rule may be over.
    @inline(__always)
    mutating func step(_ threads: ArraySlice<Thread>, _ symbolClass: Int, _ after: inout [Thread], from: Int) -> Bool {
        var ends = false
        for thread in threads {
            let target = grammar.next[Int(thread.state) * grammar.classCount + symbolClass]
            if target >= 0, reach(target, thread.link, &after, from: from) { ends = true }
        }
        return ends
    }
}
