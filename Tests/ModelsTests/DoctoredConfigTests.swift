import Foundation
import JSON
import Models
import TestSupport
import Testing

/// Configurations of every decoder with one value that asks for what is not computed: each ends the start with one line that names
/// the key and what is supported.
@Suite struct DoctoredConfigTests {
    /// A key, a value that no architecture computes, and the key that the error names.
    struct Doctoring: Sendable, CustomTestStringConvertible {
        let key: String
        let value: JSONValue
        let named: String

        init(_ key: String, _ value: JSONValue, names named: String? = nil) {
            (self.key, self.value, self.named) = (key, value, named ?? key)
        }

        var testDescription: String { "\(key) \(JSON.encodeToString(value))" }
    }

    /// What concerns the weights.
    static let quantizations: [Doctoring] =
        [
            ["quant_method": "bitsandbytes", "load_in_4bit": true], ["quant_method": "aqlm"], ["quant_method": "hqq"],
            ["quant_method": "torchao"], ["quant_method": "modelopt"], ["quant_method": "auto-round", "bits": 4],
        ].map { Doctoring("quantization_config", $0, names: "quant_method") } + [
            Doctoring("quantization_config", ["quant_method": "gptq", "bits": 5], names: "bits"),
            Doctoring(
                "quantization_config", ["quant_method": "gptq", "bits": 4, "checkpoint_format": "marlin"],
                names: "checkpoint_format"),
            Doctoring("quantization_config", ["quant_method": "awq", "bits": 8], names: "bits"),
            Doctoring("quantization_config", ["quant_method": "awq", "version": "gemv"], names: "version"),
            Doctoring(
                "quantization_config", ["quant_method": "compressed-tensors", "format": "nvfp4-pack-quantized"],
                names: "format"),
            Doctoring(
                "quantization_config",
                ["quant_method": "compressed-tensors", "sparsity_config": ["format": "sparse-24-bitmask"]],
                names: "format"),
            Doctoring(
                "quantization_config",
                ["quant_method": "compressed-tensors", "transform_config": ["config_groups": ["R1": [:]]]],
                names: "transform_config"),
        ]

    /// What concerns the layers; the function of the MLP has one of two keys.
    static let layers: [Doctoring] = [
        Doctoring("hidden_act", "parrot"), Doctoring("layer_types", ["chunked_attention"]),
        Doctoring("rope_scaling", ["rope_type": "parrot", "factor": 2], names: "rope_type"),
        Doctoring("rope_parameters", ["rope_type": "axial", "rope_theta": 100], names: "rope_type"),
    ]

    static let fixtures = Fixture.all.filter { fixture in
        FileManager.default.fileExists(atPath: fixture.path + "/config.json")
    }

    @Test(arguments: fixtures) func everyArchitectureRefusesWhatItCannotComputeByName(_ fixture: Fixture) throws {
        let original = try #require(
            try JSON.parse(String(contentsOfFile: fixture.path + "/config.json", encoding: .utf8)).objectValue)
        for doctoring in Self.layers + Self.quantizations {
            let error = checkpointError {
                let folder = TemporaryFolder()
                folder.write("config.json", JSON.encode(.object(Self.doctored(original, doctoring))))
                _ = try ModelConfig.load(modelPath: folder.path)
            }
            let line = try #require(error?.description, "\(doctoring)")
            let function = doctoring.named == "hidden_act" ? "hidden_activation" : doctoring.named
            #expect(line.contains(doctoring.named) || line.contains(function), "\(doctoring): \(line)")
            #expect(line.contains("supported: "), "\(doctoring): \(line)")
        }
    }

    @Test func anUnknownArchitectureIsNamedBesideAllThatAreKnown() throws {
        for (architectures, type) in [(["ParrotForCausalLM"], "llama"), (nil, "parrot")] as [([String]?, String)] {
            var changes: [String: JSONValue?] = ["model_type": .some(.string(type))]
            changes["architectures"] = .some(architectures.map { .array($0.map { .string($0) }) })
            let error = checkpointError { _ = try ModelConfigTests.load(changes) }
            #expect(error?.description.contains(architectures?.first ?? type) == true)
            for name in ["Gemma4ForCausalLM", "GptOssForCausalLM", "BertModel"] {
                #expect(error?.description.contains(name) == true, "\(error as Any)")
            }
        }
    }

    @Test(arguments: ["MistralForCausalLM", "MixtralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM"])
    func aWindowThatIsPassedOverIsSaid(_ architecture: String) throws {
        var changes: [String: JSONValue?] = [
            "architectures": [.string(architecture)], "num_local_experts": 4, "sliding_window": 64,
        ]
        let isOffUnlessAsked = architecture.hasPrefix("Qwen")
        #expect(try ModelConfigTests.load(changes).warnings.isEmpty == isOffUnlessAsked)
        changes["use_sliding_window"] = true
        let warnings = try ModelConfigTests.load(changes).warnings
        #expect(warnings.count == 1 && warnings[0].contains("`sliding_window` 64"))
        changes["sliding_window"] = 256
        #expect(try ModelConfigTests.load(changes).warnings.isEmpty)
    }

    /// The configuration with the value, in its part for texts where it has one.
    private static func doctored(_ original: JSONObject, _ doctoring: Doctoring) -> JSONObject {
        var config = original
        var text = original["text_config"]?.objectValue ?? original
        var key = doctoring.key
        if key == "hidden_act", text["hidden_activation"] != nil { key = "hidden_activation" }
        if key.hasPrefix("rope_") { (text["rope_scaling"], text["rope_parameters"]) = (nil, nil) }
        text[key] = doctoring.value
        if original["text_config"] == nil { return text }
        config["text_config"] = .object(text)
        return config
    }
}
