import ServerSettings
import Testing

@Suite struct CommandLineErrorTests {
    /// A wrong command line and what must be said of it.
    static let wrong: [(line: String, message: String)] = [
        ("", "the following arguments are required: --model-path/--model"),
        ("--port 1", "the following arguments are required: --model-path/--model"),
        ("--model m --port x", "argument --port: invalid int value: 'x'"),
        ("--model m --port 1.5", "argument --port: invalid int value: '1.5'"),
        ("--model m --port 65536", "argument --port: '65536' is not between 0 and 65535"),
        ("--model m --port -1", "argument --port: '-1' is not between 0 and 65535"),
        ("--model m --port 99999999999999999999", "argument --port: invalid int value: '99999999999999999999'"),
        ("--model m --port", "argument --port: expected one argument"),
        ("--model m --port --host x", "argument --port: expected one argument"),
        ("--model", "argument --model-path/--model: expected one argument"),
        ("--model --port 1", "argument --model-path/--model: expected one argument"),
        ("--model m --mem-fraction-static much", "argument --mem-fraction-static: invalid float value: 'much'"),
        ("--model m --mem-fraction-static nan", "argument --mem-fraction-static: invalid float value: 'nan'"),
        ("--model m --mem-fraction-static 1.5", "'1.5' is not between 0.01 and 1.0"),
        ("--model m --watchdog-timeout inf", "argument --watchdog-timeout: invalid float value: 'inf'"),
        ("--model m --chunked-prefill-size 0", "argument --chunked-prefill-size: '0' is neither a length nor -1"),
        ("--model m --chunked-prefill-size -2", "argument --chunked-prefill-size: '-2' is not between -1"),
        ("--model m --stream-interval 0", "argument --stream-interval: '0' is not between 1"),
        ("--model m --dtype int8", "argument --dtype: invalid choice: 'int8' (choose from 'auto', 'half', 'float16'"),
        ("--model m --log-level loud", "argument --log-level: invalid choice: 'loud' (choose from 'debug', 'info'"),
        ("--model m --schedule-policy best", "argument --schedule-policy: invalid choice: 'best' (choose from 'lpm'"),
        ("--model m --kernel-isa mmx", "argument --kernel-isa: invalid choice: 'mmx' (choose from 'scalar', 'avx2'"),
        ("--model m --attention-backend gpu", "argument --attention-backend: invalid choice: 'gpu' (choose from"),
        ("--model m --tokenizer-mode fast", "argument --tokenizer-mode: invalid choice: 'fast' (choose from"),
        ("--model m --quantization q9", "argument --quantization: invalid choice: 'q9' (choose from 'awq', 'fp8'"),
        ("--model m --disable-radix-cache=yes", "argument --disable-radix-cache: ignored explicit argument 'yes'"),
        ("--model m --lora-paths", "argument --lora-paths: expected at least one argument"),
        (
            "--model m --pp 1",
            "ambiguous option: --pp could match --pp-size, --pp-max-micro-batch-size, --pp-async-batch-depth"
        ),
        ("--model m --skip 1", "ambiguous option: --skip could match --skip-tokenizer-init, --skip-server-warmup"),
        ("--model m --no-such-flag 3", "unrecognized arguments: --no-such-flag 3"),
        ("--model m stray", "unrecognized arguments: stray"),
        ("--model m --disable-radix-cache true", "unrecognized arguments: true"),
        ("--model m -x --zzz -- --port 1", "unrecognized arguments: -x --zzz --port 1"),
        ("--model m --prot 1", "unrecognized arguments: --prot 1\ndid you mean --port instead of --prot?"),
        ("--model m --disable-radix-cash", "did you mean --disable-radix-cache instead of --disable-radix-cash?"),
        ("--model m --max_total_tokens 5", "did you mean --max-total-tokens instead of --max_total_tokens?"),
        ("--model m --tensor-paralel-size=1", "did you mean --tensor-parallel-size instead of --tensor-paralel-size?"),
        ("--model m --served-model-name a:b", "argument --served-model-name: 'a:b' holds a ':'"),
        ("--model m --preferred-sampling-params [1]", "is not a JSON object but a JSON array"),
        ("--model m --preferred-sampling-params {", "argument --preferred-sampling-params: '{' is not a JSON object:"),
        ("--model m --json-model-override-args 3", "is not a JSON object but a JSON integer"),
        ("--model m --api-key=", "argument --api-key: '' is empty"),
        ("--model m --admin-api-key=", "argument --admin-api-key: '' is empty"),
        ("--model m --served-model-name=", "argument --served-model-name: '' is empty"),
        ("--model m --run-dir=", "argument --run-dir: '' is empty"),
        ("--model m --random-seed -1", "argument --random-seed: '-1' is not between 0"),
        ("--model m --tp 0", "argument --tp-size/--tensor-parallel-size/--tp: '0' is not between 1 and 32"),
        ("--model m --tp 33", "argument --tp-size/--tensor-parallel-size/--tp: '33' is not between 1 and 32"),
        ("--model m --cpu-bind 3-1", "argument --cpu-bind: '3-1' is not a list of cores for each rank"),
        ("--model m --cpu-bind 1-", "argument --cpu-bind: '1-' is not a list of cores for each rank"),
        ("--model m --cpu-bind 1||2", "argument --cpu-bind: '1||2' is not a list of cores for each rank"),
        ("--model m --cpu-bind 0-99999999", "argument --cpu-bind: '0-99999999' is not a list of cores"),
        ("--model m --tp 2 --cpu-bind 0-2|2-3", "argument --cpu-bind: '0-2|2-3' names core 2 twice"),
        ("--model m --cpu-bind 0|1", "argument --cpu-bind: '0|1' names cores of 2 rank(s), but --tp-size is 1"),
        ("--model m --kv-cache-dtype f8", "argument --kv-cache-dtype: invalid choice: 'f8' (choose from 'auto'"),
        ("--model m --page-size 0", "argument --page-size: '0' is not between 1"),
        ("--model m --page-size 100", "argument --chunked-prefill-size: '512' is not a multiple of --page-size 100"),
        ("--model m --retraction-policy priority", "'priority' needs --enable-priority-scheduling"),
        (
            "--model m --enable-priority-scheduling --schedule-policy lpm",
            "argument --schedule-policy: 'lpm' does not go with --enable-priority-scheduling, which needs fcfs or lof"
        ),
        ("--model m --max-body-size 10", "argument --max-body-size: '10' is not between 1024"),
    ]

