import APICore
import Foundation
import HTTPFront
import JSON
import Ledger
import Logging
import Messages
import ServerSettings
import Synchronization
import TestSupport
import Testing

/// What is written about single requests.
@Suite struct RequestLogTests {
    /// A request's lines in a folder, after `configure` was said to a server with these settings.
    private func lines(
        _ configure: String?, _ body: String = #"{"text":"abc","rid":"r"}"#, at path: String = "/generate",
        headers: [(String, String)] = [],
        settings change: (inout RequestLogChoices) -> Void = { _ in }
    ) async throws -> [String] {
        let folder = TemporaryFolder()
        var settings = FrontSettings.served()
        settings.requestLog.targets = [folder.path + "/deep/er"]
        change(&settings.requestLog)
        let server = LocalFront(settings)
        if let configure { #expect(try await server.post("/configure_logging", configure).status == 200) }
        #expect(
            try await server.post(path, body, headers: headers + [("Content-Type", "application/json")]).status == 200)
        server.front.settleLogs()
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/deep/er")) ?? []
        let texts = try names.map { try String(contentsOfFile: "\(folder.path)/deep/er/\($0)", encoding: .utf8) }
        return texts.flatMap { $0.split(separator: "\n").map(String.init) }
    }

    @Test func nothingIsWrittenUnlessItIsAskedFor() async throws {
        #expect(try await lines(nil) == [])
        #expect(try await lines(#"{"log_requests":false}"#) == [])
    }

    @Test func textIsAPythonExpression() async throws {
        let lines = try await lines(nil, settings: { $0.isOn = true })
        try #require(lines.count == 2)
        #expect(lines[0].contains("] Receive: obj=GenerateReqInput(rid='r', text='abc', sampling_params={"))
        #expect(lines[0].hasPrefix("[20"))
        #expect(lines[1].contains("Finish: obj=GenerateReqInput(rid='r'") && lines[1].contains("out={'text': 'abc'"))
        #expect(lines[1].contains("'finish_reason': {'type': 'length', 'length': 3}"))
    }

