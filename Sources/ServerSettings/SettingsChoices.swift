/// The closed sets of words that flags take.
extension ServerSettings {
    /// Where sampling parameters come from that a request leaves out.
    package enum SamplingDefaults: String, Sendable, Codable, CaseIterable {
        /// The defaults of the OpenAI interface.
        case openai
        /// The model's generation_config.json.
        case model
    }

    /// Who loses its KV slots first when the pool is full.
    package enum RetractionPolicy: String, Sendable, Codable, CaseIterable {
        /// The request with the least output.
        case length
        /// The request with the lowest priority.
        case priority
    }

    /// Grammar engines by SGLang's names. There is one engine, which all names but the last stand for.
    package enum GrammarBackend: String, Sendable, Codable, CaseIterable {
        /// SGLang's default.
        case xgrammar
        case outlines
        case llguidance
        /// Grammars are off.
        case none
    }

    /// What is recorded of the experts that rows take.
    package enum ExpertRecorderMode: String, Sendable, Codable, CaseIterable {
        /// Counts by layer and expert for each pass.
        case stat
        /// The same: where no expert is computed elsewhere an approximation saves nothing.
        case approximateStat = "stat_approx"
        /// Counts for each pass, as records of their own.
        case perPass = "per_pass"
        /// The choice of every token.
        case perToken = "per_token"
    }

    /// What the launcher does when a process of the server dies.
    package enum ChildFailurePolicy: String, Sendable, Codable, CaseIterable {
        /// The process is started again.
        case restart
        /// The whole server ends, for another supervisor to start it anew.
        case exit
    }
}
