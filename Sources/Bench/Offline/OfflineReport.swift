import JSON

/// A model's figures as text, as JSON and as charts.
struct OfflineReport {
    private let facts: SubjectFacts
    private let results: Results
    private let model: StepModel?
    /// Bytes per second, the median over the run.
    private let bandwidth: Double

    /// Puts a run's figures together.
    init(_ facts: SubjectFacts, _ results: Results) {
        self.facts = facts
        self.results = results
        bandwidth = 1e9 * median(results.decode.flatMap(\.series.limits))
        // Steps with a shared prefix have attention of their own kind, so they are no part of the curve.
        model = StepModel(
            results.decode.filter { $0.shape.shared == 0 }.map { entry in
                StepModel.Observation(
                    batch: entry.shape.batch,
                    keyValueBytes: Double(entry.shape.batch * entry.shape.context * facts.bytesPerPosition),
                    seconds: median(entry.series.seconds))
            }, weightBytes: Double(facts.weightBytes), bandwidth: bandwidth)
    }

    /// Medians as a table, and the curve that explains them.
    var text: String {
        var rows = results.decode.map { row(Self.name($0.shape), $0.series, tokens: $0.shape.batch, unit: "GB/s") }
        rows.append(row("prefill \(results.prompt)", results.prefill, tokens: results.prompt, unit: "GFLOP/s"))
        let table = textTable(
            ["work", "ms", "tokens/s", "rate", "limit", "of limit", "worst..best"], rows,
            widths: [28, 9, 10, 15, 15, 9, 12])
        return table + "\n" + (model?.text ?? "too few kinds of steps to fit a curve")
    }

    private static func name(_ shape: DecodeShape) -> String {
        "decode \(shape.batch) at \(shape.context)" + (shape.shared > 0 ? ", \(shape.shared) shared" : "")
    }

    private func row(_ name: String, _ series: Series, tokens: Int, unit: String) -> [String] {
        let seconds = median(series.seconds)
        let percent = { (x: Double) in decimal(100 * x, 0) }
        return [
            name, decimal(seconds * 1e3, 2), decimal(Double(tokens) / seconds, 1),
            decimal(series.amount / seconds, 1) + " " + unit, decimal(median(series.limits), 1) + " " + unit,
            percent(median(series.ratios)) + " %",
            percent(series.ratios.min() ?? 0) + ".." + percent(series.ratios.max() ?? 0),
        ]
    }

    /// All figures, with their units in their names.
    var json: JSONValue {
        var object: JSONObject = [
            "model": .string(facts.path), "architecture": .string(facts.architecture), "dtype": .string(facts.dtype),
            "random_weights": .bool(facts.hasRandomWeights), "isa": .string(facts.isa),
            "threads": .int(Int64(facts.threads)), "weight_bytes": .int(Int64(facts.weightBytes)),
            "key_value_bytes_per_position": .int(Int64(facts.bytesPerPosition)),
            "read_gb_per_second": .double(bandwidth / 1e9),
            "decode": .array(
                results.decode.map { entry in
                    var row = Self.figures(entry.series, tokens: entry.shape.batch, unit: "gb")
                    row["batch"] = .int(Int64(entry.shape.batch))
                    row["context"] = .int(Int64(entry.shape.context))
                    row["shared"] = .int(Int64(entry.shape.shared))
                    return .object(row)
                }),
            "prefill": .object(Self.figures(results.prefill, tokens: results.prompt, unit: "gflop")),
        ]
        if let model {
            object["step_model"] = [
                "weights_ms": .double(model.weightSeconds * 1e3), "fixed_ms": .double(model.fixedSeconds * 1e3),
                "further_sequence_ms": .double(model.secondsPerSequence * 1e3),
                "key_value_gb_per_second": .double(1e-9 / model.secondsPerByte),
                "largest_error": .double(model.errors.map(abs).max() ?? 0),
            ]
        }
        return .object(object)
    }

    private static func figures(_ series: Series, tokens: Int, unit: String) -> JSONObject {
        let seconds = median(series.seconds)
        return [
            "ms": .double(seconds * 1e3), "tokens_per_second": .double(Double(tokens) / seconds),
            "\(unit)_per_second": .double(series.amount / seconds),
            "limit_\(unit)_per_second": .double(median(series.limits)), "of_limit": .double(median(series.ratios)),
        ]
    }
}

// MARK: Charts

extension OfflineReport {
    /// Tokens per second by batch size, and step time by context.
    var charts: [Chart] { [throughputChart, contextChart] }

    private var title: String { facts.path.split(separator: "/").last.map(String.init) ?? facts.path }

    /// The batch sweep is what shares the context of most shapes.
    private var throughputChart: Chart {
        let sweeps = Dictionary(grouping: results.decode.filter { $0.shape.shared == 0 }, by: \.shape.context)
        let sweep = sweeps.values.max { ($0.count, -$0[0].shape.context) < ($1.count, -$1[0].shape.context) } ?? []
        let batches = sweep.map(\.shape.batch)
        let context = sweep.first?.shape.context ?? 0
        let measured = sweep.map { Point(Double($0.shape.batch), Double($0.shape.batch) / median($0.series.seconds)) }
        let largest = batches.max() ?? 1
        var series = [Chart.Line(name: "measured", points: measured, style: .marks)]
        if let model {
            let curve = (1...largest).map { batch in
                Point(
                    Double(batch), Double(batch) / model.seconds(batch: batch, keyValueBytes: keyValues(batch, context))
                )
            }
            series.append(Chart.Line(name: "fitted curve", points: curve, style: .solid))
        }
        let ideal = (1...largest).map { batch in
            Point(Double(batch), Double(batch) * bandwidth / (Double(facts.weightBytes) + keyValues(batch, context)))
        }
        series.append(Chart.Line(name: "bytes / bandwidth", points: ideal, style: .dashed))
        return Chart(
            title: "\(title), \(facts.dtype): decode at context \(context)",
            x: Axis("sequences in a step", isLogarithmic: true), y: Axis("tokens/s"), lines: series)
    }

    private var contextChart: Chart {
        let sweep = results.decode.filter { $0.shape.shared == 0 && $0.shape.batch == 1 }
            .sorted { $0.shape.context < $1.shape.context }
        let measured = sweep.map { Point(Double($0.shape.context), 1e3 * median($0.series.seconds)) }
        var series = [Chart.Line(name: "measured", points: measured, style: .marks)]
        let contexts = curveContexts(from: sweep.first?.shape.context ?? 1, to: sweep.last?.shape.context ?? 1)
        if let model {
            let curve = contexts.map { context in
                Point(Double(context), 1e3 * model.seconds(batch: 1, keyValueBytes: keyValues(1, context)))
            }
            series.append(Chart.Line(name: "fitted curve", points: curve, style: .solid))
        }
        let ideal = contexts.map { context in
            Point(Double(context), 1e3 * (Double(facts.weightBytes) + keyValues(1, context)) / bandwidth)
        }
        series.append(Chart.Line(name: "bytes / bandwidth", points: ideal, style: .dashed))
        return Chart(
            title: "\(title), \(facts.dtype): decode of one sequence", x: Axis("context", isLogarithmic: true),
            y: Axis("step, ms"), lines: series)
    }

    private func keyValues(_ batch: Int, _ context: Int) -> Double { Double(batch * context * facts.bytesPerPosition) }

    /// Enough contexts for a smooth curve on a logarithmic axis.
    private func curveContexts(from first: Int, to last: Int) -> [Int] {
        guard first < last else { return [first] }
        return Array(stride(from: first, through: last, by: max(1, (last - first) / 256)))
    }
}
