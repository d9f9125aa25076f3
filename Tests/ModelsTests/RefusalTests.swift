import JSON
import Models
import TestSupport
import Testing

/// What a known architecture cannot compute ends the start with the key and what is supported.
@Suite struct RefusalTests {
    /// A key of an architecture, and a value that it cannot compute.
    struct Refusal: Sendable, CustomTestStringConvertible {
        let architecture: String
        let key: String
        let value: JSONValue
        /// What the line says is supported.
        let supported: String

        init(_ architecture: String, _ key: String, _ value: JSONValue, _ supported: String) {
            (self.architecture, self.key, self.value, self.supported) = (architecture, key, value, supported)
        }

        var testDescription: String { "\(architecture).\(key)" }
    }

    static let all: [Refusal] = [
        .init("LlamaForCausalLM", "hidden_act", "gelu", "silu"),
        .init("LlamaForCausalLM", "attn_logit_softcapping", 50, "0, or none"),
        .init(
            "LlamaForCausalLM", "rope_scaling", ["rope_type": "parrot"],
            "default, linear, dynamic, llama3, yarn, longrope, proportional"),
        .init(
            "LlamaForCausalLM", "layer_types", ["linear_attention", "full_attention"],
            "full_attention, sliding_attention"),
        .init("Gemma2ForCausalLM", "hidden_activation", "tanh", "gelu, gelu_new, gelu_pytorch_tanh, relu, silu"),
        .init("Gemma3ForCausalLM", "use_bidirectional_attention", true, "false"),
        .init("Phi3ForCausalLM", "attention_bias", true, "false"),
        .init("SmolLM3ForCausalLM", "use_sliding_window", true, "false"),
        .init("OlmoeForCausalLM", "clip_qkv", 8, "none"),
        .init("Exaone4ForCausalLM", "mlp_bias", true, "false"),
        .init("Exaone4ForCausalLM", "layer_types", ["chunked_attention"], "full_attention, sliding_attention"),
        .init("CohereForCausalLM", "use_qk_norm", true, "false"),
        .init("Cohere2ForCausalLM", "use_qk_norm", true, "false"),
        .init("Cohere2ForCausalLM", "hidden_act", "gelu", "silu"),
        .init("Starcoder2ForCausalLM", "use_bias", false, "true"),
        .init("StableLmForCausalLM", "qk_layernorm", true, "false"),
        .init("Glm4MoeForCausalLM", "n_group", 2, "1, or none"),
        .init("Ernie4_5_MoeForCausalLM", "use_bias", true, "false"),
        .init("Ernie4_5_MoeForCausalLM", "moe_norm_min", 0.001, "1e-12, or none"),
        .init("Gemma4ForCausalLM", "use_bidirectional_attention", "all", "vision, or none"),
        .init("Gemma4ForCausalLM", "vocab_size_per_layer_input", 96, "vocab_size, 97"),
        .init("Gemma4ForCausalLM", "hidden_activation", "tanh", "gelu, gelu_new, gelu_pytorch_tanh, relu, silu"),
        .init("GptOssForCausalLM", "swiglu_limit", 5, "7, or none"),
    ]

    @Test(arguments: all) func aKeyThatCannotBeComputedIsNamedWithWhatCan(_ refusal: Refusal) {
        let error = checkpointError(naming: refusal.key) {
            _ = try ModelConfigTests.load([
                "architectures": [.string(refusal.architecture)], "model_type": .some(nil), "num_local_experts": 4,
                "num_experts_per_tok": 2, "moe_intermediate_size": 32, refusal.key: refusal.value,
            ])
        }
        #expect(error?.description.contains("supported: " + refusal.supported) == true, "\(error as Any)")
        #expect(error?.description.contains("\n") == false)
    }
}
