import Foundation
import JSON
import TestSupport
import Testing

/// Models that make vectors and scores, through all processes: the reference's numbers, the same alone and together, and nothing lost
/// when a process dies.
extension EndToEndTests {
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(5))) struct VectorTests {
        /// A text or two with transformers' answer.
        private struct Golden {
            let text: String
            let pair: String?
            let answer: [Double]
        }

        private func goldens(_ model: String) throws -> [Golden] {
            let file = try String(contentsOfFile: Fixtures.path(model) + "/golden.json", encoding: .utf8)
            let texts = try JSON.parse(file)["texts"]?.arrayValue ?? []
            try #require(texts.count > 3)
            return texts.map { text in
                Golden(
                    text: text["text"]!.stringValue!, pair: text["pair"]?.stringValue,
                    answer: text["answer"]!.arrayValue!.map { $0.doubleValue! })
            }
        }

        private func numbers(_ value: JSONValue?) -> [Double] { value?.arrayValue?.compactMap(\.doubleValue) ?? [] }

        private func distance(_ a: [Double], _ b: [Double]) -> Double {
            a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
        }

        // MARK: The reference's examples

        /// Seed case S9.
        @Test func anEmbeddingServerEncodesText() throws {
            for (model, flags) in [("bert-mean", []), ("qwen2-tied", ["--is-embedding"])] {
                try withServer(model, flags) { server in
                    let answer = try server.request("/encode", ["model": "m", "text": "Once upon a time"])
                    #expect(answer.status == 200)
                    let vector = numbers(try answer.json()["embedding"])
                    #expect(vector.count >= 10 && abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
                    let info = try server.request("/get_model_info").json()
                    #expect(info["is_generation"] == false)
                    #expect(try server.request("/model_info").json()["embedding"]?["enabled"] == true)
                    #expect(try server.request("/health_generate").status == 200)
                    let refused = try server.request("/generate", ["text": "Once upon a time"])
                    #expect(refused.status == 400)
                    #expect(try refused.json()["error"]?["message"]?.stringValue?.contains("does not generate") == true)
                }
            }
        }

        /// Seed case S10.
        @Test func aCrossEncoderRanksDocuments() throws {
            try withServer("xlmr-pairs") { server in
                let body: JSONValue = [
                    "model": "m", "query": "what is panda?", "documents": ["hi", "The giant panda is a bear."],
                ]
                let answer = try server.request("/v1/rerank", body)
                #expect(answer.status == 200)
                let items = try #require(try answer.json().arrayValue)
                #expect(items.count == 2 && items.allSatisfy { $0["score"]?.doubleValue != nil })
                #expect(items[0]["score"]!.doubleValue! >= items[1]["score"]!.doubleValue!)
                #expect(Set(items.compactMap { $0["document"]?.stringValue }).count == 2)
            }
        }

        /// Seed case S11.
        @Test func aRewardModelJudgesAnswers() throws {
            try withServer("qwen2-reward") { server in
                let answer = try server.request("/classify", ["model": "m", "text": ["a good answer", "a bad one"]])
                #expect(answer.status == 200)
                let items = try #require(try answer.json().arrayValue)
                #expect(items.count == 2 && items.allSatisfy { $0["embedding"]?[0]?.doubleValue != nil })
            }
        }

        // MARK: Numbers

        @Test(arguments: ["bert-mean", "xlmr-cls", "qwen3-embedding", "gemma-embedding", "modern-mean"])
        func vectorsAreTheReferencesAloneAndTogether(_ model: String) throws {
            let goldens = try goldens(model)
            try withServer(model, model == "qwen3-embedding" ? ["--is-embedding"] : []) { server in
                let all = try server.request("/v1/embeddings", ["input": .array(goldens.map { .string($0.text) })])
                    .json()
                for (index, golden) in goldens.enumerated() {
                    let together = all["data"]?[index]?["embedding"]
                    #expect(distance(numbers(together), golden.answer) < 1e-4, "\(golden.text)")
                    let alone = try server.request("/v1/embeddings", ["input": .string(golden.text)]).json()
                    #expect(alone["data"]?[0]?["embedding"] == together, "\(golden.text)")
                }
            }
        }

        @Test(arguments: ["xlmr-pairs", "bert-pairs", "modern-pairs"])
        func scoresOfPairsAreTheReferences(_ model: String) throws {
            let goldens = try goldens(model)
            try withServer(model) { server in
                let pairs = goldens.map { JSONValue.array([.string($0.text), .string($0.pair ?? "")]) }
                let all = try server.request(
                    "/encode", ["text": .array(pairs), "is_cross_encoder_request": true]
                ).json()
                for (index, golden) in goldens.enumerated() {
                    #expect(distance(numbers(all[index]?["embedding"]), golden.answer) < 1e-3, "\(golden.text)")
                    let alone = try server.request(
                        "/v1/rerank", ["query": .string(golden.text), "documents": [.string(golden.pair ?? "")]])
                    #expect(try alone.json()[0]?["score"] == all[index]?["embedding"]?[0], "\(golden.text)")
                }
            }
        }

        @Test(arguments: ["qwen2-reward", "llama-classes", "internlm2-reward", "llama-attributes", "gemma2-reward"])
        func rewardsAreTheReferences(_ model: String) throws {
            let goldens = try goldens(model)
            try withServer(model) { server in
                let all = try server.request("/classify", ["text": .array(goldens.map { .string($0.text) })]).json()
                for (index, golden) in goldens.enumerated() {
                    #expect(distance(numbers(all[index]?["embedding"]), golden.answer) < 1e-3, "\(golden.text)")
                }
            }
        }

        @Test func twoRanksGiveTheSameVectors() throws {
            let texts: JSONValue = ["input": ["The mill stood where the river bends.", "water", "a"]]
            let one = try withServer("bert-mean") { try $0.request("/v1/embeddings", texts).json() }
            let two = try withServer("bert-mean", ["--tp", "2"]) { try $0.request("/v1/embeddings", texts).json() }
            for index in 0..<3 {
                let (a, b) = (numbers(one["data"]?[index]?["embedding"]), numbers(two["data"]?[index]?["embedding"]))
                #expect(a.count >= 10 && distance(a, b) < 1e-5)
            }
        }

        // MARK: Lengths

        @Test func aTextThatIsTooLongIsRefusedOrCut() throws {
            let text = String(repeating: "word ", count: 3000)
            try withServer("bert-mean") { server in
                let answer = try server.request("/encode", ["text": .string(text)])
                #expect(answer.status == 400)
                #expect(
                    answer.text.firstMatch(
                        of: /The input \(\d+ tokens\) is longer than the model's context length \(\d+ tokens\)\./)
                        != nil)
            }
            try withServer("bert-mean", ["--allow-auto-truncate"]) { server in
                let answer = try server.request("/encode", ["text": .string(text)])
                #expect(answer.status == 200)
                let tokens = try answer.json()["meta_info"]?["prompt_tokens"]?.intValue ?? 0
                let longer = try server.request("/encode", ["text": .string(text + text)])
                #expect(try tokens > 10 && longer.json()["embedding"] == answer.json()["embedding"])
            }
        }

        // MARK: Deaths

        @Test func noVectorIsLostWhateverIsKilled() throws {
            for (model, flags) in [("bert-mean", []), ("qwen2-tied", ["--is-embedding"])] {
                try withServer(model, flags + ["--max-restarts", "1000"]) { server in
                    try weather(VectorStorm.embeddings(server))
                }
            }
        }

        @Test func noScoreIsLostWhateverIsKilled() throws {
            try withServer("xlmr-pairs", ["--max-restarts", "1000"]) { server in
                try weather(VectorStorm.reranks(server))
            }
        }

        private func weather(_ storm: VectorStorm) throws {
            let expected = try storm.undisturbed()
            let report = try storm.run(comparingWith: expected, titles: Title.neighbours, times: 2)
            #expect(report.failures == [])
            #expect(report.different == 0 && report.requests > 20)
            try storm.server.allReady()
            #expect(try storm.undisturbed() == expected)
            try storm.server.awaitIdleness()
        }
    }
}