    @Test(arguments: wrong)
    func saysWhatIsWrong(_ line: String, _ message: String) throws {
        let command = CommandLine(line)
        let failure = try #require(command.failure, "\(command.outcome)")
        #expect(failure.hasPrefix("usage: srt launch_server --model-path PATH"))
        #expect(failure.contains("\nerror: "))
        #expect(failure.contains(message), "\(failure)")
    }

    @Test func hintsAtNothingWhereNothingIsNear() throws {
        let failure = try #require(CommandLine("--model m --quetzalcoatl 1").failure)
        #expect(!failure.contains("did you mean"))
    }

    @Test func namesTheEnvironmentVariable() throws {
        var line = CommandLine("--model m")
        line.environment["SRT_KERNEL_ISA"] = "mmx"
        let failure = try #require(line.failure)
        #expect(
            failure.contains("error: environment variable SRT_KERNEL_ISA: invalid choice: 'mmx' (choose from 'scalar'"))
    }

    @Test func namesTheVariableOfTheCores() throws {
        var line = CommandLine("--model m")
        line.environment["SGLANG_CPU_OMP_THREADS_BIND"] = "a"
        #expect(
            try #require(line.failure).contains("error: environment variable SGLANG_CPU_OMP_THREADS_BIND: 'a' is not"))
        line.environment["SGLANG_CPU_OMP_THREADS_BIND"] = "0|1"
        #expect(try #require(line.failure).contains("names cores of 2 rank(s), but --tp-size is 1"))
    }

    @Test(arguments: ["--help", "-h", "--model m --help --zzz", "--port 1 -h"])
    func helpNeedsNothingElse(_ line: String) {
        guard case .help(let text) = CommandLine(line).outcome else {
            Issue.record("no help for \(line)")
            return
        }
        #expect(text.contains("--model-path, --model PATH"))
        #expect(text.contains("Only in srt:"))
        #expect(text.contains("--port N"))
        #expect(text.contains("[30000]"))
        #expect(!text.contains("--enable-lora"))
        #expect(!text.contains("--trust-remote-code"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 120 })
    }
}
