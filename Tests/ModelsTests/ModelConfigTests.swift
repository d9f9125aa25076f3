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

    /// The small configuration as a file.
    static var text: String { JSON.encodeToString(members()) }

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
        #expect(config.architecture == "LlamaForCausalLM" && config.modelType == "llama")
        #expect(config.hiddenSize == 64 && config.layerCount == 2 && config.intermediateSize == 96)
        #expect(config.vocabularySize == 97 && config.headCount == 4 && config.keyValueHeadCount == 2)
        #expect(config.headDimension == 16 && config.normEpsilon == 1e-5)
        #expect(config.maxPositionEmbeddings == 256 && config.derivedContextLength == 256)
        #expect(config.rope == RopeConfig(theta: 10_000, scaling: .none, rotaryDimension: 16))
        #expect(!config.tiesWordEmbeddings && config.warnings.isEmpty)
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
        #expect(try of("Qwen2ForCausalLM").maxPositionEmbeddings == 32768)
        let qwen3 = try of("Qwen3ForCausalLM")
        #expect(qwen3.rope.theta == 1_000_000 && qwen3.maxPositionEmbeddings == 32768)
        #expect(try of("MistralForCausalLM").maxPositionEmbeddings == 8192)
    }

    @Test(arguments: [("mistral", "MistralForCausalLM"), ("qwen2", "Qwen2ForCausalLM"), ("qwen3", "Qwen3ForCausalLM")])
    func theModelTypeStandsForAnArchitectureThatIsNotNamed(_ type: String, _ architecture: String) throws {
        let config = try Self.load(["architectures": .some(nil), "model_type": .string(type)])
        #expect(config.architecture == architecture && config.modelType == type)
        let named = try Self.load(["architectures": [.string(architecture)], "model_type": .some(nil)])
        #expect(named.architecture == architecture && named.modelType == type)
    }

    /// What is listed as supported is what loads: nothing is announced and then refused.
    @Test(arguments: ["GPT2LMHeadModel", "BertForTokenClassification", "Qwen3ForQuestionAnswering"])
    func theErrorForAnUnknownArchitectureListsExactlyWhatLoads(_ name: String) throws {
        let error = checkpointError(naming: "config.json") { _ = try Self.load(["architectures": [.string(name)]]) }
        let listed = Architecture.names.joined(separator: ", ")
        #expect(error?.description.hasSuffix("`\(name)` is not supported; supported: \(listed)") == true)
        for name in Architecture.names {
            let changes: [String: JSONValue?] = [
                "architectures": [.string(name)], "model_type": .some(nil), "text_config": [:],
                "use_bidirectional_attention": name == "Gemma3TextModel" ? true : .some(nil),
                "num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32,
                "shared_expert_intermediate_size": 32,
            ]
            #expect(try Self.load(changes).architecture == name)
        }
    }

    @Test func modelTypeStandsInForAbsentArchitectures() throws {
        #expect(try Self.load(["architectures": .some(nil), "model_type": "qwen2"]).architecture == "Qwen2ForCausalLM")
    }

    @Test func anUnknownArchitectureListsTheSupportedOnes() {
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
            ("eos_token_id", "</s>"), ("eos_token_id", [1.5]), ("eos_token_id", 1e20), ("eos_token_id", "2x"),
            ("quantization_config", 4), ("torch_dtype", 16), ("model_max_length", 0), ("model_max_length", "x"),
            ("attn_logit_softcapping", 50), ("final_logit_softcapping", 30), ("logit_scale", 0.5),
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
        let config = try Self.load(["eos_token_id": .some(.null)])
        #expect(config.eosTokenIDs == [])
    }

    @Test func anEndOfTextIdMayBeWrittenAsText() throws {
        #expect(try Self.load(["eos_token_id": "7"], generation: #"{"eos_token_id":"3"}"#).eosTokenIDs == [3, 7])
        for bad in ["{", #"{"eos_token_id":"x"}"#] {
            _ = checkpointError(naming: "generation_config.json") { _ = try Self.load(generation: bad) }
        }
    }

    /// Keys that other programs read may hold anything.
    @Test(
        arguments: [
            ("sliding_window", 0), ("sliding_window", "wide"), ("id2label", ["0": "A", "7": "B"]), ("id2label", 3),
            ("num_labels", -1), ("bos_token_id", true), ("pad_token_id", "<pad>"), ("layer_types", [1]),
            ("matryoshka_dimensions", [0]), ("initializer_range", "x"), ("logit_scale", 1),
            ("query_pre_attn_scalar", "x"),
            ("attn_logit_softcapping", nil), ("final_logit_softcapping", 0.0),
        ] as [(String, JSONValue)])
    func whatNobodyReadsMayBeAnything(_ key: String, _ value: JSONValue) throws {
        let plain = try Self.load(), odd = try Self.load([key: .some(value)])
        #expect(odd.hiddenSize == plain.hiddenSize && odd.rope == plain.rope && odd.eosTokenIDs == plain.eosTokenIDs)
    }

    @Test(arguments: [
        #""initializer_range": NaN"#, #""time_step_limit": [0.0, Infinity]"#, #""low": -Infinity"#,
        #""model_max_length": 1000000000000000019884624838656"#, #""max_seq_len": 1e999"#,
        #""seed": -99999999999999999999999"#,
    ])
    func numbersThatNobodyReadsMayBeNone(_ member: String) throws {
        let folder = TemporaryFolder()
        let text = JSON.encodeToString(Self.members())
        folder.write("config.json", text: "{" + member + "," + text.dropFirst())
        #expect(try ModelConfig.load(modelPath: folder.path).derivedContextLength == 256)
    }

    @Test(arguments: [#"{"temperature":-1,"top_p":1.5}"#, #"{"temperature":"hot","top_k":[],"min_p":NaN}"#])
    func samplingDefaultsThatNobodyReadsMayBeAnything(_ generation: String) throws {
        #expect(try Self.load(generation: generation).eosTokenIDs == [])
    }

    @Test func aLengthBeyondEveryContextSaysNothing() throws {
        #expect(try Self.load(["model_max_length": 1e300]).derivedContextLength == 256)
        #expect(try Self.load(["model_max_length": 1e30]).derivedContextLength == 256)
        #expect(try Self.load(["model_max_length": 1000]).derivedContextLength == 1000)
    }

    @Test func theOlderRopeSectionThatSaysSomethingElseIsToldOf() throws {
        let newer: JSONValue = ["rope_type": "linear", "factor": 2]
        let differing = try Self.load(["rope_parameters": newer, "rope_scaling": ["rope_type": "linear", "factor": 4]])
        #expect(differing.rope.scaling == .linear(factor: 2))
        #expect(differing.warnings.count == 1 && differing.warnings[0].contains("rope_scaling"))
        #expect(try Self.load(["rope_parameters": newer, "rope_scaling": newer]).warnings == [])
    }

    @Test func overridesReplaceMembers() throws {
        let config = try Self.load(overrides: ["num_hidden_layers": 1, "rope_theta": 77])
        #expect(config.layerCount == 1 && config.rope.theta == 77 && config.hiddenSize == 64)
        _ = checkpointError(naming: "hidden_size") { _ = try Self.load(overrides: ["hidden_size": "x"]) }
        _ = checkpointError(naming: "--json-model-override-args") { _ = try Self.load(overrides: [1]) }
    }

    @Test func readsTheMethodOfQuantization() throws {
        #expect(try Self.load(["quantization_config": ["quant_method": "awq"]]).quantizationMethod == "awq")
        #expect(try Self.load(["quantization_config": [:]]).quantizationMethod == nil)
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

    @Test(arguments: [("float32", .bfloat16), (nil, .bfloat16), ("float16", .float16)] as [(String?, DType)])
    func gemmaInFloat32RunsInBFloat16(name: String?, auto: DType) throws {
        let config = try Self.load([
            "architectures": ["Gemma2ForCausalLM"], "model_type": "gemma2", "torch_dtype": name.map { .string($0) },
        ])
        #expect(config.resolvedDType(flag: .auto) == auto)
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
