package import Messages

/// What a client wants done: goes down the pipe as one message, and again with what there is when a process dies.
package enum Errand: Sendable, Equatable {
    /// Text that goes on after a prompt.
    case generate(Generate)
    /// A vector, or scores, of a text.
    case embed(Embed)

    /// Which request this is, and which attempt at it.
    package var key: RequestKey {
        get {
            switch self {
            case .generate(let request): request.key
            case .embed(let request): request.key
            }
        }
        set {
            switch self {
            case .generate(var request):
                request.key = newValue
                self = .generate(request)
            case .embed(var request):
                request.key = newValue
                self = .embed(request)
            }
        }
    }

    /// The client wants to see the answer grow.
    package var isStreamed: Bool {
        switch self {
        case .generate(let request): request.options.stream
        case .embed: false
        }
    }

    /// The priority that the request names.
    var priority: Int64? {
        let options =
            switch self {
            case .generate(let request): request.options
            case .embed(let request): request.options
            }
        return options.hasPriority ? options.priority : nil
    }

    /// What tells the tokenizer manager.
    var command: TokenizerCommand {
        switch self {
        case .generate(let request): .make { $0.generate = request }
        case .embed(let request): .make { $0.embeds = .make { $0.requests = [request] } }
        }
    }

    /// Notes when it goes out: a profile shows how long its way was.
    mutating func stamp(_ now: Double) {
        switch self {
        case .generate(var request):
            request.options.sentAt = now
            self = .generate(request)
        case .embed(var request):
            request.options.sentAt = now
            self = .embed(request)
        }
    }

    /// The next attempt begins, and goes on behind what there is.
    mutating func begin(after output: RowOutput) {
        switch self {
        case .generate(var request):
            request.key.attempt += 1
            request.resumedIds = output.ids
            request.resumedWeights = output.weightSpans.last?.number ?? 0
            self = .generate(request)
        case .embed(var request):
            // It is answered at once or not at all.
            request.key.attempt += 1
            self = .embed(request)
        }
    }
}
