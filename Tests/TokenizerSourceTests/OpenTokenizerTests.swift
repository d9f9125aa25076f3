import Foundation
import TestSupport
import Testing
import TokenizerSource
import Tokenizers

/// A tokenizer is found wherever a model is: by what lies at the path, not by what it is called.
@Suite struct OpenTokenizerTests {
    private let text = "The quick brown fox, 42 times."

    private var gguf: String { Fixtures.path("llama-gguf/tiny.gguf") }

    /// What a tokenizer makes of the text.
    private func ids(_ path: String) throws -> [Int32] {
        try openTokenizer(path: path).encode(text, addSpecialTokens: false)
    }

    private func copy(_ file: String, to target: String) throws {
        try FileManager.default.createDirectory(
            atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: file, toPath: target)
    }

    @Test(arguments: ["sha256-0123456789abcdef", "model", "MODEL.GGUF", "model.gguf.part", "m.gguf"])
    func aGGUFFileIsOneWhateverItIsCalled(_ name: String) throws {
        let folder = TemporaryFolder()
        try copy(gguf, to: folder.path + "/" + name)
        let expected = try ids(gguf)
        #expect(try ids(folder.path + "/" + name) == expected)
        #expect(try ids(folder.path) == expected, "the folder that holds it alone")
    }

    @Test func aHubsFoldersStandForTheirFiles() throws {
        let folder = TemporaryFolder()
        try copy(gguf, to: folder.path + "/blobs/ffee")
        let snapshot = folder.path + "/snapshots/0a1b"
        try FileManager.default.createDirectory(atPath: snapshot, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: snapshot + "/tiny.gguf", withDestinationPath: "../../blobs/ffee")
        for path in [folder.path, snapshot, snapshot + "/tiny.gguf"] { #expect(try ids(path) == ids(gguf)) }
    }

    @Test func aFolderMayBeCalledLikeAFile() throws {
        let folder = TemporaryFolder()
        let inner = folder.path + "/x.gguf"
        try FileManager.default.copyItem(atPath: Fixtures.path("llama-tied"), toPath: inner)
        #expect(try ids(inner) == ids(Fixtures.path("llama-tied")))
    }

    @Test func aTokenizersFileAloneIsEnough() throws {
        let folder = TemporaryFolder()
        try copy(Fixtures.path("llama-tied/tokenizer.json"), to: folder.path + "/vocabulary")
        #expect(try ids(folder.path + "/vocabulary") == ids(Fixtures.path("llama-tied")))
    }

    @Test func filesBesideAGGUFCountBeforeItsMetadata() throws {
        let folder = TemporaryFolder()
        try copy(gguf, to: folder.path + "/m.gguf")
        folder.write("tokenizer.json", text: "{}")
        let error = #expect(throws: (any Error).self) { _ = try openTokenizer(path: folder.path + "/m.gguf") }
        #expect("\(try #require(error))".contains("tokenizer.json"))
    }

    @Test func aPointerToAFileThatWasNotFetchedIsToldAsOne() throws {
        let folder = TemporaryFolder()
        folder.write("tokenizer.json", text: "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
        for path in [folder.path, folder.path + "/tokenizer.json"] {
            let error = #expect(throws: (any Error).self) { _ = try openTokenizer(path: path) }
            #expect("\(try #require(error))".contains("tokenizer.json: is a git-lfs pointer"))
        }
    }

    @Test func whatIsNotThereIsTold() {
        let folder = TemporaryFolder()
        for (path, named) in [(folder.path, "tokenizer.json"), (folder.path + "/absent", "absent")] {
            let error = #expect(throws: (any Error).self) { _ = try openTokenizer(path: path) }
            #expect(error.map { "\($0)" }?.contains(named) == true)
        }
    }
}
