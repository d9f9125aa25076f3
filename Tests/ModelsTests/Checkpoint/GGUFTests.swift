import Models
import TestSupport
import Testing
import Values

@Suite struct GGUFTests {
    @Test func readsEveryKindOfValueOnTheWay() throws {
        let folder = TemporaryFolder()
        var writer = GGUFWriter.llama()
        let scalars: [GGUFField] = [
            .uint8(1), .int8(-1), .uint16(2), .int16(-2), .uint32(3), .int32(-3), .float32(0.5), .bool(true),
            .string("é"),
            .uint64(.max), .int64(.min), .float64(0.25),
        ]
        for (index, field) in scalars.enumerated() {
            writer.set("scalar.\(index)", field)
            writer.set("array.\(index)", .array([field, field], type: field.type))
        }
        let inner = GGUFField.array([.uint8(1), .uint8(2)], type: 0)
        writer.set("nested", .array([inner, .strings(["x", ""]), .array([inner], type: 9)], type: 9))
        writer.set("empty", .array([], type: 8))
        let checkpoint = try openCheckpoint(folder.write("m.gguf", writer.bytes), .auto)
        #expect(checkpoint.tensors.count == 21)
        #expect(try read(checkpoint, "model.norm.weight") == (49...56).map { Float($0) })
    }

    @Test(arguments: [2, 3] as [UInt32]) func readsVersion(_ version: UInt32) throws {
        let folder = TemporaryFolder()
        var writer = GGUFWriter.llama()
        writer.version = version
        #expect(try openCheckpoint(folder.write("m.gguf", writer.bytes), .gguf).tensors.count == 21)
    }

    @Test(arguments: [0, 1, 4, 0x0300_0000] as [UInt32]) func refusesVersion(_ version: UInt32) {
        let folder = TemporaryFolder()
        var writer = GGUFWriter.llama()
        writer.version = version
        let file = folder.write("m.gguf", writer.bytes)
        _ = checkpointError(naming: "m.gguf") { _ = try openCheckpoint(file, .auto) }
    }

    @Test func knowsAFileByItsMagic() throws {
        let folder = TemporaryFolder()
        let file = folder.write("weights", GGUFWriter.llama().bytes)
        #expect(try openCheckpoint(file, .auto).tensors.count == 21)
    }

    @Test func honoursTheAlignment() throws {
        let folder = TemporaryFolder()
        var writer = GGUFWriter.llama()
        writer.alignment = 128
        writer.set("general.alignment", .uint32(128))
        let checkpoint = try openCheckpoint(folder.write("m.gguf", writer.bytes), .auto)
        #expect(try read(checkpoint, "model.norm.weight") == (49...56).map { Float($0) })
    }

    @Test(arguments: [.uint32(0), .uint32(3), .uint64(1 << 40), .int32(32), .string("32")] as [GGUFField])
    func refusesAlignment(_ alignment: GGUFField) {
        let folder = TemporaryFolder()
        var writer = GGUFWriter.llama()
        writer.set("general.alignment", alignment)
        let file = folder.write("m.gguf", writer.bytes)
        _ = checkpointError(naming: "general.alignment") { _ = try openCheckpoint(file, .auto) }
    }

    @Test func refusesAFileCutAtAnyLength() {
        let folder = TemporaryFolder()
        let whole = GGUFWriter.llama().bytes
        for length in 0..<whole.count {
            let file = folder.write("cut.gguf", Array(whole.prefix(length)))
            _ = checkpointError(naming: "cut.gguf") { _ = try openCheckpoint(file, .auto) }
        }
    }

    @Test(arguments: 0..<8) func survivesFlippedBits(seed: UInt64) throws {
        let folder = TemporaryFolder()
        let whole = GGUFWriter.llama().bytes
        let header = whole.count - 48 * 4
        var generator = SplitMix64(seed: seed)
        for _ in 0..<150 {
            var damaged = whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                damaged[Int.random(in: 0..<header, using: &generator)] ^=
                    1 << UInt8.random(in: 0..<8, using: &generator)
            }
            let file = folder.write("flipped.gguf", damaged)
            _ = try openDamaged(file)
            do { _ = try ModelConfig.load(modelPath: file) } catch { #expect(isOneLine("\(error)")) }
        }
    }

