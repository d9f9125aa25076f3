import Foundation
import JSON
import TestSupport
import Values

/// A model that says what its prompt says, so that any text, tool calls and thoughts too, comes out of the real pipe.
///
/// One layer whose attention looks back by a fixed distance: keys are the same everywhere, queries are keys turned back by so
/// many positions. A token's embedding are random signs, and the output head reads the copied one. A prompt of exactly
/// `promptTokens` is repeated from its beginning, up to the first end of a turn.
enum EchoModel {
    /// Tokens that a prompt must have.
    static let promptTokens = 1024

    private static let width = 128
    private static let heads = 2
    private static let theta = 25.0

    /// The template says the last message alone; it has a variable for thinking, which is on unless switched off.
    private static let template =
        "{%- if enable_thinking is defined and enable_thinking is false %}{%- endif %}{{ messages[-1]['content'] }}"

    /// Serves it as long as the body runs.
    static func serve<R>(
        _ flags: [String], dtype: String = "float32", _ body: (Server) throws -> R
    ) throws -> R {
        let folder = try Server.temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try write(to: folder + "/echo")
        return try withServer(folder + "/echo", flags, dtype: dtype, body)
    }

    /// Writes the model into a folder, with the tokenizer of the other fixtures.
    static func write(to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in ["tokenizer.json", "tokenizer_config.json"] {
            try FileManager.default.copyItem(
                atPath: Fixtures.path(Workload.model) + "/" + name, toPath: folder + "/" + name)
        }
        try Data(template.utf8).write(to: URL(fileURLWithPath: folder + "/chat_template.jinja"))
        let original = try JSON.parse(
            String(contentsOfFile: Fixtures.path(Workload.model) + "/config.json", encoding: .utf8))
        guard let vocabulary = original["vocab_size"]?.intValue, let end = original["eos_token_id"] else {
            throw HarnessError("the fixture's config.json has no vocabulary")
        }
        let config: JSONValue = [
            "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_act": "silu",
            "hidden_size": .int(Int64(width)), "intermediate_size": 32, "num_attention_heads": .int(Int64(heads)),
            "num_key_value_heads": .int(Int64(heads)), "num_hidden_layers": 1, "rms_norm_eps": 1e-6,
            "rope_theta": .double(theta), "max_position_embeddings": 4096, "vocab_size": .int(Int64(vocabulary)),
            "tie_word_embeddings": false, "torch_dtype": "float32", "eos_token_id": end,
        ]
        try Data(JSON.encode(config)).write(to: URL(fileURLWithPath: folder + "/config.json"))
        try Data(safetensors(tensors(vocabulary))).write(to: URL(fileURLWithPath: folder + "/model.safetensors"))
    }

    /// A text in front of as many fillers as make it a prompt of the right length.
    static func prompt(saying text: String, on server: Server) throws -> String {
        let text = text + "<|im_end|>"
        let answer = try server.request("/tokenize", ["prompt": .string(text), "add_special_tokens": false]).json()
        guard let count = answer["count"]?.intValue, count <= promptTokens else {
            throw HarnessError("the text is too long: \(answer["count"] ?? .null)")
        }
        return text + String(repeating: "<|endoftext|>", count: promptTokens - count)
    }

    // MARK: Weights

    private typealias Tensor = (name: String, shape: [Int], values: [Float])

    private static func tensors(_ vocabulary: Int) -> [Tensor] {
        var random = SplitMix64(seed: 1)
        let signs = (0..<vocabulary * width).map { _ in random.next() & 1 == 0 ? Float(-1) : 1 }
        let half = width / heads / 2
        // A prompt's last token stands `promptTokens` − 1 places behind its first one, which comes next.
        let turns = (0..<half).map { Double(promptTokens - 1) * pow(theta, -Double($0) / Double(half)) }
        let key = (0..<heads).flatMap { _ in turns.map { _ in Float(12) } + turns.map { _ in Float(0) } }
        let query = (0..<heads).flatMap { _ in turns.map { Float(12 * cos($0)) } + turns.map { Float(-12 * sin($0)) } }
        let none = [Float](repeating: 0, count: width * width)
        let ones = [Float](repeating: 1, count: width)
        let layer = "model.layers.0."
        return [
            ("model.embed_tokens.weight", [vocabulary, width], signs),
            ("lm_head.weight", [vocabulary, width], signs.map { $0 / 4 }),
            ("model.norm.weight", [width], ones), (layer + "input_layernorm.weight", [width], ones),
            (layer + "post_attention_layernorm.weight", [width], ones),
            (layer + "self_attn.q_proj.weight", [width, width], none),
            (layer + "self_attn.k_proj.weight", [width, width], none),
            (layer + "self_attn.q_proj.bias", [width], query), (layer + "self_attn.k_proj.bias", [width], key),
            (layer + "self_attn.v_proj.bias", [width], ones.map { _ in 0 }),
            (layer + "self_attn.v_proj.weight", [width, width], diagonal(1)),
            (layer + "self_attn.o_proj.weight", [width, width], diagonal(8)),
            (layer + "mlp.gate_proj.weight", [32, width], [Float](repeating: 0, count: 32 * width)),
            (layer + "mlp.up_proj.weight", [32, width], [Float](repeating: 0, count: 32 * width)),
            (layer + "mlp.down_proj.weight", [width, 32], [Float](repeating: 0, count: 32 * width)),
        ]
    }

    private static func diagonal(_ value: Float) -> [Float] {
        (0..<width * width).map { $0 / width == $0 % width ? value : 0 }
    }

    private static func safetensors(_ tensors: [Tensor]) -> [UInt8] {
        var header: JSONObject = [:]
        var data: [UInt8] = []
        for tensor in tensors {
            let start = data.count
            for value in tensor.values { withUnsafeBytes(of: value.bitPattern.littleEndian) { data += $0 } }
            header[tensor.name] = [
                "dtype": "F32", "shape": .array(tensor.shape.map { .int(Int64($0)) }),
                "data_offsets": [.int(Int64(start)), .int(Int64(data.count))],
            ]
        }
        var text = JSON.encode(.object(header))
        text += [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
        return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text + data
    }
}
