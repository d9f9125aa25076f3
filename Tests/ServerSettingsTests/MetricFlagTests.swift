import ServerSettings
import Testing

/// The flags of the histograms.
@Suite struct MetricFlagTests {
    private func buckets(_ line: String) throws -> MetricBuckets {
        MetricBuckets(FrontSettings(try #require(CommandLine("--model m " + line).settings)))
    }

    @Test func boundsAreSortedAndOnce() throws {
        #expect(try buckets("--bucket-e2e-request-latency 5 1 5 0.5").endToEnd == [0.5, 1, 5])
        #expect(try buckets("").endToEnd.count == 22)
    }

    @Test func rulesAreThoseOfSGLang() throws {
        #expect(try buckets("--prompt-tokens-buckets custom 10 5").promptTokens == [5, 10])
        #expect(try buckets("--prompt-tokens-buckets default").promptTokens == MetricBuckets().promptTokens)
        #expect(
            try buckets("--generation-tokens-buckets tse 1000 10 6").generationTokens
                == [0, 900, 990, 1000, 1010, 1100, 2000])
    }

    @Test(arguments: [
        "--prompt-tokens-buckets tse 1 2", "--prompt-tokens-buckets tse 5 1 3", "--prompt-tokens-buckets custom",
        "--prompt-tokens-buckets median", "--bucket-time-to-first-token fast", "--extra-metric-labels {\"a-b\":\"c\"}",
        "--extra-metric-labels {\"a\":1}",
    ])
    func whatMakesNoSenseEndsTheStart(_ flags: String) throws {
        let command = CommandLine("--model m " + flags)
        let flag = try #require(flags.split(separator: " ").first)
        #expect(try #require(command.failure).contains(flag))
    }
}
