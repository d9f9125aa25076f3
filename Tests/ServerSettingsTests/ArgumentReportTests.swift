import JSON
import ServerSettings
import Testing

@Suite struct ArgumentReportTests {
    @Test func printsTheArgumentsAsPythonDoes() throws {
        let settings = try #require(
            CommandLine("--model-path it's --port 8000 --random-seed 1 --mem-fraction-static 0.5 --disable-radix-cache")
                .settings)
        let line = settings.argumentLine
        #expect(line.hasPrefix("server_args=ServerArgs(model_path=\"it's\", tokenizer_path=\"it's\", "))
        #expect(line.hasSuffix(")"))
        #expect(!line.contains("\n"))
        for item in [
            "port=8000", "tp_size=1", "random_seed=1", "mem_fraction_static=0.5", "disable_radix_cache=True",
            "max_total_tokens=None", "dtype='auto'", "device='cpu'", "skip_server_warmup=False",
            "chunked_prefill_size=512",
            "watchdog_timeout=300.0", "enable_deterministic_inference=True", "kernel_isa=None", "max_restarts=5",
        ] {
            #expect(line.contains(", " + item + ",") || line.contains(", " + item + ")"), "\(item)")
        }
        #expect(!line.contains("kt_method"))
    }

    @Test(arguments: [
        ("plain", "'plain'"), ("", "''"), ("it's", "\"it's\""), ("a\"b", "'a\"b'"), ("'\"", "'\\'\"'"),
        ("a\\b", "'a\\\\b'"),
        ("a\nb\tc\r", "'a\\nb\\tc\\r'"), ("\u{1}\u{7f}\u{85}", "'\\x01\\x7f\\x85'"), ("größe 漢", "'größe 漢'"),
    ])
    func quotesTextAsPythonDoes(_ text: String, _ repr: String) {
        #expect(ArgumentValue.text(text).pythonRepr == repr)
    }

    @Test func writesOtherValuesAsPythonDoes() {
        #expect(ArgumentValue.null.pythonRepr == "None")
        #expect(ArgumentValue.bool(true).pythonRepr == "True")
        #expect(ArgumentValue.integer(-5).pythonRepr == "-5")
        #expect(ArgumentValue.number(0.25).pythonRepr == "0.25")
        #expect(ArgumentValue.list([.integer(1), .text("a")]).pythonRepr == "[1, 'a']")
        #expect(ArgumentValue.list([]).pythonRepr == "[]")
    }

    @Test func reportsEveryArgumentOfSGLangInItsOrder() throws {
        let settings = try #require(CommandLine("--model m --served n --chunked-prefill-size -1 --api-key k").settings)
        let arguments = settings.arguments()
        #expect(arguments.count > 500)
        #expect(Set(arguments.map(\.name)).count == arguments.count)
        #expect(
            arguments.prefix(4).map(\.name) == ["model_path", "tokenizer_path", "tokenizer_mode", "tokenizer_backend"])
        let byName = Dictionary(uniqueKeysWithValues: arguments.map { ($0.name, $0.value) })
        #expect(byName["model_path"] == .text("m"))
        #expect(byName["served_model_name"] == .text("n"))
        #expect(byName["chunked_prefill_size"] == .integer(-1))
        #expect(byName["api_key"] == .text("***"))
        #expect(byName["admin_api_key"] == .null)
        #expect(byName["disaggregation_mode"] == .text("null"))
        #expect(byName["speculative_ngram_capacity"] == .integer(10_000_000))
        #expect(byName["encoder_urls"] == .list([]))
        #expect(byName["hicache_ratio"] == .number(2))
        #expect(byName["fp8_gemm_runner_backend"] == .text("auto"))
        #expect(byName["sleep_on_idle"] == .bool(true))
        #expect(byName["config"] == nil)
        #expect(arguments.last?.name == "drain_timeout")
    }

    @Test func putsResolvedValuesInPlaceOfUnknownOnes() throws {
        let settings = try #require(CommandLine("--model m").settings)
        let report = FrontSettings(settings).argumentsJSON(resolved: [
            "max_total_tokens": .integer(16384), "mem_fraction_static": .number(0.8), "context_length": .integer(2048),
        ])
        #expect(report["max_total_tokens"] == 16384)
        #expect(report["mem_fraction_static"] == 0.8)
        #expect(report["context_length"] == 2048)
        #expect(report["max_running_requests"]?.isNull == true)
        #expect(report["tp_size"] == 1)
        #expect(report["model_path"] == "m")
        #expect(report["allowed_media_domains"] == [])
        #expect(report.objectValue?.keys == settings.arguments().map(\.name))
    }

    @Test func quotesTheLaunchCommandForAShell() throws {
        let settings = try #require(
            CommandLine(words: ["--model", "a b", "--preferred-sampling-params={\"a\": 1}", "--weight-version", "it's"])
                .settings)
        #expect(
            settings.launchCommand
                == "--model 'a b' '--preferred-sampling-params={\"a\": 1}' --weight-version 'it'\"'\"'s'")
    }
}
