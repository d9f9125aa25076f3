extension Role {
    /// The role as a word of an operator's language.
    package var word: String {
        switch self {
        case .launcher: "launcher"
        case .http: "http"
        case .tokenizerManager: "tokenizer_manager"
        case .scheduler: "scheduler"
        case .detokenizer: "detokenizer"
        case .UNRECOGNIZED(let number): "role_\(number)"
        }
    }
}

extension ProcessState {
    /// The state as a word of an operator's language.
    package var word: String {
        switch self {
        case .spawned: "spawned"
        case .loading: "loading"
        case .ready: "ready"
        case .draining: "draining"
        case .stopped: "stopped"
        case .backoff: "backoff"
        case .hung: "hung"
        case .failed: "failed"
        case .UNRECOGNIZED(let number): "state_\(number)"
        }
    }
}
