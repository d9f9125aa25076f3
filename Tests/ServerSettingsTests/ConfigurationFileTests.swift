import ServerSettings
import Testing
import Values

@Suite struct ConfigurationFileTests {
    /// A command line that reads the text as its configuration file.
    private func command(_ text: String, _ more: String = "") -> CommandLine {
        var line = CommandLine("--config server.yaml " + more)
        line.files["server.yaml"] = text
        return line
    }

    @Test func readsFlagsByEitherSpelling() throws {
        let line = command(
            """
            # A server
            ---
            model-path: models/m   # the folder
            max_running_requests: 16
            context-length: 25.6k
            'served-model-name': "a name # with signs"
            host: ::1
            disable-radix-cache: true
            allow-auto-truncate: false
            api-key: 'it''s'
            log-level:
            run_dir: null
            preferred-sampling-params: {"temperature": 0.5, "stop": ["#"]}
            json-model-override-args: '{"a": "\\\\"}'

            """)
        let settings = try #require(line.settings, "\(line.outcome)")
        #expect(settings.modelPath == "models/m")
        #expect(settings.maxRunningRequests == 16)
        #expect(settings.contextLength == 25600)
        #expect(settings.servedModelName == "a name # with signs")
        #expect(settings.host == "::1")
        #expect(settings.disableRadixCache)
        #expect(!settings.allowAutoTruncate)
        #expect(settings.apiKey == "it's")
        #expect(settings.logLevel == .info)
        #expect(settings.runDirectory == nil)
        #expect(settings.preferredSamplingParams == "{\"temperature\": 0.5, \"stop\": [\"#\"]}")
        #expect(settings.jsonModelOverrideArgs == #"{"a": "\\"}"#)
    }

    @Test func theCommandLineWins() throws {
        let settings = try #require(command("model: a\nport: 1\nstream-interval: 3\n", "--port 2").settings)
        #expect(settings.modelPath == "a")
        #expect(settings.port == 2)
        #expect(settings.streamInterval == 3)
        #expect(settings.launchCommand == "--config server.yaml --port 2")
    }

