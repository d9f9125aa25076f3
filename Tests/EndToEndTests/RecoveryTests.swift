import Foundation
import Glibc
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// How long it takes until a killed process is ready again.
    ///
    /// With `SRT_RECOVERY_KILLS` it kills each kind of process so often and prints the times; `SRT_CHAOS_MODEL` is a model for it.
    /// Without, two kills show that all come back.
    @Suite(.serialized, .share(.whole), .timeLimit(.minutes(30))) struct RecoveryTests {
        private static let kills = max(2, Chaos.number("SRT_RECOVERY_KILLS"))
        private static let model = Chaos.environment("SRT_CHAOS_MODEL")
        /// Seconds between two kills: more than thirty a minute of one process would be a reason not to start it at once.
        private static let pause = kills > 20 ? 0.55 : 0

        /// What one kind of process took, in seconds.
        struct Times {
            var recoveries: [Double] = []
            var longestGap = 0.0

            func line(_ title: String) -> String {
                let sorted = recoveries.sorted()
                func text(_ share: Double) -> String {
                    "\(Int((sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))] * 1000).rounded())) ms"
                }
                return
                    "recovery of \(title): \(sorted.count) kills, median \(text(0.5)), p99 \(text(0.99)), max \(text(1)), "
                    + "longest gap of a stream \(Int(longestGap * 1000)) ms"
            }
        }

        @Test func everyKilledProcessIsReadyAgain() throws {
            let flags = ["--incremental-streaming-output", "--max-restarts", "1000"]
            let own = Self.model == nil ? Workload.longContext : []
            try withServer(Self.model ?? Workload.model, flags + own, dtype: "bfloat16") { server in
                var times = Dictionary(uniqueKeysWithValues: Title.children.map { ($0, Times()) })
                for _ in 0..<Self.kills {
                    for title in Title.children {
                        let (recovery, gap) =
                            title == Title.http ? (try recovery(of: title, server), 0) : try underWork(title, server)
                        times[title]!.recoveries.append(recovery)
                        times[title]!.longestGap = max(times[title]!.longestGap, gap)
                        if Self.pause > 0 { _ = EventBoard(()).wait(seconds: Self.pause) { _ in nil as Void? } }
                    }
                }
                for title in Title.children { print(times[title]!.line(title)) }
                #expect(times.values.allSatisfy { $0.recoveries.count == Self.kills })
                #expect(try server.request("/health").status == 200)
            }
        }

        /// Kills a process while a stream runs.
        ///
        /// - Returns: seconds until it was ready, and the stream's longest gap.
        private func underWork(_ title: String, _ server: Server) throws -> (recovery: Double, gap: Double) {
            let body: JSONObject = [
                "text": "The keeper climbed", "rid": "stream",
                "sampling_params": [
                    "temperature": 0, "max_new_tokens": .int(Self.model == nil ? 8000 : 1800), "ignore_eos": true,
                ],
            ]
            let frames = EventBoard((count: 0, last: Date(), gap: 0.0))
            let crew = started(1) { _ in
                try server.streamed(body, incremental: true) { count in
                    frames.update { state in
                        if count > 1 { state.gap = max(state.gap, Date().timeIntervalSince(state.last)) }
                        (state.count, state.last) = (count, Date())
                    }
                }
            }
            guard frames.wait(for: { $0.count > 2 ? () : nil }) != nil else { throw HarnessError("no stream") }
            let recovery = try recovery(of: title, server)
            let seen = frames.now.count
            // The stream goes on; it need not come to its end.
            guard frames.wait(for: { $0.count > seen || crew.ended > 0 ? () : nil }) != nil else {
                throw HarnessError("the stream does not go on after the death of \(title)")
            }
            _ = try server.request("/abort_request", ["rid": "stream"])
            _ = try crew.results()
            return (recovery, frames.now.gap)
        }

        /// Kills a process and waits until the launcher's file says that the next one is ready; seconds.
        private func recovery(of title: String, _ server: Server) throws -> Double {
            try server.allReady()
            let victim = try server.incarnation(of: title)
            let changes = try FolderWatch(server.runDirectory)
            let start = Date()
            kill(victim.pid, SIGKILL)
            while -start.timeIntervalSinceNow < patience {
                let entry = try server.stateFile()["processes"]?.arrayValue?.first { $0["title"]?.stringValue == title }
                if let entry, entry["state"] == "ready", entry["generation"]?.intValue ?? 0 > victim.generation {
                    return -start.timeIntervalSinceNow
                }
                guard changes.wait() else { break }
            }
            throw HarnessError("\(title) does not come back: \(server.process.tail)")
        }
    }
}