    @Test(
        arguments: [
            ([], nil), ([1, 1, 1, 1, 1], nil), ([0], nil), ([2, 0], nil), ([-1], nil), ([Int.min], nil),
            ([1 << 32, 1 << 32], nil), ([1 << 61], nil), ([8], 32), ([8], 64), ([8], 1 << 40), ([8], UInt64.max),
            ([8], 4),
        ] as [([Int], UInt64?)]) func refusesAnImpossibleTensor(shape: [Int], offset: UInt64?)
    {
        let folder = TemporaryFolder()
        var writer = GGUFWriter()
        writer.add("first", [8], [Float](repeating: 0, count: 8))
        writer.tensors.append(
            .init(name: "bad", shape: shape, type: 0, data: [UInt8](repeating: 0, count: 32), offset: offset))
        if offset == 32 {
            writer.tensors[0] = .init(name: "first", shape: [16], type: 0, data: [UInt8](repeating: 0, count: 64))
        }
        let file = folder.write("m.gguf", writer.bytes)
        _ = checkpointError(naming: "bad") { _ = try openCheckpoint(file, .auto) }
    }

    @Test func refusesPartialBlocksAndUnknownTypes() {
        let folder = TemporaryFolder()
        for (type, shape) in [(UInt32(2), [2, 16]), (12, [128]), (99, [32]), (4, [32])] {
            var writer = GGUFWriter()
            writer.tensors.append(.init(name: "bad", shape: shape, type: type, data: [UInt8](repeating: 0, count: 256)))
            let file = folder.write("m.gguf", writer.bytes)
            _ = checkpointError(naming: "bad") { _ = try openCheckpoint(file, .auto) }
        }
    }

    /// Users know the types by the names of their files.
    @Test(arguments: [(16, "IQ2_XXS"), (19, "IQ1_S"), (21, "IQ3_S"), (34, "TQ1_0"), (40, "NVFP4")])
    func aTypeThatIsNotReadIsToldByName(_ type: UInt32, _ name: String) {
        let folder = TemporaryFolder()
        var writer = GGUFWriter()
        writer.tensors.append(
            .init(name: "bad", shape: [256], type: type, data: [UInt8](repeating: 0, count: 256)))
        let file = folder.write("m.gguf", writer.bytes)
        let error = checkpointError(naming: "tensor `bad`: type \(name) is not readable") {
            _ = try openCheckpoint(file, .auto)
        }
        #expect(error?.description.contains("Q2_K, Q3_K, Q4_K, Q5_K, Q6_K") == true)
    }

    @Test func aTextThatNobodyReadsNeedNotBeUTF8() throws {
        let folder = TemporaryFolder()
        let bytes = GGUFField(type: 8, payload: littleEndian(UInt64(2)) + [0xFF, 0xFE])
        var writer = GGUFWriter.llama()
        writer.set("general.name", bytes)
        let file = folder.write("m.gguf", writer.bytes)
        #expect(try openCheckpoint(file, .auto).tensors.count == 21)
        #expect(try ModelConfig.load(modelPath: file).hiddenSize == 8)
        writer.fields.removeAll { $0.key == "tokenizer.ggml.pre" }
        writer.set("tokenizer.ggml.pre", bytes)
        let read = folder.write("read.gguf", writer.bytes)
        _ = checkpointError(naming: "tokenizer.ggml.pre") { _ = try readStoredVocabulary(path: read) }
    }

    @Test func refusesDuplicates() {
        let folder = TemporaryFolder()
        var keys = GGUFWriter.llama()
        keys.set("general.architecture", .string("llama"))
        let first = folder.write("keys.gguf", keys.bytes)
        _ = checkpointError(naming: "duplicate key `general.architecture`") { _ = try openCheckpoint(first, .auto) }
        var tensors = GGUFWriter.llama()
        tensors.add("output_norm.weight", [8], [Float](repeating: 0, count: 8))
        let second = folder.write("tensors.gguf", tensors.bytes)
        _ = checkpointError(naming: "output_norm.weight") { _ = try openCheckpoint(second, .auto) }
    }

