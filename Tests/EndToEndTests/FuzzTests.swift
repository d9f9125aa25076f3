import Foundation
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// Thousands of requests that the server's own description suggests, right and wrong.
    @Suite(.serialized, .share(.whole), .timeLimit(.minutes(10))) struct FuzzTests {
        /// Orders after which others would wait for one that may never come, or that write where they are told to.
        private static let excluded: Set<String> = [
            "/pause_generation", "/slow_down", "/release_memory_occupation", "/configure_logging", "/start_profile",
        ]
        private static let seeds: [UInt64] = [1, 2, 3, 4]
        /// Of each seed; `SRT_FUZZ_REQUESTS` asks for more.
        private static let requests =
            ProcessInfo.processInfo.environment["SRT_FUZZ_REQUESTS"].flatMap(Int.init) ?? 250

        /// Keeps answers short: an open end would only cost time.
        private static func shortened(_ request: RequestGenerator.Request) -> [UInt8]? {
            guard let body = request.body, var object = (try? JSON.parse(body))?.objectValue else {
                return request.body
            }
            if object["max_tokens"] == nil, request.template != "/generate" { object["max_tokens"] = 3 }
            guard request.template == "/generate" else { return JSON.encode(.object(object)) }
            switch object["sampling_params"] {
            case nil, .null?: object["sampling_params"] = ["max_new_tokens": 3]
            case .object(var sampling)?:
                if (sampling["max_new_tokens"]?.intValue ?? 100) > 40 { sampling["max_new_tokens"] = 3 }
                if (sampling["n"]?.intValue ?? 1) > 40 { sampling["n"] = 2 }
                object["sampling_params"] = .object(sampling)
            default: break
            }
            return JSON.encode(.object(object))
        }

        private static func fuzz(_ server: Server, _ document: JSONValue, _ seed: UInt64, _ count: Int) throws
            -> [String]
        {
            var generator = RequestGenerator(document, seed: seed, excluding: excluded)
            var complaints: [String] = []
            for _ in 0..<count {
                let request = generator.next()
                let body = shortened(request)
                let text = body.map { String(decoding: $0.prefix(300), as: UTF8.self) } ?? ""
                guard let status = try? answer(to: request, body, server) else {
                    complaints.append("no whole answer to \(request.method) \(request.path) \(text)")
                    continue
                }
                if status == 500 || !request.statuses.contains(status) {
                    complaints.append("\(status) to \(request.method) \(request.path) \(text)")
                }
            }
            return complaints
        }

        /// The status of a request whose answer ends as it should.
        private static func answer(
            to request: RequestGenerator.Request, _ body: [UInt8]?, _ server: Server
        ) throws -> Int {
            let connection = try server.connect()
            try connection.send(request.path, bytes: body, method: request.method)
            let status = try connection.head().status
            guard request.method != "HEAD" else { return status }
            while try connection.piece() != nil {}
            return status
        }

        private static func all(_ server: Server, _ document: JSONValue, _ count: Int) throws -> Set<String> {
            Set(try concurrently(seeds.count) { try fuzz(server, document, seeds[$0], count) }.joined())
        }

        @Test func noRequestIsAnsweredOtherwiseThanDescribedAndNobodyDies() throws {
            try withServer(Workload.model, Workload.flags + ["--enable-metrics"]) { server in
                let document = try server.request("/openapi.json").json()
                let pids = try server.pids()
                // Memory is compared with what it is once every kind of request was there.
                let first = try Self.all(server, document, 100)
                #expect(first == [], "\(first.sorted().prefix(20).joined(separator: "\n"))")
                try server.awaitIdleness()
                let before = try server.residentBytes()
                let others = try Self.all(server, document, Self.requests)
                #expect(others == [], "\(others.sorted().prefix(20).joined(separator: "\n"))")
                try server.awaitIdleness()
                #expect(try server.pids() == pids)
                #expect(try server.strayFiles() == [])
                for (title, bytes) in try server.residentBytes() {
                    #expect(bytes < before[title]! + (64 << 20), "\(title) grew from \(before[title]!) to \(bytes)")
                }
                #expect(
                    try server.single(["text": "Once", "sampling_params": ["max_new_tokens": 2]]).outcome.ids.count == 2
                )
            }
        }
    }
}
