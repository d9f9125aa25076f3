package import Messages

/// Turns the reports of how far start-up is into a bar for a terminal or lines for a file.
package struct LoadProgress: Sendable {
    private var lastLine: [String: String] = [:]

    package init() {}

    /// One line for everything that still loads; empty when nothing does.
    package func bar(_ processes: [ProcessInfo]) -> String {
        let loading = processes.filter { ($0.state == .loading || $0.state == .spawned) && !$0.stage.isEmpty }
        return loading.map { process in
            let fraction = min(max(process.fraction, 0), 1)
            // What does not tell how far it is has no bar.
            guard fraction > 0 else { return "\(process.title): \(process.stage)" }
            let filled = Int(fraction * 24)
            let blocks = String(repeating: "█", count: filled) + String(repeating: "·", count: 24 - filled)
            return "\(process.title): \(process.stage) \(Self.percent(fraction)) |\(blocks)|"
        }.joined(separator: "  ")
    }

    /// The lines that are news: a further quarter of a stage. A stage that has only begun, or that does not tell how far it is, is none.
    package mutating func lines(_ processes: [ProcessInfo]) -> [String] {
        var news: [String] = []
        for process in processes where process.state == .loading && !process.stage.isEmpty {
            let quarter = Int(min(max(process.fraction, 0), 1) * 4)
            let key = "\(process.generation) \(process.stage) \(quarter)"
            guard quarter > 0, lastLine[process.title] != key else { continue }
            lastLine[process.title] = key
            news.append("\(process.title): \(process.stage) \(Self.percent(process.fraction))")
        }
        return news
    }

    private static func percent(_ fraction: Double) -> String { "\(Int(fraction * 100)) %" }
}
