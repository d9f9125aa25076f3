import Foundation
import Glibc
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// Memory of an idle server goes back to the system and comes again.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(4))) struct MemoryReleaseTests {
        private static let flags = ["--enable-memory-saver", "--max-total-tokens", "30000"] + Workload.longContext

        /// A prompt that fills some of the cache.
        private static let long: JSONObject = [
            "input_ids": .array((0..<6000).map { .int(Int64(5 + $0 % 200)) }),
            "sampling_params": ["temperature": 0, "max_new_tokens": 8, "ignore_eos": true],
        ]

        /// A file of the kernel, which comes a page at a time: a reader that takes a short piece for the end sees the first one.
        private static func text(_ path: String) -> String {
            let file = open(path, O_RDONLY)
            defer { close(file) }
            var bytes: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 1 << 16)
            while case let count = read(file, &piece, piece.count), count > 0 { bytes += piece[..<count] }
            return String(decoding: bytes, as: UTF8.self)
        }

        /// Bytes of a worker's memory that are backed by no file, and whether it has packed weights mapped.
        private func memory(_ server: Server, _ title: String) throws -> (anonymous: Int, hasWeights: Bool) {
            let pid = try server.incarnation(of: title).pid
            let status = Self.text("/proc/\(pid)/status")
            // The cache is memory that the launcher keeps, shared but of no file.
            let sizes = status.split(separator: "\n").filter { $0.hasPrefix("RssAnon:") || $0.hasPrefix("RssShmem:") }
            let kilobytes = sizes.reduce(0) { $0 + (Int($1.filter(\.isNumber)) ?? 0) }
            let maps = Self.text("/proc/\(pid)/maps")
            return (kilobytes << 10, maps.contains(".packed"))
        }

        private func order(_ server: Server, _ verb: String, _ body: JSONValue = [:]) throws -> HTTPAnswer {
            try server.request("/\(verb)_memory_occupation", body)
        }

        @Test(arguments: [[], ["--tp", "2"]]) func releasedMemoryIsTheSystems(_ ranks: [String]) throws {
            try withServer(Workload.model, Self.flags + ranks) { server in
                let titles = try server.table().keys.filter { $0.hasPrefix(Title.worker) }.sorted()
                let expected = try server.single(Self.long).outcome
                let perToken = try server.kvBytesPerToken()
                let before = try titles.map { try memory(server, $0) }
                #expect(before.allSatisfy { $0.hasWeights })
                let released = try order(server, "release")
                #expect(released.status == 200 && released.text == "null")
                let after = try titles.map { try memory(server, $0) }
                #expect(after.allSatisfy { !$0.hasWeights })
                let freed = zip(before, after).reduce(0) { $0 + $1.0.anonymous - $1.1.anonymous }
                #expect(freed > 6000 * perToken / 2, "\(freed) bytes of \(6000 * perToken) went back")
                #expect(try server.request("/ready").status == 503)
                // Requests wait, whoever dies meanwhile.
                let crew = started(2) { _ in try server.single(Self.long).outcome }
                for title in titles {
                    try server.kill([try server.incarnation(of: title)])
                    try server.allReady()
                    try poll("a new worker has its weights") {
                        try titles.allSatisfy { try !memory(server, $0).hasWeights } ? () : nil
                    }
                }
                #expect(crew.ended == 0)
                #expect(try order(server, "resume", ["tags": ["kv_cache"]]).status == 200)
                #expect(crew.ended == 0)
                #expect(try order(server, "resume", ["tags": ["kv_cache"]]).status == 400)
                #expect(try order(server, "resume").status == 200)
                #expect(try crew.results() == [expected, expected])
                #expect(try server.request("/ready").status == 200)
                #expect(try order(server, "resume").status == 400)
            }
        }

        @Test func aNewFrontKnowsWhatWasReleased() throws {
            try withServer(Workload.model, Self.flags) { server in
                #expect(try order(server, "release", ["tags": ["weights"]]).status == 200)
                try server.kill([try server.incarnation(of: Title.http)])
                #expect(try server.request("/ready").status == 503)
                #expect(try server.updateWeights(Fixtures.path(Workload.model)).status == 400)
                #expect(try order(server, "resume", ["tags": ["weights"]]).status == 200)
                #expect(try server.request("/ready").status == 200)
                #expect(try server.single(Self.long).outcome.ids.count == 8)
            }
        }

        @Test func aBusyServerKeepsItsMemory() throws {
            try withServer(Workload.model, Self.flags + ["--incremental-streaming-output"]) { server in
                let frames = EventBoard(0)
                let stream = started(1) { _ in
                    try server.streamed(Workload.requests[0], incremental: true) { count in frames.update { $0 = count }
                    }
                    .outcome.ids.count
                }
                #expect(frames.wait { $0 > 2 ? () : nil } != nil)
                let refused = try order(server, "release")
                #expect(refused.status == 400 && refused.text.contains("idle"))
                #expect(try stream.results() == [Workload.tokens])
                #expect(try server.request("/ready").status == 200)
                #expect(try order(server, "release", ["tags": ["gpu"]]).status == 400)
            }
        }

        @Test func withoutTheFlagNothingIsReleased() throws {
            try withServer(Workload.model) { server in
                let answer = try order(server, "release")
                #expect(answer.status == 400 && answer.text.contains("--enable-memory-saver"))
            }
        }
    }
}

extension Server {
    /// Bytes of the KV pool for a token, all ranks together.
    func kvBytesPerToken() throws -> Int {
        let memory = try load()
        let gigabytes = memory["memory"]?["kv_cache_gb"]?.doubleValue ?? 0
        let tokens = memory["memory"]?["token_capacity"]?.intValue ?? 1
        return Int(gigabytes * Double(1 << 30)) / tokens
    }
}
