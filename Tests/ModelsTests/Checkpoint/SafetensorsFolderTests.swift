import Models
import TestSupport
import Testing
import Values

/// Which files of a folder are the weights.
@Suite struct SafetensorsFolderTests {
    /// A folder with a file for each name, whose tensor has the file's name.
    private func folder(_ names: [String], index: String? = nil) -> TemporaryFolder {
        let folder = TemporaryFolder()
        for (value, name) in names.enumerated() {
            var writer = SafetensorsWriter()
            writer.add(name, [1], [Float(value)])
            folder.write("\(name).safetensors", writer.bytes)
        }
        if let index { folder.write("model.safetensors.index.json", text: index) }
        return folder
    }

    @Test(arguments: [
        ["adapter_model"], ["optimizer"], ["model.fp16"], ["consolidated"], ["consolidated", "adapter_model"],
        ["training_args", "scheduler", "random_states_0"],
    ])
    func whatLiesBesideTheModelsFileIsToldOfAndNotRead(_ others: [String]) throws {
        let checkpoint = try openCheckpoint(folder(["model"] + others).path, .auto)
        #expect(Set(checkpoint.tensors.keys) == ["model"])
        #expect(checkpoint.warnings.count == 1)
        for name in others { #expect(checkpoint.warnings[0].contains("\(name).safetensors")) }
    }

    @Test func hiddenFilesAreNobodys() throws {
        let folder = folder(["model"])
        folder.write("._model.safetensors", [0, 5, 22, 7])
        let checkpoint = try openCheckpoint(folder.path, .auto)
        #expect(Set(checkpoint.tensors.keys) == ["model"] && checkpoint.warnings == [])
    }

    @Test func partsOfASplitModelCountTogether() throws {
        let names = ["model-00001-of-00002", "model-00002-of-00002"]
        let checkpoint = try openCheckpoint(folder(names + ["model-copy", "adapter_model"]).path, .auto)
        #expect(Set(checkpoint.tensors.keys) == Set(names))
    }

    @Test(arguments: [
        ["pytorch_model"], ["model-1", "weights"], ["consolidated"], ["consolidated.00", "consolidated.01"],
    ])
    func filesOfOtherNamesAreAllRead(_ names: [String]) throws {
        let checkpoint = try openCheckpoint(folder(names).path, .auto)
        #expect(Set(checkpoint.tensors.keys) == Set(names) && checkpoint.warnings == [])
    }

    @Test func anAdapterAloneIsNoModel() {
        _ = checkpointError(naming: "adapter_model.safetensors") {
            _ = try openCheckpoint(folder(["adapter_model"]).path, .auto)
        }
    }

    @Test func aStaleEntryOfTheIndexIsToldOf() throws {
        let index = #"{"weight_map":{"one":"one.safetensors","gone":"one.safetensors","two":"one.safetensors"}}"#
        let checkpoint = try openCheckpoint(folder(["one", "two"], index: index).path, .auto)
        #expect(Set(checkpoint.tensors.keys) == ["one"])
        #expect(checkpoint.warnings.count == 1 && checkpoint.warnings[0].contains("2 tensor(s)"))
        #expect(checkpoint.warnings[0].contains("model.safetensors.index.json") && isOneLine(checkpoint.warnings[0]))
    }
}
