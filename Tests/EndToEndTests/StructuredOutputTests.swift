import Foundation
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// A model that writes nonsense writes what the grammar of a request says.
    @Suite(
        .serialized, .share(.half), .timeLimit(.minutes(4)),
        .server("llama-tied", Workload.longContext + ["--constrained-json-max-whitespace-cnt", "1"]))
    struct StructuredOutputTests {
        private static let schema = """
            {"type":"object","properties":{"name":{"type":"string","maxLength":12},"count":{"type":"integer","minimum":0,\
            "maximum":99},"ok":{"type":"boolean"},"tags":{"type":"array","items":{"enum":["red","blue"]},"maxItems":3}},\
            "required":["name","count","ok","tags"],"additionalProperties":false}
            """

        private static func request(_ grammar: JSONObject, seed: Int = 1, temperature: Double = 1) -> JSONObject {
            var sampling: JSONObject = [
                "temperature": .double(temperature), "max_new_tokens": 300, "sampling_seed": .int(Int64(seed)),
            ]
            for (name, value) in grammar { sampling[name] = value }
            return ["text": "The keeper", "sampling_params": .object(sampling)]
        }

        private static func refusal(_ grammar: JSONObject, by server: Server) throws -> String? {
            let answer = try server.request("/generate", .object(request(grammar)))
            #expect(answer.status == 400)
            return try answer.json()["error"]?["message"]?.stringValue
        }

        private static func checkDocument(_ text: String) throws {
            let value = try JSON.parse(text)
            let keys = try #require(value.objectValue?.keys)
            #expect(keys == ["name", "count", "ok", "tags"])
            #expect(value["name"]?.stringValue.map { $0.unicodeScalars.count <= 12 } == true)
            #expect(value["count"]?.intValue.map { (0...99).contains($0) } == true)
            #expect(value["ok"]?.boolValue != nil)
            #expect(value["tags"]?.arrayValue.map { $0.count <= 3 && $0.allSatisfy { ["red", "blue"].contains($0) } } == true)
        }

        @Test(arguments: [0.0, 1, 2]) func everyTextSatisfiesTheSchema(_ temperature: Double) throws {
            let server = try Server.shared
            for seed in 0..<6 {
                let request = Self.request(["json_schema": .string(Self.schema)], seed: seed, temperature: temperature)
                let outcome = try server.single(request).outcome
                try #require(outcome.finish["type"] == "stop", "\(outcome)")
                try Self.checkDocument(outcome.text)
            }
        }

        @Test func expressionsAndRulesBindTheWholeText() throws {
            let server = try Server.shared
            let date = try server.single(Self.request(["regex": "[0-9]{4}-(0[1-9]|1[0-2])"])).outcome
            #expect(date.text.wholeMatch(of: /[0-9]{4}-(0[1-9]|1[0-2])/) != nil, "\(date)")
            #expect(date.finish["type"] == "stop" && date.finish["matched"] == date.ids.last.map { .int(Int64($0)) })
            let rules = "root ::= \"<\" word \">\"\nword ::= [a-z] word | [a-z]{3}"
            let word = try server.single(Self.request(["ebnf": .string(rules)])).outcome
            #expect(word.text.wholeMatch(of: /<[a-z]{3,}>/) != nil || word.finish["type"] == "length", "\(word)")
            let tag = #"{"format":{"type":"tag","begin":"<n>","content":{"type":"regex","pattern":"[0-9]{2}"},"end":"</n>"}}"#
            let tagged = try server.single(Self.request(["structural_tag": .string(tag)])).outcome
            #expect(tagged.text.wholeMatch(of: /<n>[0-9]{2}<\/n>/) != nil, "\(tagged)")
        }

        @Test func whatCannotBeHadIsRefusedWithItsPlace() throws {
            let server = try Server.shared
            let schema = #"{"type":"object","properties":{"a":{"type":"string","format":"regex"}}}"#
            let refusal = try Self.refusal(["json_schema": .string(schema)], by: server)
            #expect(
                refusal
                    == "Failed to compile json grammar: JSON Schema at /properties/a, keyword format: the format regex cannot be had")
            let broken = try Self.refusal(["regex": "(a"], by: server)
            #expect(broken == "Failed to compile regex grammar: at byte 0: a group is not closed")
        }

        @Test func samplesAndLogprobsAreThoseOfTheGrammar() throws {
            let server = try Server.shared
            var request = Self.request(["regex": "(red|blue|green)", "n": 4])
            request["return_logprob"] = true
            let answers = try server.batch(request)
            #expect(answers.count == 4)
            for answer in answers {
                #expect(["red", "blue", "green"].contains(answer.outcome.text), "\(answer)")
                #expect(answer.outcome.logprobs["output_token_logprobs"]?.count == answer.outcome.ids.count)
            }
        }

        @Test func aConstrainedStreamGoesOnWhicheverProcessDies() throws {
            let server = try Server.shared
            let list = #"{"type":"array","items":{"type":"string","minLength":4,"maxLength":10},"minItems":40,"maxItems":40}"#
            let requests = (0..<6).map {
                Self.request(["json_schema": .string(list), "max_new_tokens": 1500], seed: $0)
            }
            let undisturbed = try requests.map { try server.streamed($0).outcome }
            for titles in Title.neighbours.map({ [$0] }) + [Title.neighbours] {
                let victims = try titles.map { try server.incarnation(of: $0) }
                let frames = EventBoard([Int: Int]())
                let crew = started(requests.count) { index in
                    try server.streamed(requests[index]) { count in frames.update { $0[index] = count } }.outcome
                }
                let begun: Void? = frames.wait { seen in
                    seen.values.filter { $0 > 20 }.count >= 3 || crew.ended > 0 ? () : nil
                }
                try #require(begun != nil)
                try server.kill(victims)
                #expect(crew.ended < requests.count, "all ended before \(titles) died")
                for (index, outcome) in try crew.results().enumerated() {
                    #expect(outcome == undisturbed[index], "request \(index) after the death of \(titles)")
                    #expect(try JSON.parse(outcome.text).arrayValue?.count == 40)
                }
                try server.allReady()
            }
        }
    }
}
