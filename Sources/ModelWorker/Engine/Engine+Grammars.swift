package import Grammar
internal import Logging
internal import Messages

/// A request whose grammar is being compiled.
struct GrammarWaiter: HeldRequest {
    let command: GenerateIDs
    let source: GrammarSource
    let arrived: Double
    var key: RequestKey { command.key }
    var admitted: Double?
}

/// How requests wait for their grammars, without holding anyone up.
extension Engine {
    /// What a request's grammar is at; nil: the request has to wait for it.
    /// - Parameter isAwaited: The request waited for it already.
    /// - Throws: When the grammar cannot be had.
    mutating func grammar(
        of command: GenerateIDs, now: Double, isAwaited: Bool
    ) throws(Refusal) -> ServedGrammar?? {
        guard let source = command.sampling.grammarSource else { return .some(nil) }
        guard traits.tokenizer != nil, traits.generates else {
            throw Refusal(
                message: "Grammar-based generation needs a tokenizer and a model that generates.", status: 400)
        }
        let entry = shelf.find(source)
        if !isAwaited { grammarTally.asked(for: entry) }
        switch entry {
        case .ready(let grammar)?: return .some(grammar)
        case .failed(let reason)?:
            throw Refusal(message: "Failed to compile \(source.kind) grammar: \(reason)", status: 400)
        case .underWay?: break
        case nil:
            shelf.begin(source)
            emit(.compile(source))
        }
        waiters[command.key.id] = GrammarWaiter(command: command, source: source, arrived: now)
        return nil
    }

    /// A grammar is compiled, or cannot be had: those who waited for it go on in the order in which they came.
    /// - Parameter seconds: How long that took.
    package mutating func compiled(
        _ source: GrammarSource, _ result: Result<ServedGrammar, GrammarError>, after seconds: Double = 0
    ) {
        grammarTally.compiled(result, after: seconds)
        switch result {
        case .success(let grammar): shelf.finish(source, .ready(grammar))
        case .failure(let error):
            shelf.finish(source, .failed("\(error)"))
            emit(.log(.warning, "A \(source.kind) grammar was refused: \(error)"))
        }
        let free = waiters.values.filter { $0.source == source }
        for waiter in free.sorted(by: { ($0.arrived, $0.key.id) < ($1.arrived, $1.key.id) }) {
            waiters[waiter.key.id] = nil
            accept(waiter.command, now: waiter.arrived, behindGrammar: true)
        }
    }

    /// Some request waits for a grammar.
    package var awaitsGrammars: Bool { !waiters.isEmpty || shelf.isWorking }
}

extension SamplingParams {
    /// What the text has to be; nil: anything.
    var grammarSource: GrammarSource? {
        switch grammar {
        case .jsonSchema(let text): .jsonSchema(text)
        case .regex(let text): .regex(text)
        case .ebnf(let text): .ebnf(text)
        case .structuralTag(let text): .structuralTag(text)
        case nil: nil
        }
    }
}
