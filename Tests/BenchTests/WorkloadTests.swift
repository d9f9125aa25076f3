import ArgumentParser
import Bench
import JSON
import Testing

@Suite struct WorkloadTests {
    private static func workload(_ arguments: [String], text: String? = nil) throws -> Workload {
        try Workload(WorkloadOptions.parse(arguments), text: text)
    }

    @Test func oneSeedMakesOneLoad() throws {
        let arguments = ["--num-prompts", "9", "--request-rate", "3", "--input-len", "4-40", "--output-len", "2-7"]
        let first = try Self.workload(arguments + ["--seed", "5"]).requests
        #expect(try Self.workload(arguments + ["--seed", "5"]).requests == first)
        #expect(try Self.workload(arguments + ["--seed", "6"]).requests != first)
    }

    @Test func lengthsAndIdsLieWhereTheyWereAskedFor() throws {
        let load = try Self.workload([
            "--num-prompts", "200", "--input-len", "3-5", "--output-len", "2-4", "--token-range", "10-12",
        ])
        var lengths: Set<Int> = []
        var outputs: Set<Int> = []
        for request in load.requests {
            guard case .ids(let ids) = request.prompt else { throw WrongKind() }
            lengths.insert(ids.count)
            outputs.insert(request.outputLength)
            #expect(ids.allSatisfy { (10...12).contains($0) })
            #expect(request.arrival == 0)
        }
        #expect(lengths == [3, 4, 5])
        #expect(outputs == [2, 3, 4])
    }

    @Test func promptsShareTheirPrefixAndNothingElse() throws {
        let load = try Self.workload(["--num-prompts", "8", "--shared-prefix-len", "20", "--input-len", "6"])
        let prompts = try load.requests.map { request in
            guard case .ids(let ids) = request.prompt else { throw WrongKind() }
            return ids
        }
        #expect(prompts.allSatisfy { $0.count == 26 && $0.prefix(20) == prompts[0].prefix(20) })
        #expect(Set(prompts).count == 8)
        guard case .ids(let warmup) = load.warmup[0].prompt else { throw WrongKind() }
        #expect(warmup.first != prompts[0].first)
    }

    @Test func arrivalsFollowTheRate() throws {
        let arrivals = try Self.workload(["--num-prompts", "4000", "--request-rate", "8"]).requests.map(\.arrival)
        #expect(arrivals[0] == 0)
        #expect(zip(arrivals, arrivals.dropFirst()).allSatisfy { $0 < $1 })
        // The mean of 4,000 draws of a fixed seed.
        #expect(abs(arrivals[3999] / 4000 * 8 - 1) < 0.05)
    }

    @Test func promptsAreCutFromTheText() throws {
        let words = (0..<50).map { "w\($0)" }
        let load = try Self.workload(
            ["--input-len", "5", "--shared-prefix-len", "3"], text: words.joined(separator: " \n"))
        for request in load.requests {
            guard case .text(let text) = request.prompt else { throw WrongKind() }
            let own = text.split(separator: " ").suffix(5).map(String.init)
            let start = try #require(words.firstIndex(of: own[0]))
            #expect(own == Array(words[start..<start + 5]))
        }
        #expect(throws: (any Error).self) { try Self.workload(["--input-len", "50"], text: "a b c") }
    }

    @Test(arguments: ["", "-", "5-3", "1-2-3", "x", "-1"]) func otherLengthsAreRefused(text: String) {
        #expect(LengthRange(argument: text) == nil)
    }

    @Test func bodiesAreInTheServersWords() throws {
        let request = PlannedRequest(prompt: .ids([4, 5]), outputLength: 7, arrival: 0)
        let settings = Dialect.Settings(model: "m", temperature: 0, ignoresEOS: true)
        let native = try JSON.parse(Dialect.native.body(request, settings))
        #expect(native["input_ids"] == [4, 5])
        #expect(native["sampling_params"]?["max_new_tokens"] == 7)
        #expect(native["stream"] == true)
        let openai = try JSON.parse(Dialect.openai.body(request, settings))
        #expect(openai["prompt"] == [4, 5])
        #expect(openai["max_tokens"] == 7)
        #expect(openai["model"] == "m")
        #expect(openai["stream_options"]?["include_usage"] == true)
    }

    @Test func urlsNameHostPortAndBase() throws {
        let target = try #require(Target(url: "http://[::1]:8080/base/", apiKey: nil))
        #expect((target.host, target.port, target.basePath) == ("::1", 8080, "/base"))
        let plain = try #require(Target(url: "http://localhost", apiKey: nil))
        #expect((plain.host, plain.port, plain.basePath) == ("localhost", 80, ""))
        for bad in ["https://a", "localhost:80", "http://:80", "http://a:0", "http://a:x"] {
            #expect(Target(url: bad, apiKey: nil) == nil, "\(bad)")
        }
    }

    private struct WrongKind: Error {}
}
