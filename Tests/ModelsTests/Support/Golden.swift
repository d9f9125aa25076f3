import Foundation

/// What transformers says about a model in float32 (Tests/Fixtures/README.md).
struct Golden: Decodable {
    struct Prompt: Decodable {
        let text: String
        let ids: [Int32]
        let outputIDs: [Int32]
        let margins: [Float]
        let outputLogprobs: [Float]
        /// Per output position the best five as logprob and id.
        let top: [[[Float]]]
        /// One per prompt position; the first has none.
        let inputLogprobs: [Float?]
        /// For each layer the experts of every token but the last, the best first; absent without experts.
        let experts: [[Int32]?]?

        enum CodingKeys: String, CodingKey {
            case text, ids, margins, top, experts
            case outputIDs = "output_ids"
            case outputLogprobs = "output_logprobs"
            case inputLogprobs = "input_logprobs"
        }
    }

    let architecture: String
    let prompts: [Prompt]
    let ropeFrequencies: [Float]?
    let ropeMagnitude: Double?

    enum CodingKeys: String, CodingKey {
        case architecture, prompts
        case ropeFrequencies = "rope_frequencies"
        case ropeMagnitude = "rope_magnitude"
    }

    /// Reads a golden file.
    init(contentsOf path: String) throws {
        self = try JSONDecoder().decode(Golden.self, from: try Data(contentsOf: URL(fileURLWithPath: path)))
    }
}
