import JSON
import Models
import Tensors
import TestSupport
import Testing
import Values

/// What a model is for, told from its files and the flags.
@Suite struct ModelTaskTests {
    private func task(_ fixture: String, _ settings: TaskSettings = TaskSettings()) throws -> ModelTask {
        let path = Fixture.folder + "/" + fixture
        return try ModelTask.of(try ModelConfig.load(modelPath: path), modelPath: path, settings: settings)
    }

    @Test(arguments: EncoderFixture.all) func aLoadedModelHasTheTaskThatItsFilesTell(_ fixture: EncoderFixture) throws {
        let model = try fixture.load()
        #expect(model.task == (try task(fixture.name)))
        #expect(model.task.maxTokens == model.config.derivedContextLength)
    }

    @Test func architecturesHaveTheirTasks() throws {
        let expected: [(String, ModelTask.Kind, Int, Bool)] = [
            ("llama-tied", .generation, 331, false), ("bert-mean", .embedding, 48, true),
            ("bert-dense", .embedding, 37, true), ("bert-pairs", .crossEncoder, 1, true),
            ("xlmr-pairs", .crossEncoder, 1, true), ("modern-pairs", .crossEncoder, 1, true),
            ("gemma-embedding", .embedding, 40, true), ("qwen3-embedding", .embedding, 48, false),
            ("qwen2-reward", .classification, 1, false), ("llama-classes", .classification, 3, false),
            ("internlm2-reward", .classification, 1, false), ("llama-attributes", .classification, 1, false),
            ("gemma2-reward", .classification, 1, false),
        ]
        for (name, kind, width, whole) in expected {
            let task = try task(name)
            #expect(task.kind == kind && task.width == width && task.wholePrompts == whole, "\(name)")
            #expect(task.normalizes == (kind == .embedding), "\(name)")
        }
        #expect(try task("llama-classes").labels == ["calm", "storm", "frost"])
        #expect(try task("qwen2-reward").labels == ["LABEL_0"])
        #expect(try task("bert-mean").trainedTokens == 316)
        #expect(try task("bert-mean", TaskSettings(rule: .sglang)).trainedTokens == nil)
    }

    @Test func positionsBehindThePaddingAreNoRoomForTokens() throws {
        #expect(try task("xlmr-cls").maxTokens == 318)
        #expect(try task("bert-mean").maxTokens == 320)
    }

    @Test func aFlagMakesVectorsOfADecoder() throws {
        let task = try task("qwen3-untied", TaskSettings(isEmbedding: true))
        #expect(task.kind == .embedding && task.width == 56 && task.normalizes && !task.wholePrompts)
        let model = try loadEncoder(
            Fixture.folder + "/qwen3-untied", task: TaskSettings(isEmbedding: true))
        #expect(model.task == task && model.report.warnings.isEmpty, "the head that nobody needs is not missed")
        #expect(try self.task("qwen3-untied", TaskSettings(isEmbedding: true, pooler: .mean)).wholePrompts)
    }

