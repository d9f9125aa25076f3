import Foundation
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// A long quiet time with a death now and then: whose memory grows?
    ///
    /// `SRT_SOAK_MINUTES` says how long; clients pause between requests, so that the cores are not all busy, and one process
    /// dies each minute. The model is `SRT_CHAOS_MODEL`. Prints each process's resident memory early and at the end, and, since
    /// most are younger than the server, what its predecessor had at the same age.
    @Suite(
        .serialized, .share(.whole), .enabled(if: Soak.minutes > 0, "needs SRT_SOAK_MINUTES"),
        .timeLimit(.minutes(Soak.minutes + 10)))
    struct SoakTests {
        @Test func memoryDoesNotGrow() throws {
            let variant = Chaos.variants[0]
            try withServer(variant.model, variant.flags, dtype: "bfloat16") { server in
                let pace = Chaos.Pace(
                    seconds: Double(Soak.minutes) * 60, clients: 6, kinds: 24, between: 55..<65, thinking: 0.25)
                let chaos = try Chaos(server, pace, includesFront: true)
                let expected = try chaos.undisturbed()
                var soak = Soak()
                let report = try chaos.run(comparingWith: expected) { try soak.sample(server, at: $0) }
                print(report)
                for line in soak.lines { print(line) }
                #expect(report.failures == [] && report.different == 0 && report.refusals == 0)
                try server.awaitIdleness()
                #expect(try server.strayFiles() == [] && server.zombies == [])
            }
        }
    }
}

/// Resident memory of a server's processes over a long time.
struct Soak {
    /// One process at one moment.
    private struct Sample {
        let title: String
        /// Seconds since the beginning.
        let time: Double
        /// Seconds since the process was ready.
        let age: Double
        let bytes: Int

        var text: String { "\(bytes >> 10) KiB at the age of \(Int(age)) s" }
    }

    static let minutes = Chaos.number("SRT_SOAK_MINUTES")
    /// When the first look counts, in seconds: everything is warm by then.
    private static let early = min(300, Double(minutes) * 60 / 4)
    private var samples: [Sample] = []

    /// Notes how large every process is, at most once in four seconds.
    mutating func sample(_ server: Server, at time: Double) throws {
        guard time - (samples.last?.time ?? -10) > 4 else { return }
        let memory = try server.residentBytes()
        var ages = try server.table().mapValues { Date().timeIntervalSince1970 - ($0["since"]?.doubleValue ?? 0) }
        ages[Title.launcher] = time
        for (title, bytes) in memory where bytes > 0 {
            samples.append(Sample(title: title, time: time, age: ages[title] ?? 0, bytes: bytes))
        }
    }

    /// What the samples say, a line for each title.
    var lines: [String] {
        Set(samples.map(\.title)).sorted().compactMap { title in
            let own = samples.filter { $0.title == title }
            guard let first = own.first(where: { $0.time >= Self.early }), let last = own.last else { return nil }
            let beginning = own.filter { $0.time < max(Self.early * 2, last.time / 3) }
            let peer = beginning.min { abs($0.age - last.age) < abs($1.age - last.age) } ?? first
            return "\(title): \(first.text) after \(Int(first.time)) s; \(last.text) at the end, "
                + "ratio \(Self.ratio(last, first)); an early one had \(peer.text), ratio \(Self.ratio(last, peer))"
        }
    }

    private static func ratio(_ late: Sample, _ early: Sample) -> String {
        let hundredths = Int((100 * Double(late.bytes) / Double(early.bytes)).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}
