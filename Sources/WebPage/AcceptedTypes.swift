internal import APICore

/// The types that an `Accept` header names.
struct AcceptedTypes {
    private let qualities: [String: Double]

    init(_ header: String) {
        var qualities: [String: Double] = [:]
        for part in header.split(separator: ",") {
            let words = part.split(separator: ";").map { String($0).trimming { $0 == " " || $0 == "\t" }.lowercased() }
            guard let type = words.first else { continue }
            let quality = words.first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 }
            qualities[type] = max(qualities[type] ?? 0, quality ?? 1)
        }
        self.qualities = qualities
    }

    /// How welcome a type is, from 0 to 1; 0 where its name is missing, whatever wildcards say.
    func quality(of type: String) -> Double { qualities[type] ?? 0 }
}
