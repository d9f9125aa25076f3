internal import ChildRuntime
internal import Glibc
package import Grammar
internal import Synchronization
internal import Tensors
package import Tokenizers

/// Compiles grammars on threads of their own, which stand behind all others, so that a stream's next token does not wait for them.
///
/// A grammar that takes longer than usual stands behind these, too, and another thread comes in the place of its own.
package final class GrammarPool: Sendable {
    /// What came of a grammar.
    package struct Outcome: Sendable {
        package let source: GrammarSource
        package let result: Result<ServedGrammar, GrammarError>
        /// How long it was compiled.
        package let seconds: Double
    }

    private struct State {
        var open: [GrammarSource] = []
        /// Masks that the next step needs.
        var masks: [MaskOrder] = []
        var done: [Outcome] = []
        /// Threads that take what comes.
        var threads = 0
        /// Threads that have a long grammar, and end with it.
        var longThreads = 0
    }

    private let state = Mutex(State())
    private let vocabulary = Mutex<(vocabulary: Vocabulary, specials: [String])?>(nil)
    private let tokenizer: Tokenizer
    private let vocabularySize: Int
    private let options: GrammarOptions
    private let jumpsForward: Bool
    private static let mostThreads = 2
    private static let mostLongThreads = 6
    /// Nice values: with the second a thread has a sixteenth of a core that others want as well, so that what is long still comes to an end
    /// on a server that is never idle.
    private static let (niceness, longNiceness): (Int32, Int32) = (5, 12)

    /// A pool for a model's vocabulary, of which the tokenizer may know a part only.
    /// - Parameter jumpsForward: tokens that must come are not asked of the model.
    package init(_ tokenizer: Tokenizer, vocabularySize: Int, options: GrammarOptions, jumpsForward: Bool = true) {
        self.jumpsForward = jumpsForward
        self.tokenizer = tokenizer
        self.vocabularySize = vocabularySize
        self.options = options
    }

    /// Compiles a grammar as soon as a thread is free.
    package func compile(_ source: GrammarSource) { add { $0.open.append(source) } }

    /// Works out a mask while the model computes. A step that needs it earlier does so itself.
    package func prepare(_ order: MaskOrder) { add { $0.masks.append(order) } }

    private func add(_ change: (inout State) -> Void) {
        let isNew = state.withLock { state in
            change(&state)
            return Self.takesThread(&state)
        }
        if isNew { startDetachedThread { [self] in work() } }
    }

    /// Whether one more thread is to begin, which is noted.
    private static func takesThread(_ state: inout State) -> Bool {
        guard state.threads < mostThreads, !state.open.isEmpty || !state.masks.isEmpty else { return false }
        state.threads += 1
        return true
    }

    /// Hands out what was done.
    package func take() -> [Outcome] {
        state.withLock { state in
            defer { state.done = [] }
            return state.done
        }
    }

    private func work() {
        Self.step(back: Self.niceness)
        Compute.freeCallingThread()
        while let job = next() {
            switch job {
            case .mask(let order): order.work()
            case .compile(let source):
                let isLong = compileNow(source)
                guard isLong else { continue }
                // Not everybody may take a nice value back.
                return state.withLock { $0.longThreads -= 1 }
            }
        }
    }

    /// - Returns: Whether the thread has become one for this grammar alone.
    private func compileNow(_ source: GrammarSource) -> Bool {
        let (vocabulary, specials) = words()
        var options = options
        options.specialTokens = specials
        let began = ContinuousClock.now
        var isLong = false
        let result: Result<ServedGrammar, GrammarError>
        do throws(GrammarError) {
            let grammar = try Grammar(source, options: options) { isLong = self.stepAside() }
            let masks = TokenMasks(grammar, vocabulary)
            result = .success(ServedGrammar(masks, forced: jumpsForward ? ForcedTokens(masks, tokenizer) : nil))
        } catch {
            result = .failure(error)
        }
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        state.withLock { $0.done.append(Outcome(source: source, result: result, seconds: seconds)) }
        return isLong
    }

    /// Lets another thread come in place of the calling one, which stands behind all others from now on.
    /// - Returns: False: there are too many already.
    private func stepAside() -> Bool {
        var isNew = false
        let isLong = state.withLock { state in
            guard state.longThreads < Self.mostLongThreads else { return false }
            state.longThreads += 1
            state.threads -= 1
            isNew = Self.takesThread(&state)
            return true
        }
        if isLong { Self.step(back: Self.longNiceness) }
        if isNew { startDetachedThread { [self] in work() } }
        return isLong
    }

    private static func step(back niceness: Int32) {
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness)
    }

    private enum Job {
        case mask(MaskOrder)
        case compile(GrammarSource)
    }

    /// What is to be done next; nil ends the thread.
    private func next() -> Job? {
        state.withLock { state in
            if !state.masks.isEmpty { return .mask(state.masks.removeFirst()) }
            if !state.open.isEmpty { return .compile(state.open.removeFirst()) }
            state.threads -= 1
            return nil
        }
    }

    /// The tokens as bytes, made when the first grammar is.
    private func words() -> (vocabulary: Vocabulary, specials: [String]) {
        vocabulary.withLock { known in
            if let known { return known }
            let made = Self.words(of: tokenizer, size: vocabularySize)
            known = made
            return made
        }
    }

    private static func words(of tokenizer: Tokenizer, size: Int) -> (vocabulary: Vocabulary, specials: [String]) {
        let ends = Set(tokenizer.eosIDs)
        var specials: [String] = []
        var tokens: [Vocabulary.Token] = []
        tokens.reserveCapacity(size)
        for id in 0..<Int32(size) {
            // An end is never text, whatever it is called.
            let bytes = ends.contains(id) ? [] : tokenizer.tokenBytes(id)
            let isSpecial = tokenizer.isSpecial(id)
            if isSpecial, !bytes.isEmpty { specials.append(String(decoding: bytes, as: UTF8.self)) }
            tokens.append(Vocabulary.Token(bytes: bytes, isSpecial: isSpecial))
        }
        return (Vocabulary(tokens), specials)
    }
}
