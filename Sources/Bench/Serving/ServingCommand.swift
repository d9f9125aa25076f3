import ArgumentParser
import Glibc
import JSON

/// `srt bench serving`: sends a load to a running server and measures throughput and latencies.
struct ServingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serving", abstract: "Send a load to a running server and measure throughput and latencies.",
        discussion: """
            Requests are streams, each on a connection of its own, and latencies count from the moment a request is \
            sent. By default all requests are greedy and ignore the end of text, so that each server does the same work.
            """)

    @OptionGroup var server: ServerAddress

    @Option(help: "How to ask: SGLang's /generate, or /v1/completions, which most servers have.")
    var api: Dialect = .native

    @Option(help: "The model's name, for servers that want one.")
    var model: String = "default"

    @Option(help: "Bearer token, for servers that want one.")
    var apiKey: String?

    @OptionGroup var workload: WorkloadOptions

    @Option(help: "Sampling temperature; 0 is greedy.")
    var temperature: Double = 0

    @Flag(inversion: .prefixedNo, help: "Go on after the end of text, so that outputs have the length asked for.")
    var ignoreEos = true

    @Option(help: "Seconds after which a request counts as failed.")
    var timeout: Int = 600

    @Flag(help: "Empty the server's prefix cache before the measurement (POST /flush_cache).")
    var flushCache = false

    @Option(help: "File for all figures as JSON.")
    var json: String?

    @Option(help: "File for a plot of latencies by percentile and throughput over time, as SVG.")
    var plot: String?

    func validate() throws {
        guard timeout > 0, temperature >= 0 else { throw ValidationError("--timeout and --temperature are positive") }
    }

    func run() throws {
        let target = try server.target(apiKey: apiKey)
        let load = try Workload(workload, text: workload.text.map(readFile))
        try require(send(load.warmup, to: target, concurrency: 1), "warm-up")
        if flushCache { try require(flush(target), "flush_cache") }
        let before = processorSeconds()
        let records = try send(load.requests, to: target, concurrency: workload.maxConcurrency)
        let report = ServingReport(
            title: title, records: records, wanted: load.requests.map(\.outputLength),
            processorSeconds: processorSeconds() - before)
        print(report.text)
        if let json { try writeFile(json, JSON.encodeToString(report.json)) }
        if let plot { try writeFile(plot, SVG.page([report.charts])) }
        if !report.failures.isEmpty { throw ExitCode(1) }
    }

    private var title: String {
        var parts = ["\(workload.numPrompts) x (\(workload.inputLen) + \(workload.outputLen))"]
        if workload.sharedPrefixLen > 0 { parts.append("after \(workload.sharedPrefixLen) shared") }
        if let rate = workload.requestRate { parts.append("\(decimal(rate, 1)) a second") }
        return parts.joined(separator: ", ") + ", \(workload.maxConcurrency) at a time"
    }

    private func send(_ requests: [PlannedRequest], to target: Target, concurrency: Int) throws -> [RequestRecord] {
        let settings = Dialect.Settings(model: model, temperature: temperature, ignoresEOS: ignoreEos)
        let encoded = requests.map { request in
            EncodedRequest(path: api.path, body: api.body(request, settings), arrival: request.arrival)
        }
        return try LoadGenerator.run(encoded, to: target, concurrency: concurrency, timeoutSeconds: timeout)
    }

    private func flush(_ target: Target) throws -> [RequestRecord] {
        let request = EncodedRequest(path: "/flush_cache", body: [], arrival: 0, isStream: false)
        return try LoadGenerator.run([request], to: target, concurrency: 1, timeoutSeconds: timeout)
    }

    private func require(_ records: [RequestRecord], _ what: String) throws {
        guard let failure = records.lazy.compactMap(\.failure).first else { return }
        throw BenchFailure("\(what): \(failure)")
    }

    /// Processor time that this process used so far.
    private func processorSeconds() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let seconds = { (time: timeval) in Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}