    @Test func refusesLyingCountsAndLengths() {
        let folder = TemporaryFolder()
        let magic = Array("GGUF".utf8) + littleEndian(UInt32(3))
        let lies: [[UInt8]] = [
            magic + littleEndian(UInt64.max) + littleEndian(UInt64(0)),
            magic + littleEndian(UInt64(0)) + littleEndian(UInt64.max),
            magic + littleEndian(UInt64(0)) + littleEndian(UInt64(1)) + littleEndian(UInt64(1) << 60)
                + [UInt8](repeating: 0, count: 64),
            magic + littleEndian(UInt64(0)) + littleEndian(UInt64(1)) + GGUFField.text("k") + littleEndian(UInt32(13))
                + [UInt8](repeating: 0, count: 64),
            magic + littleEndian(UInt64(0)) + littleEndian(UInt64(1)) + GGUFField.text("k") + littleEndian(UInt32(9))
                + littleEndian(UInt32(8)) + littleEndian(UInt64(1) << 61) + [UInt8](repeating: 0, count: 64),
            magic + littleEndian(UInt64(0)) + littleEndian(UInt64(1)) + GGUFField.text("k") + littleEndian(UInt32(9))
                + littleEndian(UInt32(12)) + littleEndian(UInt64(1) << 61) + [UInt8](repeating: 0, count: 64),
            magic + littleEndian(UInt64(0)) + littleEndian(UInt64(1)) + littleEndian(UInt64(2)) + [0xFF, 0xFE]
                + littleEndian(UInt32(0)) + [UInt8](repeating: 0, count: 64),
        ]
        for lie in lies {
            let file = folder.write("lie.gguf", lie)
            _ = checkpointError(naming: "byte ") { _ = try openCheckpoint(file, .auto) }
        }
        var deep = GGUFField.array([.uint8(1)], type: 0)
        for _ in 0..<20 { deep = .array([deep], type: 9) }
        var writer = GGUFWriter()
        writer.set("deep", deep)
        let file = folder.write("deep.gguf", writer.bytes)
        _ = checkpointError(naming: "nested") { _ = try openCheckpoint(file, .auto) }
    }

    @Test func mapsNamesToHuggingFace() throws {
        let folder = TemporaryFolder()
        var writer = GGUFWriter.llama(architecture: "qwen3")
        for (name, count) in [("attn_q.bias", 8), ("attn_q_norm.weight", 4), ("attn_k_norm.weight", 4)] {
            writer.add("blk.1.\(name)", [count], [Float](repeating: 0, count: count))
        }
        writer.add("blk.01.attn_q.bias", [8], [Float](repeating: 0, count: 8))
        let names = Set(try openCheckpoint(folder.write("m.gguf", writer.bytes), .auto).tensors.keys)
        var expected: Set = ["model.embed_tokens.weight", "model.norm.weight", "lm_head.weight", "blk.01.attn_q.bias"]
        for layer in 0..<2 {
            for module in [
                "input_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
                "post_attention_layernorm", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj",
            ] {
                expected.insert("model.layers.\(layer).\(module).weight")
            }
        }
        expected.formUnion(
            ["self_attn.q_proj.bias", "self_attn.q_norm.weight", "self_attn.k_norm.weight"].map {
                "model.layers.1.\($0)"
            })
        #expect(names == expected)
    }

    @Test func undoesTheRowOrderOfLlamaOnly() throws {
        let folder = TemporaryFolder()
        // What the converter does to 2 heads of 4 rows: reshape(heads, 2, 2, …).swapaxes(1, 2).
        let original = (0..<8).map { Float($0) }
        let converted: [Float] = [0, 2, 1, 3, 4, 6, 5, 7]
        for architecture in ["llama", "qwen2"] {
            var writer = GGUFWriter.llama(architecture: architecture)
            writer.add("blk.0.attn_q.bias", [8], converted)
            let expanded = converted.flatMap { [Float](repeating: $0, count: 8) }
            writer.tensors.removeAll { $0.name == "blk.0.attn_q.weight" }
            writer.add("blk.0.attn_q.weight", [8, 8], expanded)
            let checkpoint = try openCheckpoint(folder.write("\(architecture).gguf", writer.bytes), .auto)
            let rows = try read(checkpoint, "model.layers.0.self_attn.q_proj.weight")
            let expected = architecture == "llama" ? original : converted
            #expect(stride(from: 0, to: 64, by: 8).map { rows[$0] } == expected)
            #expect(try read(checkpoint, "model.layers.0.self_attn.q_proj.bias") == expected)
            #expect(try read(checkpoint, "model.layers.0.self_attn.q_proj.bias", rows: 5..<7) == Array(expected[5..<7]))
        }
    }

    @Test func usesTheKeyHeadsForKeys() throws {
        let folder = TemporaryFolder()
        let checkpoint = try openCheckpoint(folder.write("m.gguf", GGUFWriter.llama().bytes), .auto)
        // One key head of 4 rows: rows 1 and 2 change places. Values count up through the file.
        let firsts = (0..<4).compactMap {
            try? read(checkpoint, "model.layers.0.self_attn.k_proj.weight", rows: $0..<$0 + 1)[0]
        }
        #expect(firsts == [177, 193, 185, 201])
    }

