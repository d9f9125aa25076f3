import JSON
import Models
import Tensors
import TestSupport
import Testing
import Values

@Suite struct ModelConfigTests {
    /// A complete small configuration, with members replaced or removed (nil).
    static func members(_ changes: [String: JSONValue?] = [:]) -> JSONValue {
        var members: JSONObject = [
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2,
            "intermediate_size": 96, "vocab_size": 97, "num_attention_heads": 4, "num_key_value_heads": 2,
            "rms_norm_eps": 1e-5, "hidden_act": "silu", "max_position_embeddings": 256,
        ]
        for (key, value) in changes { members[key] = value }
        return .object(members)
    }

    /// Loads a folder with these files.
    static func load(
        _ changes: [String: JSONValue?] = [:], generation: String? = nil, overrides: JSONValue? = nil
    ) throws -> ModelConfig {
        let folder = TemporaryFolder()
        folder.write("config.json", JSON.encode(members(changes)))
        if let generation { folder.write("generation_config.json", text: generation) }
        return try ModelConfig.load(modelPath: folder.path, overrides: overrides)
    }

    @Test func readsTheSizes() throws {
        let config = try Self.load()
        #expect(config.architecture == "LlamaForCausalLM" && config.family == .llama && config.task == .generation)
        #expect(config.hiddenSize == 64 && config.layerCount == 2 && config.intermediateSize == 96)
        #expect(config.vocabularySize == 97 && config.headCount == 4 && config.keyValueHeadCount == 2)
        #expect(config.headDimension == 16 && config.normEpsilon == 1e-5)
        #expect(config.maxPositionEmbeddings == 256 && config.derivedContextLength == 256)
        #expect(config.rope == RopeConfig(theta: 10_000, scaling: .none, rotaryDimension: 16, isNeoxStyle: true))
        #expect(
            !config.tiesWordEmbeddings && !config.attentionInputBias && !config.attentionOutputBias && !config.mlpBias)
    }

    @Test(arguments: [
        "n_head_kv", "num_kv_heads", "num_key_value_heads", "multi_query_group_num", "num_attention_groups",
    ])
    func knowsTheAliasOfKeyValueHeads(_ key: String) throws {
        var changes: [String: JSONValue?] = ["num_key_value_heads": .some(nil)]
        changes[key] = .some(1)
        #expect(try Self.load(changes).keyValueHeadCount == 1)
    }

    @Test func absentKeyValueHeadsAreAsManyAsHeads() throws {
        #expect(try Self.load(["num_key_value_heads": .some(nil)]).keyValueHeadCount == 4)
        #expect(try Self.load(["num_key_value_heads": .some(.null)]).keyValueHeadCount == 4)
    }

    @Test func headDimensionMayDifferFromTheQuotient() throws {
        #expect(try Self.load(["head_dim": 48, "hidden_size": 70]).headDimension == 48)
    }

    @Test func familiesHaveTheirDefaults() throws {
        let changes: [String: JSONValue?] = ["max_position_embeddings": .some(nil)]
        func of(_ architecture: JSONValue, _ more: [String: JSONValue?] = [:]) throws -> ModelConfig {
            try Self.load(changes.merging(more) { $1 }.merging(["architectures": [architecture]]) { $1 })
        }
        let llama = try of("LlamaForCausalLM")
        #expect(llama.maxPositionEmbeddings == 8192 && llama.derivedContextLength == 2048 && llama.rope.theta == 10_000)
        let qwen2 = try of("Qwen2ForCausalLM", ["attention_bias": false])
        #expect(qwen2.maxPositionEmbeddings == 32768 && qwen2.attentionInputBias && !qwen2.attentionOutputBias)
        let qwen3 = try of("Qwen3ForCausalLM", ["attention_bias": true])
        #expect(qwen3.rope.theta == 1_000_000 && qwen3.normalizesQueryKey && qwen3.attentionInputBias)
        #expect(try of("MistralForCausalLM").family == .mistral)
        #expect(try of("LlamaForCausalLM", ["bias": true]).attentionOutputBias)
    }

    @Test func embeddingArchitecturesHaveNoHead() throws {
        for (name, family) in [
            ("Qwen3Model", ModelFamily.qwen3), ("MistralModel", .mistral), ("LlamaEmbeddingModel", .llama),
        ] {
            let config = try Self.load(["architectures": [.string(name)]])
            #expect(config.family == family && config.task == .embedding)
        }
    }

    @Test func modelTypeStandsInForAbsentArchitectures() throws {
        #expect(try Self.load(["architectures": .some(nil), "model_type": "qwen2"]).architecture == "Qwen2ForCausalLM")
    }

    @Test func anUnknownArchitectureListsTheSupportedOnes() {
        let error = checkpointError(naming: "config.json") { _ = try Self.load(["architectures": ["GPT2LMHeadModel"]]) }
        #expect(
            error?.description.contains("`GPT2LMHeadModel` is not supported; supported: LlamaForCausalLM, ") == true)
        _ = checkpointError(naming: "`gpt2`") {
            _ = try Self.load(["architectures": .some(nil), "model_type": "gpt2"])
        }
        _ = checkpointError(naming: "architectures") {
            _ = try Self.load(["architectures": .some(nil), "model_type": .some(nil)])
        }
    }

    @Test(
        arguments: [
            ("hidden_size", 0), ("hidden_size", -64), ("hidden_size", "64"), ("hidden_size", 64.5),
            ("hidden_size", nil),
            ("hidden_size", 9_223_372_036_854_775_807), ("hidden_size", 1e300), ("num_hidden_layers", 0),
            ("num_hidden_layers", 1_000_000), ("intermediate_size", 0), ("intermediate_size", 1e12), ("vocab_size", 0),
            ("vocab_size", 4_000_000_000), ("num_attention_heads", 0), ("num_attention_heads", 5),
            ("num_attention_heads", 3),
            ("num_key_value_heads", 3), ("num_key_value_heads", 0), ("num_key_value_heads", 8), ("head_dim", 0),
            ("head_dim", 15),
            ("head_dim", 100_000), ("rms_norm_eps", -1), ("rms_norm_eps", "x"), ("hidden_act", "gelu"),
            ("hidden_act", 1),
            ("max_position_embeddings", 0), ("max_position_embeddings", 1e18), ("rope_theta", 0), ("rope_theta", -5),
            ("rope_theta", "x"), ("partial_rotary_factor", 0), ("partial_rotary_factor", 2),
            ("partial_rotary_factor", 0.2),
            ("tie_word_embeddings", 1), ("tie_word_embeddings", "true"), ("attention_bias", 0), ("mlp_bias", "no"),
            ("architectures", "LlamaForCausalLM"), ("architectures", [1]), ("rope_scaling", 7),
            ("rope_parameters", "x"),
            ("eos_token_id", "</s>"), ("eos_token_id", [1.5]), ("eos_token_id", 1e20), ("bos_token_id", true),
            ("id2label", ["x": "a"]), ("id2label", ["5": "a"]), ("num_labels", 1e9), ("matryoshka_dimensions", [0]),
            ("quantization_config", 4), ("torch_dtype", 16), ("layer_types", [1]), ("model_max_length", 1e30),
        ] as [(String, JSONValue)]) func refusesAndNamesTheKey(key: String, value: JSONValue)
    {
        let named = ["head_dim": key, "num_attention_heads": "heads"][key] ?? key
        let isRotary = key == "head_dim" && value == 15
        let error = checkpointError(naming: "config.json") { _ = try Self.load([key: .some(value)]) }
        #expect(error?.description.contains(isRotary ? "partial_rotary_factor" : named) == true, "\(error as Any)")
    }

    @Test func acceptsIntegersWrittenAsFloats() throws {
        #expect(try Self.load(["hidden_size": 64.0, "rope_theta": 500_000]).rope.theta == 500_000)
    }

    @Test(arguments: ["", "{", "[]", "null", "{\"hidden_size\": NaN}", "\u{0}"]) func refusesNonsense(_ text: String) {
        let folder = TemporaryFolder()
        folder.write("config.json", text: text)
        _ = checkpointError(naming: "config.json") { _ = try ModelConfig.load(modelPath: folder.path) }
    }

    @Test func aConfigurationCutAnywhereIsRefused() {
        let folder = TemporaryFolder()
        let whole = JSON.encode(Self.members())
        for length in 0..<whole.count {
            folder.write("config.json", Array(whole.prefix(length)))
            _ = checkpointError(naming: "config.json") { _ = try ModelConfig.load(modelPath: folder.path) }
        }
    }

    @Test func aFolderWithoutConfigurationIsAnError() {
        let folder = TemporaryFolder()
        _ = checkpointError(naming: "config.json") { _ = try ModelConfig.load(modelPath: folder.path) }
        _ = checkpointError(naming: "absent") { _ = try ModelConfig.load(modelPath: folder.path + "/absent") }
    }

    @Test func endOfTextIdsOfBothFilesAreMerged() throws {
        #expect(try Self.load(["eos_token_id": 7]).eosTokenIDs == [7])
        #expect(try Self.load(["eos_token_id": [9, 7, 9]]).eosTokenIDs == [7, 9])
        #expect(try Self.load(["eos_token_id": 7], generation: #"{"eos_token_id":[3,7]}"#).eosTokenIDs == [3, 7])
        #expect(try Self.load(generation: #"{"eos_token_id":3}"#).eosTokenIDs == [3])
        let config = try Self.load(["eos_token_id": .some(.null), "bos_token_id": 1, "pad_token_id": -1])
        #expect(config.eosTokenIDs == [] && config.bosTokenID == 1 && config.padTokenID == nil)
    }

    @Test func readsGenerationDefaults() throws {
        let text = #"{"temperature":0.6,"top_k":20,"top_p":0.95,"min_p":0,"repetition_penalty":1.05,"do_sample":true}"#
        let generation = try Self.load(generation: text).generation
        #expect(generation.temperature == 0.6 && generation.topK == 20 && generation.topP == 0.95)
        #expect(generation.minP == 0 && generation.repetitionPenalty == 1.05)
        #expect(try Self.load().generation == GenerationDefaults())
        for bad in [#"{"temperature":"hot"}"#, #"{"top_k":1.5}"#, #"{"top_p":-1}"#, "{", #"{"eos_token_id":"x"}"#] {
            _ = checkpointError(naming: "generation_config.json") { _ = try Self.load(generation: bad) }
        }
    }

    @Test func overridesReplaceMembers() throws {
        let config = try Self.load(overrides: ["num_hidden_layers": 1, "rope_theta": 77])
        #expect(config.layerCount == 1 && config.rope.theta == 77 && config.hiddenSize == 64)
        _ = checkpointError(naming: "hidden_size") { _ = try Self.load(overrides: ["hidden_size": "x"]) }
        _ = checkpointError(naming: "--json-model-override-args") { _ = try Self.load(overrides: [1]) }
    }

    @Test func readsWhatOtherFamiliesUse() throws {
        let config = try Self.load([
            "sliding_window": 4096, "layer_types": ["full_attention", "full_attention"], "attn_logit_softcapping": 50,
            "final_logit_softcapping": 30, "logit_scale": 0.5, "query_pre_attn_scalar": 256,
            "id2label": ["1": "b", "0": "a"],
            "matryoshka_dimensions": [32, 64], "quantization_config": ["quant_method": "awq"],
        ])
        #expect(config.slidingWindow == 4096 && config.layerTypes?.count == 2 && config.attentionSoftCap == 50)
        #expect(config.finalSoftCap == 30 && config.logitScale == 0.5 && config.queryScale == 256)
        #expect(config.labels == ["a", "b"] && config.matryoshkaDimensions == [32, 64] && config.isMatryoshka)
        #expect(config.quantizationMethod == "awq")
        #expect(try Self.load(["num_labels": 2]).labels == ["LABEL_0", "LABEL_1"])
    }

    @Test(
        arguments: [
            ("bfloat16", .bfloat16, .bfloat16), ("float16", .float16, .float16), ("float32", .float32, .float16),
            ("float64", nil, .float16), (nil, nil, .float16),
        ] as [(String?, DType?, DType)]) func resolvesTheDType(name: String?, stored: DType?, auto: DType) throws
    {
        for key in ["torch_dtype", "dtype"] {
            let config = try Self.load([key: name.map { .string($0) }])
            #expect(config.checkpointDType == stored)
            #expect(config.resolvedDType(flag: .auto) == auto)
            #expect(
                config.resolvedDType(flag: .float32) == .float32 && config.resolvedDType(flag: .float16) == .float16)
            #expect(config.resolvedDType(flag: .bfloat16) == .bfloat16)
        }
    }

    @Test func limitsTheContextLength() throws {
        let config = try Self.load()
        #expect(try config.contextLength(flag: nil) == 256)
        #expect(try config.contextLength(flag: 100) == 100)
        _ = checkpointError(naming: "(300) is greater than") { _ = try config.contextLength(flag: 300) }
        _ = checkpointError(naming: "--context-length") { _ = try config.contextLength(flag: 0) }
        _ = checkpointError(naming: "--context-length") { _ = try config.contextLength(flag: .max) }
    }

    @Test func theAdviceOnALongerContextIsOneThatWorks() throws {
        let refused = checkpointError(naming: "--json-model-override-args") {
            _ = try Self.load().contextLength(flag: 300)
        }
        let advice = try #require(refused?.description.firstMatch(of: /\{.*\}/)?.output)
        let longer = try Self.load(overrides: JSON.parse(String(advice)))
        #expect(try longer.contextLength(flag: 300) == 300)
    }
}
