import Foundation
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// Damaged model files end the start with a line that names the file and the place, and leave no process.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(2))) struct BadFileTests {
        /// A way to damage a file of a model, and what the complaint has to name besides the file.
        struct Damage: Sendable, CustomTestStringConvertible {
            let model: String
            let file: String
            let what: String
            let place: String
            let change: @Sendable (inout [UInt8]) -> Void

            var testDescription: String { "\(file): \(what)" }
        }

        static let damages: [Damage] = [
            .init(model: "llama-tied", file: "model.safetensors", what: "cut in the header", place: "byte 0") {
                $0.removeSubrange(700...)
            },
            .init(model: "llama-tied", file: "model.safetensors", what: "cut in the weights", place: "model.") {
                $0.removeLast(100)
            },
            .init(model: "llama-tied", file: "model.safetensors", what: "empty", place: "byte 0") { $0 = [] },
            .init(model: "llama-tied", file: "model.safetensors", what: "length of the header", place: "byte 0") {
                $0[6] ^= 0x40
            },
            .init(model: "llama-tied", file: "model.safetensors", what: "a bit in the header's JSON", place: "byte") {
                $0[8] ^= 1
            },
            .init(model: "llama-tied", file: "model.safetensors", what: "a tensor's name", place: "model.norm.weight") {
                $0.replace("model.norm.weight", "model.nurm.weight")
            },
            .init(model: "llama-tied", file: "model.safetensors", what: "a tensor's shape", place: "model.norm.weight")
            {
                $0.replace(
                    #""model.norm.weight":{"dtype":"BF16","shape":[80]"#,
                    #""model.norm.weight":{"dtype":"BF16","shape":[81]"#)
            },
            .init(model: "llama-tied", file: "config.json", what: "cut", place: "byte") { $0.removeSubrange(200...) },
            .init(model: "llama-tied", file: "config.json", what: "a bit", place: "byte") { $0[30] ^= 0x80 },
            .init(model: "llama-tied", file: "config.json", what: "a key", place: "intermediate_size") {
                $0.replace("intermediate_size", "intermediate_sizf")
            },
            .init(model: "llama-tied", file: "config.json", what: "another type", place: "hidden_size") {
                $0.replace(#""hidden_size": 80"#, #""hidden_size": "80""#)
            },
            .init(
                model: "llama-tied", file: "config.json", what: "an unknown architecture",
                place: "`ParrotForCausalLM` is not supported; supported: "
            ) { $0.replace("LlamaForCausalLM", "ParrotForCausalLM") },
            .init(
                model: "llama-tied", file: "config.json", what: "an unknown quantization",
                place: "quantization_config.quant_method"
            ) { $0.replace(#""hidden_act""#, #""quantization_config": {"quant_method": "parrot"}, "hidden_act""#) },
            .init(
                model: "llama-tied", file: "config.json", what: "an unknown rotation",
                place: "Unknown RoPE scaling type parrot; supported: default, linear"
            ) { $0.replace(#""rope_scaling": null"#, #""rope_scaling": {"rope_type": "parrot"}"#) },
            .init(
                model: "llama-tied", file: "config.json", what: "an unknown function",
                place: "key `hidden_act`: `gelu` is not supported for this architecture; supported: silu"
            ) { $0.replace(#""hidden_act": "silu""#, #""hidden_act": "gelu""#) },
            .init(model: "llama-tied", file: "tokenizer.json", what: "cut", place: "byte") {
                $0.removeSubrange(3000...)
            },
            .init(model: "llama-tied", file: "tokenizer.json", what: "a bit", place: "byte") { $0[0] ^= 4 },
            .init(model: "llama-tied", file: "tokenizer.json", what: "a key", place: "model") {
                $0.replace(#""vocab""#, #""vocac""#)
            },
            .init(model: "llama-untied", file: "model-00002-of-00003.safetensors", what: "cut", place: "byte") {
                $0.removeLast(1)
            },
            .init(
                model: "llama-untied", file: "model.safetensors.index.json", what: "a shard's name",
                place: "model-00004-of-00003"
            ) {
                $0.replace("model-00002-of", "model-00004-of")
            },
            .init(model: "llama-gguf", file: "tiny.gguf", what: "magic number", place: "byte 0") { $0[0] ^= 1 },
            .init(model: "llama-gguf", file: "tiny.gguf", what: "cut in the metadata", place: "byte") {
                $0.removeSubrange(900...)
            },
            .init(model: "llama-gguf", file: "tiny.gguf", what: "cut in the weights", place: ".weight") {
                $0.removeLast(64)
            },
            .init(model: "llama-gguf", file: "tiny.gguf", what: "a tensor's name", place: "norm.weight") {
                $0.replace("output_norm.weight", "output_nurm.weight")
            },
        ]

        @Test(arguments: damages) func damageIsNamedAndEndsTheStart(_ damage: Damage) throws {
            let folder = try Server.temporaryFolder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let model = folder + "/model"
            try FileManager.default.copyItem(atPath: Fixtures.path(damage.model), toPath: model)
            let file = model + "/" + damage.file
            let whole = Array(try #require(FileManager.default.contents(atPath: file)))
            var bytes = whole
            damage.change(&bytes)
            try #require(bytes != whole, "the file was not damaged")
            try Data(bytes).write(to: URL(fileURLWithPath: file))
            let path = damage.model == "llama-gguf" ? file : model
            let (ending, lines) = try Subprocess.run(
                Server.binary, Server.arguments(path, port: 0, folder: folder) + ["--dtype", "float32"])
            #expect(ending == .code(1))
            let isNamed = lines.contains { line in
                line.contains(file) && line.contains(damage.place) && !line.contains("server_args=")
            }
            #expect(isNamed, "\(lines.filter { !$0.contains("server_args=") }.joined(separator: "\n"))")
            let complaints = StartTests.complaints(lines)
            #expect(complaints.allSatisfy { $0.contains("ERROR: Start failed. ") }, "\(complaints)")
            #expect(Server.processes(of: folder + "/run") == [])
        }

        @Test(arguments: ["cut", "a bit in the middle", "a bit at the end", "empty"])
        func aDamagedWeightCacheIsMadeAnew(_ damage: String) throws {
            let question: JSONObject = [
                "text": "The keeper", "sampling_params": ["temperature": 0, "max_new_tokens": 16],
            ]
            let first = try Server("llama-tied")
            defer { first.destroy() }
            let before = try first.single(question).outcome
            #expect(try first.stop().ending == .code(0))
            let names = try FileManager.default.contentsOfDirectory(atPath: first.folder + "/weights")
            let name = try #require(names.first { $0.hasSuffix(".packed") })
            let file = first.folder + "/weights/" + name
            let whole = Array(try #require(FileManager.default.contents(atPath: file)))
            var bytes = whole
            switch damage {
            case "cut": bytes.removeLast(bytes.count / 2)
            case "a bit in the middle": bytes[bytes.count / 2] ^= 0x40
            case "a bit at the end": bytes[bytes.count - 1] ^= 1
            default: bytes = []
            }
            try Data(bytes).write(to: URL(fileURLWithPath: file))
            let second = try Server("llama-tied", folder: first.folder)
            defer { second.destroy() }
            #expect(try second.single(question).outcome == before)
            #expect(Array(try #require(FileManager.default.contents(atPath: file))) == whole)
        }
    }
}

extension [UInt8] {
    /// Replaces the first place where the bytes are those of `old`.
    mutating func replace(_ old: String, _ new: String) {
        if let range = firstRange(of: Array(old.utf8)) { replaceSubrange(range, with: new.utf8) }
    }
}