    @Test func theFlagForPoolingComesBeforeTheFilesAndTheRuleOfTheServerBeforeThem() throws {
        let texts = try EncoderFixture(name: "bert-mean").golden().texts
        func answers(_ settings: TaskSettings) throws -> [[Float]] {
            try EncoderFixture(name: "bert-mean").load(task: settings).answers(texts)
        }
        let own = try answers(TaskSettings())
        let first = try answers(TaskSettings(pooler: .cls))
        #expect(try answers(TaskSettings(pooler: .mean)) == own)
        #expect(try answers(TaskSettings(rule: .sglang)) == first)
        #expect(try answers(TaskSettings(pooler: .mean, rule: .sglang)) == own)
        let others = [first, try answers(TaskSettings(pooler: .last)), try answers(TaskSettings(pooler: .max))]
        for (index, answer) in own.enumerated() { for other in others { #expect(other[index] != answer) } }
        // SGLang reads no modules but EmbeddingGemma's.
        #expect(try task("bert-dense", TaskSettings(rule: .sglang)).width == 80)
        #expect(try task("gemma-embedding", TaskSettings(rule: .sglang)).width == 40)
    }

    @Test func dimensionsMayBeCutWhereTheConfigurationSaysSo() throws {
        func sizes(_ changes: [String: JSONValue?]) throws -> [Int]? {
            let folder = TemporaryFolder()
            folder.write("config.json", JSON.encode(ModelConfigTests.members(changes)))
            return try ModelTask.of(
                ModelConfig.load(modelPath: folder.path), modelPath: folder.path,
                settings: TaskSettings(isEmbedding: true)
            ).matryoshka
        }
        #expect(try sizes([:]) == nil)
        #expect(try sizes(["is_matryoshka": .some(false)]) == nil)
        #expect(try sizes(["is_matryoshka": .some(true)]) == [])
        #expect(try sizes(["matryoshka_dimensions": .some([32, 16])]) == [32, 16])
    }

    /// Files beside bert-mean's, and what is said about them.
    static let broken: [(file: String, text: String, complaint: String)] = [
        ("modules.json", "{}", "modules.json: JSON: is no list of modules"),
        ("modules.json", "[1]", "modules.json: element 0: is no object"),
        ("modules.json", #"[{"path":"x"}]"#, "key `0.type`: is absent"),
        ("modules.json", #"[{"path":"../x","type":"a.Dense"}]"#, "key `0.path`: leads out of the model's folder"),
        ("modules.json", #"[{"path":"x","type":"a.LSTM"}]"#, "type `LSTM`: is not supported"),
        ("modules.json", #"[{"path":"2_Dense","type":"a.Dense"}]"#, "2_Dense/config.json"),
        ("1_Pooling/config.json", "{}", "key `pooling_mode`: names no mode"),
        (
            "1_Pooling/config.json", #"{"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":true}"#,
            "key `pooling_mode`: names several modes"
        ),
        ("1_Pooling/config.json", #"{"pooling_mode":"middle"}"#, "key `pooling_mode`: `middle` is not a mode"),
        ("sentence_bert_config.json", #"{"max_seq_length":0}"#, "key `max_seq_length`"),
    ]

    @Test(arguments: broken) func badFilesAreNamed(_ given: (file: String, text: String, complaint: String)) throws {
        let folder = TemporaryFolder()
        let path = try folder.copy(Fixture(name: "bert-mean"))
        folder.write("bert-mean/" + given.file, text: given.text)
        let error = #expect(throws: CheckpointError.self) {
            try ModelTask.of(try ModelConfig.load(modelPath: path), modelPath: path)
        }
        #expect(error?.description.contains(given.complaint) == true, "\(error?.description ?? "no error")")
    }

    @Test(arguments: ["cls", "max", "mean", "lasttoken", "mean_sqrt_len_tokens", "weightedmean"])
    func theNewerDialectOfPoolingIsRead(_ mode: String) throws {
        let folder = TemporaryFolder()
        let path = try folder.copy(Fixture(name: "bert-mean"))
        folder.write("bert-mean/1_Pooling/config.json", text: #"{"pooling_mode":"\#(mode)"}"#)
        let texts = try EncoderFixture(name: "bert-mean").golden().texts
        let model = try loadEncoder(path)
        let flags: [String: PoolerType] = ["cls": .cls, "max": .max, "mean": .mean, "lasttoken": .last]
        let answers = model.answers(texts)
        if let flag = flags[mode] {
            #expect(
                try EncoderFixture(name: "bert-mean").load(task: TaskSettings(pooler: flag)).answers(texts) == answers)
        } else if mode == "mean_sqrt_len_tokens" {
            // The same direction as the mean.
            for (text, answer) in zip(texts, answers) { #expect(distance(unit(answer), text.answer) < 1e-4) }
        } else {
            for (text, answer) in zip(texts, answers) { #expect(distance(unit(answer), text.answer) > 1e-3) }
        }
    }

    @Test func anEncoderRefusesMorePositionsThanItHas() throws {
        let path = Fixture.folder + "/xlmr-cls"
        var limits = EncoderFixture.limits(try ModelConfig.load(modelPath: path))
        limits.positions = 319
        let source = ModelSource(path, config: try ModelConfig.load(modelPath: path), dtype: .float32)
        let error = #expect(throws: CheckpointError.self) {
            try loadModel(LoadOptions(source, limits: limits, compute: .init(isa: .avx2, threads: 1)))
        }
        #expect(error?.description.contains("max_position_embeddings") == true)
    }
}
