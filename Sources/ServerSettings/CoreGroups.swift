/// Which cores each rank computes on: lists like `0-3,8` separated by `|`, one for each rank in order, as in SGLang's
/// SGLANG_CPU_OMP_THREADS_BIND.
package struct CoreGroups: Sendable, Codable, Equatable {
    /// As it was written.
    package let text: String
    /// The cores by rank, in the order they were named; no core twice.
    package let ranks: [[Int]]

    /// No machine has a core with a higher number.
    private static let highest = 1 << 16

    /// Reads lists; nil when they are malformed.
    package init?(_ text: String) {
        guard let ranks = Self.parse(text), Self.repeated(ranks) == nil else { return nil }
        self.text = text
        self.ranks = ranks
    }

    /// What is wrong with a text, to be read after it; nil when nothing is.
    static func problem(with text: String) -> String? {
        guard let ranks = parse(text) else {
            return "is not a list of cores for each rank, such as 0-15|16-31 or 0-3,8-11"
        }
        return repeated(ranks).map { "names core \($0) twice" }
    }

    private static func parse(_ text: String) -> [[Int]]? {
        var ranks: [[Int]] = []
        for group in text.split(separator: "|", omittingEmptySubsequences: false) {
            var cores: [Int] = []
            for item in group.split(separator: ",", omittingEmptySubsequences: false) {
                let ends = item.split(separator: "-", omittingEmptySubsequences: false).map(core)
                guard ends.count <= 2, let first = ends[0], let last = ends[ends.count - 1], first <= last else {
                    return nil
                }
                cores += first...last
            }
            ranks.append(cores)
        }
        return ranks
    }

    private static func core(_ digits: Substring) -> Int? {
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(digits) else { return nil }
        return number <= highest ? number : nil
    }

    private static func repeated(_ ranks: [[Int]]) -> Int? {
        var seen: Set<Int> = []
        return ranks.joined().first { !seen.insert($0).inserted }
    }
}
