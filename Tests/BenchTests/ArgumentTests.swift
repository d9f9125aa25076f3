import ArgumentParser
import Bench
import Testing

/// What `srt bench` takes on its command line, and what its help says.
@Suite struct ArgumentTests {
    private func target(_ arguments: [String]) throws -> Target {
        try ServerAddress.parse(arguments).target(apiKey: nil)
    }

    @Test func aServerIsNamedByHostAndPortOrByURL() throws {
        let standing = try target([])
        #expect(standing.host == "127.0.0.1" && standing.port == 30000 && standing.basePath == "")
        let named = try target(["--host", "node7", "--port", "8000"])
        #expect(named.host == "node7" && named.port == 8000)
        #expect(try target(["--port", "8000"]).host == "127.0.0.1")
        #expect(try target(["--host", "node7"]).port == 30000)
        for address in ["::1", "[::1]"] { #expect(try target(["--host", address, "--port", "81"]).host == "::1") }
        let located = try target(["--url", "http://node7:8000/base"])
        #expect(located.host == "node7" && located.port == 8000 && located.basePath == "/base")
    }

    @Test(arguments: [
        ["--host", "a/b"], ["--host", ""], ["--port", "0"], ["--port", "70000"], ["--port", "x"], ["--url", "node7"],
        ["--url", "http://node7", "--port", "1"], ["--url", "http://node7", "--host", "node7"],
    ])
    func whatNamesNoServerIsRefused(arguments: [String]) {
        #expect(throws: (any Error).self) { try target(arguments) }
    }

    private func help(_ name: String) throws -> String {
        let command = try #require(
            BenchCommand.configuration.subcommands.first { $0.configuration.commandName == name })
        return BenchCommand.helpMessage(for: command)
    }

    @Test func helpNamesChoices() throws {
        let offline = try help("offline")
        for choices in [
            "values: float32, float16, bfloat16", "default: bfloat16", "values: w8a8_int8, int4",
            "values: scalar, avx2, avx512, avx512bf16", "values: auto, safetensors, gguf, dummy",
            "values: auto, float32, float16, bfloat16, int8",
        ] {
            #expect(offline.split { $0.isWhitespace }.joined(separator: " ").contains(choices), "\(offline)")
        }
        #expect(try help("serving").contains("values: native, openai"))
    }
}
