import JSON
import Models
import Tensors
import TestSupport
import Testing
import Values

@Suite struct ModelConfigRopeTests {
    private func rope(_ changes: [String: JSONValue?]) throws -> RopeConfig { try ModelConfigTests.load(changes).rope }

    /// A scaling section in both dialects.
    private func both(_ scaling: JSONObject, theta: Double, check: (ModelConfig) throws -> Void) throws {
        try check(try ModelConfigTests.load(["rope_theta": .double(theta), "rope_scaling": .object(scaling)]))
        var parameters = scaling
        parameters["rope_theta"] = .double(theta)
        try check(try ModelConfigTests.load(["rope_parameters": .object(parameters)]))
        parameters["type"] = parameters["rope_type"]
        parameters["rope_type"] = nil
        try check(try ModelConfigTests.load(["rope_parameters": .object(parameters)]))
    }

    @Test func readsPlainRotationInBothDialects() throws {
        try both(["rope_type": "default"], theta: 5000) { #expect($0.rope.theta == 5000 && $0.rope.scaling == .none) }
        #expect(try rope(["rope_scaling": .some(.null), "rope_theta": 7]).scaling == .none)
        #expect(try rope(["rope_scaling": ["type": "mrope", "mrope_section": [1, 2]]]).scaling == .none)
    }

    @Test func linearStretchesTheContext() throws {
        try both(["rope_type": "linear", "factor": 2.5], theta: 10) {
            #expect($0.rope.scaling == .linear(factor: 2.5))
            #expect($0.derivedContextLength == 640 && $0.maxPositionEmbeddings == 256)
        }
    }

    @Test func readsDynamic() throws {
        try both(["rope_type": "dynamic", "factor": 4], theta: 10) {
            #expect($0.rope.scaling == .dynamic(factor: 4) && $0.derivedContextLength == 1024)
        }
        try both(["rope_type": "dynamic", "alpha": 1000], theta: 10) {
            #expect($0.rope.scaling == .dynamicAlpha(alpha: 1000))
        }
    }

    @Test func readsLlama3WithoutStretchingTheContext() throws {
        let scaling: JSONObject = [
            "rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4,
            "original_max_position_embeddings": 64,
        ]
        let expected = RopeScaling.llama3(
            factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalMaxPositions: 64)
        try both(scaling, theta: 500_000) { #expect($0.rope.scaling == expected && $0.derivedContextLength == 256) }
        try both(["rope_type": "llama3", "factor": 8], theta: 1) { #expect($0.derivedContextLength == 256) }
    }

    @Test func readsYarnWithDefaultsAndTopLevelOriginal() throws {
        try both(["rope_type": "yarn", "factor": 4], theta: 10) { config in
            guard case .yarn(let yarn) = config.rope.scaling else { return #expect(Bool(false)) }
            let expected = YarnDefaults(factor: 4, original: 256)
            #expect(YarnDefaults(factor: yarn.factor, original: yarn.originalMaxPositions) == expected)
            #expect(
                yarn.betaFast == 32 && yarn.betaSlow == 1 && yarn.truncates && yarn.mscale == nil)
            #expect(yarn.extrapolationFactor == 1 && yarn.attentionFactor == 1)
            #expect(config.derivedContextLength == 1024)
        }
        let config = try ModelConfigTests.load([
            "rope_scaling": ["type": "yarn", "factor": 4, "mscale": 0.7],
            "original_max_position_embeddings": 64,
        ])
        guard case .yarn(let yarn) = config.rope.scaling else { return #expect(Bool(false)) }
        #expect(yarn.originalMaxPositions == 64 && yarn.mscale == 0.7)
        #expect(config.derivedContextLength == 256)
    }

    private struct YarnDefaults: Equatable {
        var factor: Double
        var original: Int
    }

    @Test func readsNestedParametersOfFullAttention() throws {
        let rope = try rope([
            "rope_parameters": [
                "full_attention": ["rope_type": "linear", "factor": 8, "rope_theta": 1_000_000],
                "sliding_attention": ["rope_type": "default", "rope_theta": 10_000],
            ]
        ])
        #expect(rope.theta == 1_000_000 && rope.scaling == .linear(factor: 8))
    }

    @Test func aQuotientOfSizesRotatesExactlyThatMany() throws {
        for rotated in stride(from: 2, through: 98, by: 2) {
            let factor = JSONValue.double(Double(rotated) / 98)
            #expect(try rope(["head_dim": 98, "partial_rotary_factor": factor]).rotaryDimension == rotated)
        }
    }

    @Test func rotatesPartOfTheHead() throws {
        #expect(try rope(["partial_rotary_factor": 0.5]).rotaryDimension == 8)
        #expect(
            try rope(["rope_parameters": ["rope_type": "default", "partial_rotary_factor": 0.25]]).rotaryDimension == 4)
    }

    @Test(
        arguments: [
            ["rope_type": "spiral"], ["rope_type": 3], ["rope_type": "linear", "factor": 0],
            ["rope_type": "linear", "factor": "2"],
            ["rope_type": "linear", "factor": 1e300], ["rope_type": "longrope"],
            ["rope_type": "longrope", "short_factor": [1]],
            ["rope_type": "longrope", "short_factor": [0, 0, 0, 0, 0, 0, 0, 0]], ["rope_type": "dynamic", "alpha": -1],
            ["rope_type": "yarn", "beta_fast": 0], ["rope_type": "yarn", "truncate": 1],
            ["rope_type": "llama3", "original_max_position_embeddings": 0],
            ["rope_type": "llama3", "low_freq_factor": 0],
        ] as [JSONValue]) func refusesBadScaling(_ scaling: JSONValue)
    {
        _ = checkpointError(naming: "rope_scaling.") { _ = try ModelConfigTests.load(["rope_scaling": scaling]) }
    }

    @Test func namesAnUnknownType() {
        _ = checkpointError(naming: "Unknown RoPE scaling type spiral") {
            _ = try ModelConfigTests.load(["rope_scaling": ["type": "spiral"]])
        }
    }
}

@Suite struct ModelConfigGGUFTests {
    private func load(_ writer: GGUFWriter, config: String? = nil) throws -> ModelConfig {
        let folder = TemporaryFolder()
        if let config { folder.write("config.json", text: config) }
        return try ModelConfig.load(modelPath: folder.write("m.gguf", writer.bytes))
    }

    @Test func readsMetadata() throws {
        let config = try load(GGUFWriter.llama())
        #expect(config.architecture == "LlamaForCausalLM" && config.modelType == "llama")
        #expect(
            config.hiddenSize == 8 && config.layerCount == 2 && config.intermediateSize == 12
                && config.vocabularySize == 6)
        #expect(config.headCount == 2 && config.keyValueHeadCount == 1 && config.headDimension == 4)
        #expect(config.rope == RopeConfig(theta: 50_000, scaling: .none, rotaryDimension: 4))
        #expect(config.normEpsilon == 1e-5 && config.derivedContextLength == 64)
        #expect(config.eosTokenIDs == [1] && !config.tiesWordEmbeddings)
        #expect(config.resolvedDType(flag: .auto) == .bfloat16)
    }

    @Test func blocksOfAGGUFFileStayAsTheyAreUnlessAFlagAsksOtherwise() throws {
        let file = try load(GGUFWriter.llama())
        #expect(file.quantization(asked: .none, dtype: .auto) == .stored)
        for dtype in [ModelDType.bfloat16, .float16, .float32] {
            #expect(file.quantization(asked: .none, dtype: dtype) == .none)
        }
        for asked in [Quantization.stored, .w8a8Int8, .int4()] {
            #expect(file.quantization(asked: asked, dtype: .auto) == asked)
            #expect(file.quantization(asked: asked, dtype: .float32) == asked)
        }
        let folder = try ModelConfig.load(modelPath: Fixture.folder + "/llama-tied")
        #expect(folder.quantization(asked: .none, dtype: .auto) == .none)
    }

    @Test func anAbsentOutputMeansTied() throws {
        #expect(try load(GGUFWriter.llama(tied: true)).tiesWordEmbeddings)
    }

    @Test func knowsQwen() throws {
        let qwen2 = try load(GGUFWriter.llama(architecture: "qwen2"))
        #expect(qwen2.architecture == "Qwen2ForCausalLM" && qwen2.modelType == "qwen2")
        var writer = GGUFWriter.llama(architecture: "qwen3")
        writer.set("qwen3.attention.key_length", .uint32(6))
        writer.set("qwen3.attention.value_length", .uint32(6))
        let qwen3 = try load(writer)
        #expect(
            qwen3.architecture == "Qwen3ForCausalLM" && qwen3.headDimension == 6 && qwen3.rope.rotaryDimension == 4)
    }

    @Test(arguments: [(UInt32(0), "float32"), (1, "float16"), (32, "bfloat16"), (15, "bfloat16")])
    func takesTheDTypeFromTheFileType(type: UInt32, name: String) throws {
        var writer = GGUFWriter.llama()
        writer.set("general.file_type", .uint32(type))
        #expect("\(try load(writer).checkpointDType!)" == name)
    }

    @Test func readsScaling() throws {
        var yarn = GGUFWriter.llama()
        yarn.set("llama.rope.scaling.type", .string("yarn"))
        yarn.set("llama.rope.scaling.factor", .float32(4))
        yarn.set("llama.rope.scaling.original_context_length", .uint32(16))
        let config = try load(yarn)
        guard case .yarn(let scaling) = config.rope.scaling else { return #expect(Bool(false)) }
        #expect(scaling.factor == 4 && scaling.originalMaxPositions == 16 && config.derivedContextLength == 64)
        var old = GGUFWriter.llama()
        old.set("llama.rope.scale_linear", .float32(2))
        #expect(try load(old).rope.scaling == .linear(factor: 2))
    }

    @Test func takesTheFrequencyFactorsFromTheirTensor() throws {
        var writer = GGUFWriter.llama()
        writer.add("rope_freqs.weight", [2], [1, 8])
        #expect(try load(writer).rope.scaling == .frequencyFactors([1, 8]))
        let folder = TemporaryFolder()
        let checkpoint = try openCheckpoint(folder.write("m.gguf", writer.bytes), .auto)
        #expect(checkpoint.tensors["rope_freqs.weight"] == nil)
        var wrong = GGUFWriter.llama()
        wrong.add("rope_freqs.weight", [3], [1, 8, 8])
        _ = checkpointError(naming: "factors") { _ = try load(wrong) }
    }

    @Test func errorsNameTheMetadataKey() {
        for (key, value) in [
            ("block_count", GGUFField.uint32(0)), ("embedding_length", .string("8")),
            ("attention.head_count_kv", .uint32(0)),
            ("feed_forward_length", .array([.uint32(1)], type: 4)), ("rope.dimension_count", .uint32(9)),
        ] {
            var writer = GGUFWriter.llama()
            writer.fields.removeAll { $0.key == "llama.\(key)" }
            writer.set("llama.\(key)", value)
            _ = checkpointError(naming: key == "attention.head_count_kv" ? "m.gguf" : "llama.\(key)") {
                _ = try load(writer)
            }
            writer.fields.removeAll { $0.key == "llama.\(key)" }
            if key == "block_count" { _ = checkpointError(naming: "llama.block_count") { _ = try load(writer) } }
        }
    }

    /// Some converters write every size layer by layer.
    @Test(arguments: ["attention.head_count", "attention.head_count_kv", "feed_forward_length"])
    func aSizeMayBeWrittenForEachLayer(_ key: String) throws {
        let plain = try load(GGUFWriter.llama())
        func with(_ values: [Int32]) -> GGUFWriter {
            var writer = GGUFWriter.llama()
            writer.fields.removeAll { $0.key == "llama.\(key)" }
            writer.set("llama.\(key)", .array(values.map { .int32($0) }, type: 5))
            return writer
        }
        let value = Int32(key == "attention.head_count" ? 2 : key == "attention.head_count_kv" ? 1 : 12)
        let config = try load(with([value, value]))
        #expect(
            config.headCount == plain.headCount && config.keyValueHeadCount == plain.keyValueHeadCount
                && config.intermediateSize == plain.intermediateSize)
        for values in [[value, value + 1], [value], []] {
            _ = checkpointError(naming: "llama.\(key)") { _ = try load(with(values)) }
        }
    }

    @Test func refusesOtherArchitecturesAndExperts() {
        let error = checkpointError(naming: "`gemma9`") { _ = try load(GGUFWriter.llama(architecture: "gemma9")) }
        for name in ["llama", "qwen2", "qwen3"] { #expect(error?.description.contains(name) == true) }
        var experts = GGUFWriter.llama(architecture: "qwen3")
        experts.set("qwen3.expert_count", .uint32(8))
        let refusal = checkpointError(naming: "8 experts") { _ = try load(experts) }
        #expect(refusal?.description.contains("qwen3moe") == true)
        _ = checkpointError(naming: "m.gguf") { _ = try load(GGUFWriter()) }
    }

    @Test func llamaWithExpertsIsMixtral() throws {
        var writer = GGUFWriter.llama()
        #expect(try load(writer).architecture == "LlamaForCausalLM")
        writer.set("llama.expert_count", .uint32(8))
        writer.set("llama.expert_used_count", .uint32(2))
        #expect(try load(writer).architecture == "MixtralForCausalLM")
        writer.set("llama.expert_used_count", .uint32(9))
        _ = checkpointError(naming: "llama.expert_used_count") { _ = try load(writer) }
    }

    @Test func aConfigurationBesideTheFileCounts() throws {
        let text = JSON.encodeToString(ModelConfigTests.members(["tie_word_embeddings": true]))
        let config = try load(GGUFWriter.llama(), config: text)
        #expect(config.hiddenSize == 64 && !config.tiesWordEmbeddings)
    }
}
