import Models
import TestSupport
import Testing
import Values

@Suite struct WeightBinderTests {
    private func open(_ folder: TemporaryFolder, _ names: [String]) throws -> any Checkpoint {
        var writer = SafetensorsWriter()
        for (index, name) in names.enumerated() {
            writer.add(name, [2, 2], [Float](repeating: Float(index), count: 4))
        }
        return try openCheckpoint(folder.write("model.safetensors", writer.bytes), .auto)
    }

    @Test func handsOutRowsAndFinishesWhenAllIsBound() throws {
        let folder = TemporaryFolder()
        let binder = WeightBinder(try open(folder, ["a", "b"]), ignoresHead: false)
        let a = try binder.bind("a", shape: [2, 2])
        let b = try binder.bindIfPresent("b", shape: [2, 2])
        let c = try binder.bindIfPresent("c", shape: [2, 2])
        #expect(c == nil)
        #expect(try binder.finish() == nil)
        #expect(try a.readAll() == [0, 0, 0, 0])
        #expect(try b?.readAll() == [1, 1, 1, 1])
        #expect(a.rowCount == 2 && a.rowElements == 2 && binder.contains("a") && !binder.contains("c"))
    }

    @Test func listsEveryMissingTensor() throws {
        let folder = TemporaryFolder()
        let binder = WeightBinder(try open(folder, ["a"]), ignoresHead: false)
        let absent = try binder.bind("x", shape: [1])
        _ = try binder.bind("y", shape: [1])
        let file = folder.path + "/model.safetensors"
        #expect(checkpointError { _ = try binder.finish() } == .missingTensors(path: file, names: ["x", "y"]))
        _ = checkpointError(naming: "x") { _ = try absent.readAll() }
    }

    @Test func listsEveryLeftOverTensor() throws {
        let folder = TemporaryFolder()
        let binder = WeightBinder(try open(folder, ["a", "z", "m"]), ignoresHead: false)
        _ = try binder.bind("a", shape: [2, 2])
        let file = folder.path + "/model.safetensors"
        #expect(try binder.finish() == .leftOverTensors(path: file, names: ["m", "z"]))
    }

    @Test func skipsRotaryTablesAndATiedHead() throws {
        let folder = TemporaryFolder()
        let names = [
            "model.layers.0.self_attn.rotary_emb.inv_freq", "rotary_emb.cos_cached", "rotary_emb.sin_cached",
            "lm_head.weight",
        ]
        let checkpoint = try open(folder, names)
        #expect(try WeightBinder(checkpoint, ignoresHead: true).finish() == nil)
        let extra = try WeightBinder(checkpoint, ignoresHead: false).finish()
        #expect(extra == .leftOverTensors(path: checkpoint.path, names: ["lm_head.weight"]))
    }

    @Test func shapeMismatchHasBothShapes() throws {
        let folder = TemporaryFolder()
        let binder = WeightBinder(try open(folder, ["a"]), ignoresHead: false)
        let error = checkpointError(naming: "[2, 2]") { _ = try binder.bind("a", shape: [4, 1]) }
        #expect(error?.description.contains("[4, 1]") == true)
    }

    @Test func findsTensorsWithoutOrBehindAPrefix() throws {
        let folder = TemporaryFolder()
        let binder = WeightBinder(
            try open(folder, ["norm.weight", "language_model.model.a", "model.language_model.b", "model.c"]),
            ignoresHead: false)
        for (index, name) in ["model.norm.weight", "model.a", "model.b", "model.c"].enumerated() {
            #expect(try binder.bind(name, shape: [2, 2]).readAll()[0] == Float(index))
        }
        #expect(try binder.finish() == nil)
    }

    @Test func prefersTheExactName() throws {
        let folder = TemporaryFolder()
        let binder = WeightBinder(try open(folder, ["a", "model.a"]), ignoresHead: false)
        #expect(try binder.bind("model.a", shape: [2, 2]).readAll()[0] == 1)
    }
}

@Suite struct DummyCheckpointTests {
    @Test func inventsWhateverIsAskedWithoutWeightFiles() throws {
        let folder = TemporaryFolder()
        folder.write("config.json", text: "{}")
        let checkpoint = try openCheckpoint(folder.path, .dummy)
        let binder = WeightBinder(checkpoint, ignoresHead: false)
        let values = try binder.bind("model.layers.0.mlp.up_proj.weight", shape: [100, 50]).readAll()
        let other = try binder.bind("model.layers.1.mlp.up_proj.weight", shape: [100, 50]).readAll()
        #expect(try binder.finish() == nil)
        #expect(values.allSatisfy { abs($0) <= 1e-3 })
        #expect(values != other)
        let mean: Float = values.reduce(0, +) / 5000
        let meanSquare: Float = values.reduce(0) { $0 + $1 * $1 } / 5000
        #expect(abs(mean) < 5e-5)
        // A uniform variable in ±a has the variance a²/3.
        #expect(abs(meanSquare - 1e-6 / 3) < 2e-8)
    }

    @Test func rowsDoNotDependOnHowTheyAreRead() throws {
        let folder = TemporaryFolder()
        folder.write("config.json", text: "{}")
        let tensor = try WeightBinder(try openCheckpoint(folder.path, .dummy), ignoresHead: false).bind(
            "t", shape: [7, 3])
        let whole = try tensor.readAll()
        var part = [Float](repeating: 0, count: 6)
        try part.withUnsafeMutableBufferPointer { try tensor.readRows(4..<6, into: $0.baseAddress!) }
        #expect(part == Array(whole[12..<18]))
        #expect(try tensor.readAll() == whole)
    }

    @Test func needsAConfiguration() {
        let folder = TemporaryFolder()
        _ = checkpointError(naming: "config.json") { _ = try openCheckpoint(folder.path, .dummy) }
    }
}
