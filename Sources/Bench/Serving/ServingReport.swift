package import JSON

/// What a load gave, as text, as JSON and as charts.
package struct ServingReport {
    /// Requests that ended well.
    package let completed: [RequestRecord]
    /// How many failed, by cause.
    package let failures: [String: Int]
    /// Requests that ended with fewer tokens than were asked for.
    package let shortened: Int
    /// From the first request sent to the last answer's end.
    package let duration: Double
    private let title: String
    /// Processor time of this process for each second of the run.
    private let ownLoad: Double

    /// Puts the records together.
    ///
    /// - Parameters:
    ///   - wanted: tokens that were asked for, by request.
    ///   - processorSeconds: what the load generator used itself.
    package init(title: String, records: [RequestRecord], wanted: [Int], processorSeconds: Double) {
        self.title = title
        completed = records.filter { $0.failure == nil }
        failures = Dictionary(records.compactMap(\.failure).map { ($0, 1) }, uniquingKeysWith: +)
        shortened = zip(records, wanted).count { $0.failure == nil && $0.outputTokens < $1 }
        duration = (records.map(\.end).max() ?? 0) - (records.map(\.start).min() ?? 0)
        ownLoad = duration > 0 ? processorSeconds / duration : 0
    }

    private var outputTokens: Int { completed.map(\.outputTokens).reduce(0, +) }
    private var promptTokens: Int { completed.map(\.promptTokens).reduce(0, +) }
    private var cachedTokens: Int { completed.map(\.cachedTokens).reduce(0, +) }
    private var failed: Int { failures.values.reduce(0, +) }

    /// Seconds of each completed request to its first token, between tokens, and to its end.
    private var latencies: [(name: String, key: String, values: [Double])] {
        [
            (
                "time to first token", "ttft",
                completed.compactMap { record in record.firstToken.map { $0 - record.start } }
            ),
            ("between tokens", "itl", completed.flatMap(\.gaps)),
            ("whole request", "e2e", completed.map { $0.end - $0.start }),
        ]
    }

    private func perSecond(_ count: Int) -> Double { duration > 0 ? Double(count) / duration : 0 }

    /// A table for people.
    package var text: String {
        var lines = [
            title,
            "requests     \(completed.count) completed, \(failed) failed in \(decimal(duration, 2)) s: "
                + "\(decimal(perSecond(completed.count), 2)) a second",
            "output       \(outputTokens) tokens, \(decimal(perSecond(outputTokens), 1)) a second",
            "input        \(promptTokens) tokens, \(decimal(perSecond(promptTokens), 1)) a second, \(cachedTokens) of them cached",
        ]
        lines += failures.sorted { $0.key < $1.key }.map { "failed       \($0.value) x \($0.key)" }
        if shortened > 0 { lines.append("short        \(shortened) requests gave fewer tokens than asked for") }
        lines.append("this client  used \(decimal(100 * ownLoad, 1)) % of one core")
        let rows = latencies.map { latency in
            let summary = Summary(latency.values)
            return [latency.name]
                + [summary.mean, summary.p50, summary.p90, summary.p99].map { decimal(1e3 * $0, 1) }
        }
        lines.append(textTable(["ms", "mean", "p50", "p90", "p99"], rows, widths: [20, 10, 10, 10, 10]))
        return lines.joined(separator: "\n")
    }

    /// All figures, with their units in their names, and the times of each request.
    package var json: JSONValue {
        var object: JSONObject = [
            "title": .string(title), "completed": .int(Int64(completed.count)), "failed": .int(Int64(failed)),
            "shortened": .int(Int64(shortened)), "duration_s": .double(duration),
            "requests_per_second": .double(perSecond(completed.count)),
            "output_tokens": .int(Int64(outputTokens)), "output_tokens_per_second": .double(perSecond(outputTokens)),
            "input_tokens": .int(Int64(promptTokens)), "cached_tokens": .int(Int64(cachedTokens)),
            "client_cores": .double(ownLoad),
            "failures": .object(
                JSONObject(failures.sorted { $0.key < $1.key }.map { ($0.key, .int(Int64($0.value))) })),
        ]
        for latency in latencies {
            let summary = Summary(latency.values)
            object[latency.key + "_ms"] = [
                "mean": .double(1e3 * summary.mean), "p50": .double(1e3 * summary.p50),
                "p90": .double(1e3 * summary.p90), "p99": .double(1e3 * summary.p99),
            ]
        }
        object["requests"] = .array(
            completed.map { record in
                [
                    "start_s": .double(record.start),
                    "ttft_s": record.firstToken.map { .double($0 - record.start) } ?? .null,
                    "e2e_s": .double(record.end - record.start), "output_tokens": .int(Int64(record.outputTokens)),
                    "input_tokens": .int(Int64(record.promptTokens)), "cached_tokens": .int(Int64(record.cachedTokens)),
                ]
            })
        return .object(object)
    }

    /// Latencies by percentile, and tokens per second over time.
    package var charts: [Chart] {
        let percentiles = latencies.map { latency in
            let sorted = latency.values.sorted()
            return Chart.Line(
                name: latency.name,
                points: (0...100).map { Point(Double($0), 1e3 * percentile(sorted, Double($0))) }.filter { $0.y > 0 },
                style: .solid)
        }
        return [
            Chart(
                title: title, x: Axis("percent of samples below"), y: Axis("ms", isLogarithmic: true),
                lines: percentiles),
            Chart(
                title: "\(completed.count) completed, \(failed) failed", x: Axis("s"), y: Axis("output tokens/s"),
                lines: [Chart.Line(name: "output tokens/s", points: throughput, style: .solid)]),
        ]
    }

    /// Tokens per second in each twenty-fifth of the run.
    private var throughput: [Point] {
        let width = duration / 25
        guard width > 0 else { return [] }
        let origin = completed.map(\.start).min() ?? 0
        var counts = [Int](repeating: 0, count: 25)
        for record in completed {
            guard var time = record.firstToken else { continue }
            for gap in [0] + record.gaps {
                time += gap
                counts[min(24, max(0, Int((time - origin) / width)))] += 1
            }
        }
        return counts.enumerated().map { Point((Double($0.offset) + 0.5) * width, Double($0.element) / width) }
    }
}
