/// Follows all tokens of a tree through a grammar at once.
struct TreeWalk {
    private let grammar: Grammar
    private var walk: GrammarWalk
    /// The threads at each depth, one behind the other.
    private var threads: [GrammarWalk.Thread] = []
    /// Where the threads of each depth end.
    private var ends: [Int] = []

    init(_ grammar: Grammar) {
        self.grammar = grammar
        walk = GrammarWalk(grammar)
    }

    /// Begins in a state of whose rules around nothing is known.
    mutating func enter(_ state: Int32) {
        threads = [GrammarWalk.Thread(state: state, link: GrammarWalk.base)]
        ends = [1]
    }

    /// Begins there behind what stands before each special token; false where none may come.
    mutating func enterSpecial(_ state: Int32) -> Bool {
        enter(state)
        let begun = threads
        threads = []
        let symbol = Int(grammar.classOf[Int(Network.special)])
        _ = walk.step(begun[...], symbol, &threads, from: 0)
        ends = [threads.count]
        return !threads.isEmpty
    }

    /// Begins where the innermost rule of a stack is over.
    mutating func enter(below stack: [Int32]) {
        let link = walk.link(stack.dropLast(2))
        threads = []
        _ = walk.reach(stack[stack.count - 2], link, &threads, from: 0)
        ends = [threads.count]
    }

    /// Sets the bits of all tokens that may come.
    /// - Returns: The nodes at which the outermost rule that is known may be over.
    mutating func all(_ tree: TokenTree, _ words: inout TokenMasks.Words) -> [Int32] {
        var exits: [Int32] = []
        follow(tree, 0..<tree.count, depth: 0, &words, &exits)
        return exits
    }

    /// Sets the bits of all tokens that lie below some nodes and may come.
    mutating func follow(_ tree: TokenTree, _ nodes: [Int32], _ words: inout TokenMasks.Words) {
        var exits: [Int32] = []
        for node in nodes {
            let below = Int(node) + 1..<Int(tree.past[Int(node)])
            follow(tree, below, depth: Int(tree.depth[Int(node)]), &words, &exits)
        }
    }

    /// Goes through nodes, the first of which lie one below `depth`, where the threads of the beginning stand.
    private mutating func follow(
        _ tree: TokenTree, _ nodes: Range<Int>, depth: Int, _ words: inout TokenMasks.Words, _ exits: inout [Int32]
    ) {
        if threads.count == 1, ends == [1] {
            followOne(tree, nodes, depth: depth, &words, &exits)
        } else {
            followAll(tree, nodes, depth: depth, &words, &exits)
        }
    }

    /// Follows one thread for as long as one state leads to one state, which nearly all tokens of a string do.
    private mutating func followOne(
        _ tree: TokenTree, _ nodes: Range<Int>, depth: Int, _ words: inout TokenMasks.Words, _ exits: inout [Int32]
    ) {
        let begin = threads[0]
        let (next, traits, classOf, width) = (grammar.next, grammar.traits, grammar.classOf, grammar.classCount)
        // The state at each depth.
        var states = [Int32](repeating: begin.state, count: tree.mostDepth + 1)
        var node = nodes.lowerBound
        while node < nodes.upperBound {
            let level = Int(tree.depth[node]) - depth
            let before = states[level - 1]
            let target = next[Int(before) * width + Int(classOf[Int(tree.byte[node])])]
            if target >= 0, traits[Int(target)] == .reads {
                states[level] = target
                for index in tree.idStart[node]..<tree.idStart[node + 1] {
                    let id = Int(tree.ids[Int(index)])
                    words[id >> 6] |= 1 << UInt64(id & 63)
                }
                node += 1
                continue
            }
            let past = Int(tree.past[node])
            if target >= 0 {
                threads = [GrammarWalk.Thread(state: before, link: begin.link)]
                ends = [1]
                followAll(tree, node..<past, depth: depth + level - 1, &words, &exits)
            }
            node = past
        }
        threads = [begin]
        ends = [1]
    }

    private mutating func followAll(
        _ tree: TokenTree, _ nodes: Range<Int>, depth: Int, _ words: inout TokenMasks.Words, _ exits: inout [Int32]
    ) {
        let width = grammar.classCount
        var node = nodes.lowerBound
        while node < nodes.upperBound {
            let level = Int(tree.depth[node]) - depth
            ends.removeLast(ends.count - level)
            let before = level > 1 ? ends[level - 2] : 0
            let here = ends[level - 1]
            threads.removeLast(threads.count - here)
            let symbol = Int(grammar.classOf[Int(tree.byte[node])])
            var leaves = false
            for index in before..<here {
                let thread = threads[index]
                let target = grammar.next[Int(thread.state) * width + symbol]
                if target < 0 { continue }
                if here - before == 1, grammar.traits[Int(target)] == .reads {
                    // Nearly always so: one state leads to one state.
                    threads.append(GrammarWalk.Thread(state: target, link: thread.link))
                } else if walk.reach(target, thread.link, &threads, from: here) {
                    leaves = true
                }
            }
            guard threads.count > here || leaves else {
                node = Int(tree.past[node])
                continue
            }
            ends.append(threads.count)
            if leaves { exits.append(Int32(node)) }
            for index in tree.idStart[node]..<tree.idStart[node + 1] {
                let id = Int(tree.ids[Int(index)])
                words[id >> 6] |= 1 << UInt64(id & 63)
            }
            node += 1
        }
    }
}
