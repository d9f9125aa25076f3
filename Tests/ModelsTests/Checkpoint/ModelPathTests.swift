import Foundation
import Models
import TestSupport
import Testing
import Values

/// One answer to what a path is, by what lies there and not by what it is called.
@Suite struct ModelPathTests {
    private let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"

    private func opens(_ path: String) throws -> Bool {
        try openCheckpoint(path, .auto).tensors.count == 21 && ModelConfig.load(modelPath: path).hiddenSize == 8
            && readStoredVocabulary(path: #require(try ModelPath(path).gguf()))?.tokens.count == 6
    }

    @Test(arguments: ["sha256-0123456789abcdef", "model", "MODEL.GGUF", "a b ü #1.gguf", "model.gguf.part"])
    func aFileIsWhatItBeginsWith(_ name: String) throws {
        let folder = TemporaryFolder()
        #expect(try opens(folder.write(name, GGUFWriter.llama().bytes)))
        #expect(try opens(folder.path), "the folder of one such file")
    }

    @Test func aFileThatIsNoneOfThemIsTold() throws {
        let folder = TemporaryFolder()
        #expect(try ModelPath(folder.write("notes", text: "hello")).kind == .other)
        #expect(try ModelPath(folder.write("odd", text: " \n{\"model\":{}}")).kind == .json)
        #expect(try ModelPath(folder.write("empty", [])).kind == .other)
        var writer = SafetensorsWriter()
        writer.add("a", [1], [1])
        #expect(try ModelPath(folder.write("blob", writer.bytes)).kind == .safetensors)
        #expect(try openCheckpoint(folder.path + "/blob", .auto).tensors.count == 1)
        _ = checkpointError(naming: "notes") { _ = try openCheckpoint(folder.path + "/notes", .auto) }
        _ = checkpointError(naming: "absent") { _ = try ModelPath(folder.path + "/absent") }
    }

    @Test func aFolderMayBeCalledLikeAFile() throws {
        let folder = TemporaryFolder()
        let inner = folder.path + "/x.gguf"
        try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: false)
        try Data(GGUFWriter.llama().bytes).write(to: URL(fileURLWithPath: inner + "/m.gguf"))
        #expect(try opens(inner))
        #expect(try ModelPath(inner).kind == .folder)
    }

    /// A hub's cache: blobs by their hash, a folder of links for each snapshot.
    private func repository(snapshots: [String], main: String?) throws -> TemporaryFolder {
        let folder = TemporaryFolder()
        let manager = FileManager.default
        try manager.createDirectory(atPath: folder.path + "/blobs", withIntermediateDirectories: false)
        try Data(GGUFWriter.llama().bytes).write(to: URL(fileURLWithPath: folder.path + "/blobs/ffee"))
        for name in snapshots {
            let snapshot = folder.path + "/snapshots/" + name
            try manager.createDirectory(atPath: snapshot, withIntermediateDirectories: true)
            try manager.createSymbolicLink(atPath: snapshot + "/m.gguf", withDestinationPath: "../../blobs/ffee")
        }
        if let main {
            try manager.createDirectory(atPath: folder.path + "/refs", withIntermediateDirectories: false)
            try Data(main.utf8).write(to: URL(fileURLWithPath: folder.path + "/refs/main"))
        }
        return folder
    }

    @Test func aHubsRepositoryStandsForItsSnapshot() throws {
        let one = try repository(snapshots: ["0a1b"], main: nil)
        #expect(
            try opens(one.path) && opens(one.path + "/snapshots/0a1b") && opens(one.path + "/snapshots/0a1b/m.gguf"))
        let two = try repository(snapshots: ["0a1b", "2c3d"], main: "2c3d\n")
        #expect(try opens(two.path))
        #expect(try ModelPath(two.path).folder == two.path + "/snapshots/2c3d")
        let unclear = try repository(snapshots: ["0a1b", "2c3d"], main: "gone")
        _ = checkpointError(naming: "2 snapshots") { _ = try ModelPath(unclear.path) }
        let none = try repository(snapshots: [], main: nil)
        try FileManager.default.createDirectory(
            atPath: none.path + "/snapshots", withIntermediateDirectories: false)
        _ = checkpointError(naming: "no snapshot") { _ = try ModelPath(none.path) }
    }

    @Test(arguments: ["model.safetensors", "m.gguf", "config.json", "generation_config.json"])
    func aPointerToAFileThatWasNotFetchedIsToldAsOne(_ name: String) throws {
        let folder = TemporaryFolder()
        if name != "config.json" { folder.write("config.json", text: ModelConfigTests.text) }
        folder.write(name, text: pointer)
        let error = checkpointError(naming: name) {
            _ = try ModelConfig.load(modelPath: folder.path)
            _ = try openCheckpoint(folder.path, .auto)
        }
        #expect(error?.description.contains("git lfs pull") == true)
    }

    @Test func anOrdinarySmallFileIsNoPointer() throws {
        let folder = TemporaryFolder()
        folder.write("config.json", text: ModelConfigTests.text)
        #expect(try ModelPath(folder.path).hasFile("config.json") && !ModelPath(folder.path).hasFile("other.json"))
        folder.write("tokenizer.json", text: pointer)
        _ = checkpointError(naming: "tokenizer.json") { _ = try ModelPath(folder.path).hasFile("tokenizer.json") }
    }
}
