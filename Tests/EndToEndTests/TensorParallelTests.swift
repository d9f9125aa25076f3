import Foundation
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// One model over several worker processes.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(3))) struct TensorParallelTests {
        private static let ranks = [Title.worker + "_TP0", Title.worker + "_TP1"]

        @Test func ranksAreProcessesThatTogetherSayWhatOneSays() throws {
            // A draw may fall on the other side of a border that moved by the last bit; the largest logit rarely does.
            let requests = EqualityTests.requests.filter { $0["sampling_params"]?["temperature"] == 0 }
            let alone = try withServer("llama-untied") { server in
                try requests.map { try server.single($0).outcome }
            }
            for size in [2, 3] {
                try withServer("llama-untied", ["--tp", "\(size)"]) { server in
                    let titles = (0..<size).map { Title.worker + "_TP\($0)" }
                    #expect(
                        Set(try server.table().keys)
                            == Set(Title.children).subtracting([Title.worker]).union(titles))
                    for (request, expected) in zip(requests, alone) {
                        let found = try server.single(request).outcome
                        #expect(found.text == expected.text)
                        #expect(found.ids == expected.ids)
                    }
                    let stopped = try server.stop()
                    #expect(stopped.ending == .code(0) && stopped.leftovers == [])
                }
            }
        }

        @Test func theDeathOfAnyRankIsNoticedByNobody() throws {
            let flags = Workload.flags + ["--tp-size", "2"]
            let undisturbed = try withServer(Workload.model, flags) { try Workload.start(on: $0).outcomes() }
            for title in Self.ranks {
                try withServer(Workload.model, flags) { server in
                    let victim = try server.incarnation(of: title)
                    let run = Workload.start(on: server)
                    try run.haveFrames(1)
                    try server.kill([victim])
                    for (index, pair) in zip(try run.outcomes(), undisturbed).enumerated() {
                        #expect(pair.0 == pair.1, "request \(index) after the death of \(title)")
                    }
                    try server.allReady()
                    let table = try server.table()
                    #expect(Self.ranks.allSatisfy { table[$0]?["generation"]?.intValue == 2 }, "a group has one life")
                }
            }
        }

        @Test func moreRanksThanTheHeadsAllowAreRefused() throws {
            let folder = try Server.temporaryFolder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let (ending, lines) = try Subprocess.run(
                Server.binary,
                Server.arguments(Fixtures.path("llama-rope-linear"), port: 0, folder: folder) + ["--tp", "3"])
            #expect(ending != .code(0))
            #expect(lines.contains { $0.contains("num_attention_heads") && $0.contains("3 tensor-parallel ranks") })
            #expect(Server.processes(of: folder + "/run") == [])
        }
    }
}