    @Test(arguments: [
        "cuda-graph-bs-decode: [1, 2, 4]", "cuda-graph-bs-decode:\n  - 1\n  - '2'\n",
        "cuda-graph-bs-decode:\n- 1\n# x\n- 2",
        "cuda-graph-bs-decode: ['a, b', \"c\"]\r\n",
    ])
    func readsLists(_ text: String) {
        #expect(
            command("model: m\n" + text).warnings == ["--cuda-graph-bs-decode has no effect: there is no CUDA on a CPU"]
        )
    }

    @Test func readsEscapesInDoubleQuotes() {
        #expect(command(#"model: "a\tb\"c\\d""#).settings?.modelPath == "a\tb\"c\\d")
    }

    @Test(arguments: [
        "\u{FEFF}model-path: m\nport: 7\n", "model-path: m\nport: 7\n...\n", "%YAML 1.2\n---\nmodel-path: m\nport: 7\n",
        "{\"model-path\": \"m\", \"port\": 7}", "model-path:\n  m\nport: 7\n", "  model-path: m\n  port: 7\n",
        "model-path: m\nport: 0x7\n", "model-path: m\nport: 007\n", "model-path: &m m\nport: '7'\n",
        "port: 0b111\nmodel: >-\n  m",
        "port: 8\nmodel-path: m\n'port': 9\n\"port\": 7", "# é\nport: 8\nport: 7\nmodel: a\nmodel: m",
        "model: m\r\nport: 7\r\n",
    ])
    func readsWhatPeopleAndToolsWrite(_ text: String) throws {
        let line = command(text)
        let settings = try #require(line.settings, "\(line.outcome)")
        #expect(settings.modelPath == "m" && settings.port == 7)
    }

    @Test(arguments: [("yes", true), ("ON", true), ("True", true), ("no", false), ("Off", false), ("FALSE", false)])
    func theTruthHasTheNamesOfSGLangsReader(word: String, truth: Bool) {
        #expect(command("model: m\nenable-metrics: \(word)").settings?.enableMetrics == truth)
        #expect(command("model: m\nenable-metrics: '\(word)'").settings == nil)
        #expect(command("model: m\nserved-model-name: \(word)").settings?.servedModelName == word)
    }

    @Test func wordsOfTextStayAsTheyAreWritten() {
        #expect(command("model: 0x7\nweight-version: 1.10").settings?.modelPath == "0x7")
        #expect(command("model: m\nweight-version: 1.10").settings?.weightVersion == "1.10")
        #expect(command("model: m\nweight-version: 2024-01-01").settings?.weightVersion == "2024-01-01")
    }

    @Test func aMapIsTheJSONOfAFlagThatTakesIt() {
        let text =
            "model: m\njson-model-override-args:\n  rope_theta: 1.0e4\n  a: [1, yes, 'no', ~]\n  b: {c: 0x10, c: \"d\\n\"}\n"
        #expect(
            command(text).settings?.jsonModelOverrideArgs
                == #"{"rope_theta": 1.0e4, "a": [1, true, "no", null], "b": {"c": "d\n"}}"#)
    }

    static let wrong: [(text: String, message: String)] = [
        ("model: m\nport: x", "server.yaml, line 2: argument --port: invalid int value: 'x'"),
        ("model: m\nprot: 1", "server.yaml, line 2: unrecognized arguments: --prot\ndid you mean port?"),
        ("model: m\n\n# c\ndp-size: 2", "server.yaml, line 4: --dp-size 2 is not supported by srt"),
        ("model: m\nskip: 1", "server.yaml, line 2: ambiguous option: --skip"),
        ("model: m\nport: true", "server.yaml, line 2: argument --port: invalid int value: 'true'"),
        ("model: m\nport: [1, 2]", "server.yaml, line 2: argument --port: '[1, 2]' is a list"),
        (
            "model: m\ndisable-radix-cache: 'yes'",
            "line 2: argument --disable-radix-cache: ignored explicit argument 'yes'"
        ),
        ("model: m\nport", "server.yaml, line 2: could not find expected ':'"),
        ("model: m\nport:1", "server.yaml, line 2: could not find expected ':'"),
        ("port:1", "server.yaml, line 1: expected 'name: value'"),
        (": m", "server.yaml, line 1: did not find expected key"),
        ("~: m", "server.yaml, line 1: expected 'name: value'"),
        ("model:\n  path: m", "server.yaml, line 1: argument --model-path/--model: '{\"path\": \"m\"}' is a map"),
        ("- a", "server.yaml, line 1: expected 'name: value'"),
        ("port: 1\nmodel: 'm\n\n", "server.yaml, line 2: found unexpected end of stream"),
        ("model: \"m\\", "server.yaml, line 1: found unknown escape character"),
        ("model: \"\\q\"", "server.yaml, line 1: found unknown escape character"),
        ("lora-paths: [a\n\n", "server.yaml, line 1: did not find expected ',' or ']'"),
        ("lora-paths: [a, [b]]", "server.yaml, line 1: nested lists are not understood"),
        ("model: m\n  port: 1", "server.yaml, line 2: mapping values are not allowed"),
        ("model: m\n\tport: 1", "server.yaml, line 2: found a tab character that violates indentation"),
        ("model: m\nport: \u{1}", "server.yaml, line 2: control characters are not allowed"),
        ("model: *m", "server.yaml, line 1: found undefined alias"),
        ("model: m\n---\nport: 1", "server.yaml, line 2: but found another document"),
        ("config: other.yaml", "server.yaml, line 1: unrecognized arguments: --config"),
        ("port: 1", "the following arguments are required: --model-path"),
    ]

    @Test(arguments: wrong)
    func namesTheLineThatIsWrong(_ text: String, _ message: String) throws {
        let line = command(text)
        let failure = try #require(line.failure, "\(line.outcome)")
        #expect(failure.contains(message), "\(failure)")
    }

    @Test func refusesFilesItCannotUse() throws {
        #expect(try #require(CommandLine("--config a.yaml").failure).contains("'a.yaml' cannot be read: no such file"))
        #expect(try #require(CommandLine("--config a.json").failure).contains("'a.json' must end in .yaml or .yml"))
        #expect(try #require(CommandLine("--config a.yaml --config b.yaml").failure).contains("once only"))
    }

    @Test func readsAnyCutOfAFileWithoutTrapping() {
        let text = "model: \"m\\\"\"\nlora-paths: ['a', \"b\"]\nx:\n  - y\n'k': {\"a\": [1]} # z\n"
        for length in 0...text.count {
            _ = command(String(text.prefix(length))).outcome
        }
    }
}
