import Foundation
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// Profiles of a running server.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(4))) struct ProfileTests {
        private static let request: JSONObject = [
            "text": "Once", "sampling_params": ["temperature": 0, "max_new_tokens": 12, "ignore_eos": true],
        ]

        private func start(_ server: Server, _ folder: TemporaryFolder, _ more: JSONObject = [:]) throws -> HTTPAnswer {
            var body: JSONObject = ["output_dir": .string(folder.path + "/new"), "profile_id": "p"]
            for (name, value) in more { body[name] = value }
            return try server.request("/start_profile", .object(body))
        }

        private func events(_ folder: TemporaryFolder, _ name: String = "p-TP-0") throws -> [JSONValue] {
            let text = try String(contentsOfFile: "\(folder.path)/new/\(name).trace.json", encoding: .utf8)
            return try #require(try JSON.parse(text)["traceEvents"]?.arrayValue)
        }

        private func count(_ events: [JSONValue], _ phase: JSONValue, _ name: JSONValue) -> Int {
            events.count { $0["ph"] == phase && $0["name"] == name }
        }

        @Test func aProfileHasStepsKernelsMessagesAndTheQueue() throws {
            let folder = TemporaryFolder()
            try withServer(Workload.model, Workload.flags) { server in
                #expect(try server.request("/stop_profile", method: "POST").status == 400)
                let began = try start(server, folder)
                #expect(began.status == 200 && began.text == "Start profiling.\n")
                #expect(try start(server, folder).status == 400)
                let profiled = try server.single(Self.request).outcome
                let ended = try server.request("/stop_profile")
                #expect(ended.status == 200 && ended.text == "Stop profiling. This will take some time.\n")
                try server.process.line(with: "Traces are saved to: \(folder.path)/new/p-TP-0.trace.json")
                let events = try events(folder)
                #expect(count(events, "X", "prefill") == 1 && count(events, "X", "decode") == 11)
                #expect(count(events, "X", "forward") == 12 && count(events, "X", "send") == 12)
                #expect(count(events, "X", "receive") >= 1 && count(events, "X", "schedule") == 12)
                #expect(count(events, "X", "attention") >= 12 && count(events, "X", "matmul") >= 48)
                for state in ["on its way", "waiting", "running"] as [JSONValue] {
                    #expect(count(events, "b", state) == 1 && count(events, "e", state) == 1, "\(state)")
                }
                #expect(try server.single(Self.request).outcome == profiled)
            }
        }

        @Test func aProfileOfSomeStepsEndsByItselfAndOneThatCannotBeWrittenIsRefused() throws {
            let folder = TemporaryFolder()
            try withServer(Workload.model, Workload.flags) { server in
                #expect(try start(server, folder, ["num_steps": 5, "profile_prefix": "few"]).status == 200)
                _ = try server.single(Self.request)
                try server.process.line(with: "Traces are saved to: ")
                let events = try events(folder, "few-p-TP-0")
                #expect(count(events, "X", "prefill") + count(events, "X", "decode") == 5)
                for wrong in [
                    ["output_dir": "/proc/none"], ["activities": ["GPU"]], ["num_steps": 0], ["profile_id": "../x"],
                ] as [JSONObject] {
                    let answer = try start(server, folder, wrong)
                    #expect(answer.status == 400, "\(wrong): \(answer.text)")
                }
                #expect(try server.request("/stop_profile").status == 400)
            }
        }

        @Test func aProfileDiesWithItsWorkerAndNoRequestDoes() throws {
            let folder = TemporaryFolder()
            try withServer(Workload.model, Workload.flags) { server in
                let quiet = try server.single(Self.request).outcome
                #expect(try start(server, folder).status == 200)
                try server.kill([try server.incarnation(of: Title.worker)])
                #expect(try server.single(Self.request).outcome == quiet)
                #expect(try server.request("/stop_profile").status == 400)
                #expect(try start(server, folder).status == 200)
                #expect(try server.request("/stop_profile").status == 200)
            }
        }
    }

    /// Lines about requests, with the real processes.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(4))) struct RequestLineTests {
        @Test func whatIsWrittenAboutRequestsOutlivesTheFront() throws {
            let folder = TemporaryFolder()
            try withServer(Workload.model, Workload.flags + ["--log-requests", "--log-requests-level", "0"]) { server in
                let sampling: JSONValue = ["temperature": 0, "max_new_tokens": 3]
                _ = try server.single(["text": "Once", "rid": "first", "sampling_params": sampling])
                let line = try server.process.line(with: "Receive: obj=GenerateReqInput(rid='first'")
                #expect(!line.contains("Once"))
                try server.process.line(with: "Finish: obj=GenerateReqInput(rid='first'")
                let order: JSONValue = [
                    "log_requests_level": 2, "log_requests_format": "json",
                    "dump_requests_folder": .string(folder.path),
                ]
                #expect(try server.request("/configure_logging", order).status == 200)
                _ = try server.single(["text": "Once", "rid": "second", "sampling_params": sampling])
                try server.kill([try server.incarnation(of: Title.http)])
                _ = try server.single(["text": "Once", "rid": "third", "sampling_params": sampling])
                let json = try server.process.line(with: #""event":"request.received","rid":"third""#)
                #expect(try JSON.parse(json)["obj"]?["text"] == "Once")
                var dumped: [JSONValue?] = []
                try poll("not dumped: \(dumped)") {
                    dumped = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().flatMap { name in
                        try String(contentsOfFile: folder.path + "/" + name, encoding: .utf8).split(separator: "\n").map
                        {
                            try JSON.parse(String($0))["rid"]
                        }
                    }
                    return dumped == ["second", "third"] ? () : nil
                }
            }
        }
    }
}
