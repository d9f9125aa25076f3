internal import ChildRuntime

/// Writes Prometheus' text format, version 0.0.4: families with their samples, each family once.
struct ExpositionText: Sendable {
    /// What a family's values are.
    enum Kind: String {
        case counter, gauge, histogram
    }

    /// Names and values of labels.
    typealias Labels = [(name: String, value: String)]

    private(set) var text = ""
    /// Labels of every sample.
    private let common: Labels

    init(common: Labels = []) { self.common = common }

    /// The media type of the text.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Writes a family: its name, what it is, and samples by their labels. A family without samples is left out.
    mutating func family(
        _ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: Labels, value: Double)]
    ) {
        guard !samples.isEmpty else { return }
        header(name, kind, help)
        for sample in samples { line(name, common + sample.labels, sample.value) }
    }

    /// Writes a family with one sample that has the common labels alone.
    mutating func family(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        family(name, kind, help, [([], value)])
    }

    /// Writes a family of histograms by their labels.
    mutating func histograms(_ name: String, _ help: String, _ samples: [(labels: Labels, value: Histogram)]) {
        guard !samples.isEmpty else { return }
        header(name, .histogram, help)
        for (labels, histogram) in samples {
            let labels = common + labels
            var total: UInt64 = 0
            for (bound, count) in zip(histogram.bounds, histogram.counts) {
                total += count
                line(name + "_bucket", labels + [("le", Self.number(bound))], Double(total))
            }
            line(name + "_bucket", labels + [("le", "+Inf")], Double(histogram.total))
            line(name + "_sum", labels, histogram.sum)
            line(name + "_count", labels, Double(histogram.total))
        }
    }

    private mutating func header(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    private mutating func line(_ name: String, _ labels: Labels, _ value: Double) {
        text += name
        if !labels.isEmpty {
            let list = labels.sorted { $0.name < $1.name }.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
            text += "{" + list.joined(separator: ",") + "}"
        }
        text += " \(Self.number(value))\n"
    }

    /// A number as the reference's library writes it: always with a point or an exponent.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        return value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : "\(value)"
    }

    private static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