    @Test func refusesHeadsThatDoNotDivideTheRows() {
        let folder = TemporaryFolder()
        for heads in [GGUFField.uint32(3), .uint32(0), .uint64(.max), .string("2"), .uint32(8)] {
            var writer = GGUFWriter.llama()
            writer.fields.removeAll { $0.key == "llama.attention.head_count" }
            writer.set("llama.attention.head_count", heads)
            let file = folder.write("m.gguf", writer.bytes)
            _ = checkpointError(naming: "m.gguf") { _ = try openCheckpoint(file, .auto) }
        }
    }

    @Test func joinsTheHalvesOfASplitFile() throws {
        let folder = TemporaryFolder()
        let whole = GGUFWriter.llama()
        for part in 0..<2 {
            var writer = whole
            writer.tensors = Array(part == 0 ? whole.tensors[..<10] : whole.tensors[10...])
            if part == 1 { writer.fields = [] }
            writer.set("split.no", .uint16(UInt16(part)))
            writer.set("split.count", .uint16(2))
            writer.set("split.tensors.count", .int32(21))
            folder.write("m-0000\(part + 1)-of-00002.gguf", writer.bytes)
        }
        for path in [folder.path, folder.path + "/m-00001-of-00002.gguf", folder.path + "/m-00002-of-00002.gguf"] {
            let checkpoint = try openCheckpoint(path, .auto)
            #expect(checkpoint.tensors.count == 21)
            #expect(try checkpoint.vocabulary()?.tokens.count == 6)
            #expect(checkpoint.identity.files.count == 2)
            let config = try ModelConfig.load(modelPath: path)
            #expect(config.hiddenSize == 8)
        }
    }

    @Test func refusesAnIncompleteOrMixedSplit() {
        let folder = TemporaryFolder()
        var writer = GGUFWriter.llama()
        writer.set("split.count", .uint16(2))
        let first = folder.write("m-00001-of-00002.gguf", writer.bytes)
        _ = checkpointError(naming: "m-00002-of-00002.gguf") { _ = try openCheckpoint(first, .auto) }
        folder.write("m-00002-of-00002.gguf", GGUFWriter.llama().bytes)
        _ = checkpointError(naming: "two parts") { _ = try openCheckpoint(first, .auto) }
        let renamed = folder.write("renamed.gguf", writer.bytes)
        _ = checkpointError(naming: "split.count") { _ = try openCheckpoint(renamed, .auto) }
    }

    @Test func lendsItsVocabulary() throws {
        let folder = TemporaryFolder()
        var writer = GGUFWriter.llama()
        writer.set("tokenizer.ggml.unknown_token_id", .uint32(.max))
        writer.set("tokenizer.chat_template", .string("{{ messages }}"))
        let file = folder.write("m.gguf", writer.bytes)
        let vocabulary = try #require(try readStoredVocabulary(path: file))
        #expect(vocabulary.model == "gpt2" && vocabulary.pre == "smollm")
        #expect(vocabulary.tokens == ["<s>", "</s>", "a", "b", "ab", "Ġa"])
        #expect(vocabulary.types == [3, 3, 1, 1, 1, 1])
        #expect(vocabulary.merges == ["a b", "Ġ a"])
        #expect(vocabulary.scores.isEmpty)
        #expect(vocabulary.bosTokenID == 0 && vocabulary.eosTokenID == 1 && vocabulary.unknownTokenID == nil)
        #expect(vocabulary.addsBOS == false && vocabulary.addsEOS == nil)
        #expect(vocabulary.chatTemplate == "{{ messages }}")
    }

    @Test func refusesAVocabularyThatDoesNotFitTogether() {
        let folder = TemporaryFolder()
        for (key, value) in [
            ("scores", GGUFField.array([.float32(1)], type: 6)), ("scores", .strings(["a"])), ("tokens", .uint32(1)),
            ("tokens", .array([.uint32(1)], type: 4)), ("add_bos_token", .uint32(1)), ("bos_token_id", .string("1")),
        ] {
            var writer = GGUFWriter.llama()
            writer.fields.removeAll { $0.key == "tokenizer.ggml.\(key)" }
            writer.set("tokenizer.ggml.\(key)", value)
            let file = folder.write("m.gguf", writer.bytes)
            _ = checkpointError(naming: "tokenizer.ggml.\(key)") { _ = try readStoredVocabulary(path: file) }
        }
    }
}