    @Test func headersThatMayBeToldAre() async throws {
        let headers = [("X-SMG-Routing-Key", "k"), ("X-Test", "t"), ("X-Other", "o")]
        let text = try await lines(nil, headers: headers) {
            $0.isOn = true; $0.headers.append("x-test")
        }
        try #require(text.count == 2)
        #expect(text[0].hasSuffix("), headers={'x-smg-routing-key': 'k', 'x-test': 't'}"))
        #expect(text[1].contains("), headers={'x-smg-routing-key': 'k', 'x-test': 't'}, out={"))
        let json = try await lines(nil, headers: headers) {
            $0.isOn = true; $0.format = .json
        }
        let events = try json.map { try JSON.parse($0) }
        #expect(events.map { $0["headers"] } == [["x-smg-routing-key": "k"], ["x-smg-routing-key": "k"]])
        let stream = try await lines(nil, #"{"text":"abc","stream":true}"#, headers: headers) { $0.isOn = true }
        #expect(stream.last?.contains("headers={'x-smg-routing-key': 'k'}, out={") == true)
    }

    @Test func openAIRoutesAlsoTellWhatTheyWereSent() async throws {
        let body = #"{"model":"m","prompt":"abc","max_tokens":2,"user":null}"#
        let text = try await lines(nil, body, at: "/v1/completions", headers: [("X-SMG-Routing-Key", "k")]) {
            $0.isOn = true
        }
        try #require(text.count == 3)
        let told = "Receive OpenAI: obj={'model': 'm', 'prompt': 'abc', 'max_tokens': 2}"
        #expect(text[0].hasSuffix("] \(told), headers={'x-smg-routing-key': 'k'}"))
        let json = try await lines(nil, body, at: "/v1/completions") {
            $0.isOn = true; $0.format = .json
        }
        let event = try JSON.parse(try #require(json.first))
        #expect(event["event"] == "request.received.openai" && event["headers"] == nil)
        #expect(event["obj"] == ["model": "m", "prompt": "abc", "max_tokens": 2])
        let little = try await lines(nil, body, at: "/v1/completions") {
            $0.isOn = true; $0.level = 1
        }
        #expect(little.count == 2 && !little.contains { $0.contains("OpenAI") })
    }

    @Test(arguments: [(0, false, false), (1, false, true), (2, true, true), (3, true, true)])
    func levelsLetThroughMoreAndMore(level: Int, text: Bool, sampling: Bool) async throws {
        let lines = try await lines(
            #"{"log_requests":true,"log_requests_level":\#(level),"log_requests_format":"json"}"#)
        let events = try lines.map { try JSON.parse($0) }
        #expect(events.map { $0["event"] } == ["request.received", "request.finished"])
        for event in events {
            #expect(event["rid"] == "r" && event["timestamp"]?.stringValue?.hasPrefix("20") == true)
            #expect((event["obj"]?["text"] != nil) == text)
            #expect((event["obj"]?["sampling_params"] != nil) == sampling)
        }
        #expect((events[1]["out"]?["text"] != nil) == text)
        #expect(events[1]["out"]?["meta_info"]?["completion_tokens"] == 3)
    }

    @Test func longTextsAreShortenedUnlessEverythingIsWanted() async throws {
        let text = String(repeating: "x", count: 3000)
        for (level, length) in [(2, 2048 + 5), (3, 3000)] {
            let lines = try await lines(
                #"{"log_requests":true,"log_requests_level":\#(level),"log_requests_format":"json"}"#,
                #"{"text":"\#(text)","sampling_params":{"max_new_tokens":1}}"#)
            #expect(try JSON.parse(lines[0])["obj"]?["text"]?.stringValue?.count == length)
        }
    }

    @Test func aBatchInAStreamHasALineForEachOfItsAnswers() async throws {
        let lines = try await lines(
            nil, #"{"text":["a","bcd"],"rid":["x","y"],"stream":true}"#,
            settings: { ($0.isOn, $0.format) = (true, .json) })
        let events = try lines.map { try JSON.parse($0) }
        let finished = events.filter { $0["event"] == "request.finished" }
        #expect(Set(finished.compactMap { $0["rid"]?.stringValue }) == ["x", "y"] && finished.count == 2)
    }

    @Test func answeredRequestsAreDumpedSoManyToAFile() async throws {
        let folder = TemporaryFolder()
        let server = LocalFront()
        let order =
            #"{"dump_requests_folder":"\#(folder.path)","dump_requests_threshold":2,"dump_requests_exclude_meta_keys":["id"]}"#
        #expect(try await server.post("/configure_logging", order).status == 200)
        for index in 0..<5 { _ = try await server.post("/generate", #"{"text":"a\#(index)"}"#) }
        server.front.settleLogs()
        var counts: [Int] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
            let lines = try String(contentsOfFile: folder.path + "/" + name, encoding: .utf8).split(separator: "\n")
            counts.append(lines.count)
            for line in lines {
                let object = try JSON.parse(String(line))
                #expect(object["out"]?["text"]?.stringValue == object["obj"]?["text"]?.stringValue)
                #expect(object["out"]?["meta_info"]?["id"] == nil)
                #expect(object["out"]?["meta_info"]?["prompt_tokens"] != nil)
            }
        }
        #expect(counts == [2, 2, 1])
    }

    @Test(arguments: [
        #"{"log_requests_level":4}"#, #"{"log_requests_format":"xml"}"#, #"{"dump_requests_threshold":0}"#,
        #"{"log_level":"debug"}"#, #"{"crash_dump_folder":"/tmp"}"#, #"{"dump_requests_folder":"/proc/no"}"#,
    ]) func whatCannotBeDoneIsRefused(order: String) async throws {
        let server = LocalFront()
        let answer = try await server.post("/configure_logging", order)
        #expect(answer.status == 400)
        #expect(answer.body.contains(order.dropFirst(2).prefix { $0 != "\"" }) || answer.body.contains("/proc/no"))
    }

    @Test func theNextFrontKnowsWhatWasOrdered() async throws {
        let folder = TemporaryFolder()
        let memory = open(folder.write("sessions", []), O_RDWR)
        defer { close(memory) }
        let first = LocalFront(sessions: memory)
        #expect(
            try await first.post("/configure_logging", #"{"log_requests":true,"log_requests_level":1}"#).status == 200)
        let second = LocalFront(generation: 2, sessions: memory)
        #expect(second.front.requestLogChoices.lines.isOn && second.front.requestLogChoices.lines.level == 1)
    }
}
