import Foundation
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// Processes die while responses are made in the background, and those that are kept stay.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(4))) struct ResponseDeathTests {
        private static let flags = [
            "--served-model-name", "m", "--tool-call-parser", "qwen", "--reasoning-parser", "qwen3",
            "--enable-response-store",
        ]

        private func withEcho<R>(_ body: (Server) throws -> R) throws -> R {
            try EchoModel.serve(Self.flags, body)
        }

        private func body(_ index: Int, on server: Server) throws -> JSONObject {
            let line = String(repeating: "Lamp \(index) burns, 水位 \(index * 7) cm. ", count: 9)
            let text = "<think>\n\(line)\n</think>\n\n\(line)"
            return [
                "model": "m", "input": .string(try EchoModel.prompt(saying: text, on: server)), "temperature": 0,
            ]
        }

        private func begin(_ body: JSONObject, on server: Server) throws -> String {
            var body = body
            body["background"] = true
            let answer = try server.request("/v1/responses", .object(body))
            guard answer.status == 200, let id = try answer.json()["id"]?.stringValue else {
                throw HarnessError("status \(answer.status): \(answer.text)")
            }
            return id
        }

        private func response(_ id: String, on server: Server) throws -> JSONValue {
            let answer = try server.request("/v1/responses/\(id)")
            guard answer.status == 200 else { throw HarnessError("status \(answer.status): \(answer.text)") }
            return try answer.json()
        }

        /// What a response says, once nobody works on it any more: the texts of its items, and how many tokens it took.
        private func outcome(_ id: String, on server: Server) throws -> [String] {
            let over = try poll("a response in the background is over") { () -> JSONValue? in
                do {
                    let response = try response(id, on: server)
                    // A plain nil would be JSON's null here.
                    return response["status"] == "in_progress" ? Optional<JSONValue>.none : response
                } catch ConnectionError.lost { return Optional<JSONValue>.none }
            }
            let items = (over["output"]?.arrayValue ?? []).map { item in
                "\(item["type"] ?? .null) \(item["content"]?.arrayValue?.first?["text"] ?? .null)"
            }
            return ["\(over["status"] ?? .null) \(over["usage"]?["output_tokens_details"] ?? .null)"] + items
        }

        @Test func responsesInTheBackgroundComeWhicheverProcessDies() throws {
            try withEcho { server in
                let bodies = try (0..<3).map { try body($0, on: server) }
                let undisturbed = try bodies.map { try outcome(begin($0, on: server), on: server) }
                // Each speaks of its own lamp.
                for (index, told) in undisturbed.enumerated() {
                    #expect(told.contains { $0.contains("Lamp \(index) burns") }, "\(told)")
                }
                for titles in Title.children.map({ [$0] }) + [Title.children] {
                    let victims = try titles.map { try server.incarnation(of: $0) }
                    let names = try bodies.map { try begin($0, on: server) }
                    #expect(try response(try #require(names.last), on: server)["status"] == "in_progress")
                    try server.kill(victims)
                    for (index, name) in names.enumerated() {
                        #expect(
                            try outcome(name, on: server) == undisturbed[index], "\(index) after the death of \(titles)"
                        )
                    }
                    try server.allReady()
                }
                try server.awaitIdleness()
            }
        }

        @Test func whatIsKeptSurvivesTheFront() throws {
            try withEcho { server in
                let answer = try server.request("/v1/responses", .object(try body(1, on: server))).json()
                let id = try #require(answer["id"]?.stringValue)
                try server.kill([try server.incarnation(of: Title.http)])
                #expect(try response(id, on: server) == answer)
                var next = try body(2, on: server)
                next["previous_response_id"] = .string(id)
                let later = try server.request("/v1/responses", .object(next)).json()
                #expect(later["status"] == "completed" && later["previous_response_id"] == answer["id"])
                try server.allReady()
                try server.awaitIdleness()
            }
        }
    }
}
