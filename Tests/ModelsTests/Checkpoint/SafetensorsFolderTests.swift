import Models
import TestSupport
import Testing
import Values

/// Which files of a folder are the weights.
@Suite struct SafetensorsFolderTests {
    /// Opens a folder with a file for each name, whose tensor has the file's name.
    private func open(_ names: [String], index: String? = nil) throws -> any Checkpoint {
        let folder = TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        for (value, name) in names.enumerated() {
            var writer = SafetensorsWriter()
            writer.add(name, [1], [Float(value)])
            folder.write("\(name).safetensors", writer.bytes)
        }
        if let index { folder.write("model.safetensors.index.json", text: index) }
        return try openCheckpoint(folder.path, .auto)
    }

    @Test(arguments: [
        ["adapter_model"], ["optimizer"], ["model.fp16"], ["consolidated"], ["consolidated", "adapter_model"],
        ["training_args", "scheduler", "random_states_0"],
    ])
    func whatLiesBesideTheModelsFileIsToldOfAndNotRead(_ others: [String]) throws {
        let checkpoint = try open(["model"] + others)
        #expect(Set(checkpoint.tensors.keys) == ["model"])
        #expect(checkpoint.warnings.count == 1)
        for name in others { #expect(checkpoint.warnings[0].contains("\(name).safetensors")) }
    }

    @Test func hiddenFilesAreNobodys() throws {
        let folder = TemporaryFolder()
        var writer = SafetensorsWriter()
        writer.add("model", [1], [1])
        folder.write("model.safetensors", writer.bytes)
        folder.write("._model.safetensors", [0, 5, 22, 7])
        let checkpoint = try openCheckpoint(folder.path, .auto)
        #expect(Set(checkpoint.tensors.keys) == ["model"] && checkpoint.warnings == [])
    }

    @Test func partsOfASplitModelCountTogether() throws {
        let names = ["model-00001-of-00002", "model-00002-of-00002"]
        let checkpoint = try open(names + ["model-copy", "adapter_model"])
        #expect(Set(checkpoint.tensors.keys) == Set(names))
    }

    @Test(arguments: [
        ["pytorch_model"], ["model-1", "weights"], ["consolidated"], ["consolidated.00", "consolidated.01"],
    ])
    func filesOfOtherNamesAreAllRead(_ names: [String]) throws {
        let checkpoint = try open(names)
        #expect(Set(checkpoint.tensors.keys) == Set(names) && checkpoint.warnings == [])
    }

    @Test func anAdapterAloneIsNoModel() {
        _ = checkpointError(naming: "adapter_model.safetensors") {
            _ = try open(["adapter_model"])
        }
    }

    @Test func aStaleEntryOfTheIndexIsToldOf() throws {
        let index = #"{"weight_map":{"one":"one.safetensors","gone":"one.safetensors","two":"one.safetensors"}}"#
        let checkpoint = try open(["one", "two"], index: index)
        #expect(Set(checkpoint.tensors.keys) == ["one"])
        #expect(checkpoint.warnings.count == 1 && checkpoint.warnings[0].contains("2 tensor(s)"))
        #expect(checkpoint.warnings[0].contains("model.safetensors.index.json") && isOneLine(checkpoint.warnings[0]))
    }
}
