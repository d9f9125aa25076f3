import Models
import Tensors
import Testing

/// GGUF files with the same numbers as model folders, under llama.cpp's names and in its order.
@Suite struct TwinTests {
    /// Folders that have a twin in Tests/Fixtures/twins.
    static let names = [
        "gemma2", "gemma3", "phi3", "smollm3", "olmo2", "olmo3", "olmoe", "exaone4", "exaone4-whole", "granite",
        "granitemoe", "cohere", "cohere2", "glm4",
        "starcoder2", "stablelm", "stablelm-parallel", "seed-oss", "ernie45", "ministral3", "glm4moe", "ernie45moe",
        "gpt-oss", "gpt-oss-plain", "gemma4", "gemma4-experts",
    ]

    @Test(arguments: names) func aTwinSaysWhatItsFolderSaysBitForBit(_ name: String) throws {
        let folder = try Fixture(name: name).load(), twin = try loadForTest(Fixture.folder + "/twins/\(name).gguf")
        let texts = Array(sequences(vocabulary: folder.config.vocabularySize)[..<1])
        #expect(twin.config.derivedContextLength == folder.config.derivedContextLength)
        #expect(twin.config.vocabularySize == folder.config.vocabularySize)
        #expect(differences(runAlone(twin, texts)[0], runAlone(folder, texts)[0]) == [])
    }
}
