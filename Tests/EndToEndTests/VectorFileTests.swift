import Foundation
import JSON
import TestSupport
import Testing

/// What the files beside a model's weights say about texts and vectors, through all processes; and whose weights made an answer.
extension EndToEndTests {
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(5))) struct VectorFileTests {
        private func numbers(_ value: JSONValue?) -> [Float] {
            value?.arrayValue?.compactMap { $0.doubleValue.map(Float.init) } ?? []
        }

        private func distance(_ a: [Float], _ b: [Float]) -> Float {
            a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
        }

        private func texts(_ variant: Variant) -> JSONValue {
            .array(
                variant.texts.map { text in
                    text.pair.map { .array([.string(text.text), .string($0)]) } ?? .string(text.text)
                })
        }

        @Test(arguments: ["cut-lower", "weighted-without-prompt", "decoder-prompt", "cut-unigram-pairs"])
        func textsArePreparedAsTheFilesSay(_ name: String) throws {
            let variant = Variant.named(name)
            let folder = TemporaryFolder()
            let path = try variant.make(in: folder)
            let isPairs = variant.texts[0].pair != nil
            let body: JSONValue = ["text": texts(variant), "return_prompt_token_ids": true]
            try withServer(path) { server in
                let answer = try server.request("/encode", body).json()
                for (index, text) in variant.texts.enumerated() {
                    #expect(numbers(answer[index]?["prompt_token_ids"]).map { Int32($0) } == text.ids)
                    #expect(answer[index]?["meta_info"]?["prompt_tokens"]?.intValue == text.ids.count)
                    let off = distance(numbers(answer[index]?["embedding"]), text.answer)
                    #expect(off < (isPairs ? 1e-3 : 1e-4), "off by \(off)")
                }
                #expect(try server.request("/health_generate").status == 200)
            }
            guard !isPairs else { return }
            // The reference's own choice reads none of these files.
            try withServer(path, ["--pooling-compat", "sglang"]) { server in
                let answer = try server.request("/encode", body).json()
                let last = try #require(variant.texts.last)
                #expect(numbers(answer[2]?["prompt_token_ids"]).map { Int32($0) } != last.ids)
            }
        }

        private static let sparse = ["SGLANG_EMBEDDINGS_SPARSE_HEAD": "sparse_linear.pt"]

        @Test(arguments: [[], ["--tp", "2"]]) func aSparseVectorIsAnObjectFromTokensToWeights(_ flags: [String]) throws
        {
            let file = try String(contentsOfFile: Fixtures.path("xlmr-cls") + "/sparse.golden.json", encoding: .utf8)
            let goldens = try #require(try JSON.parse(file)["texts"]?.arrayValue)
            try withServer("xlmr-cls", flags, environment: Self.sparse) { server in
                func check(_ vector: JSONValue?, _ golden: JSONValue) throws {
                    let members = try #require(vector?.objectValue)
                    let tokens = golden["tokens"]!.arrayValue!.map { "\($0.intValue!)" }
                    #expect(members.map { $0.0 } == tokens)
                    let weights = members.map { Float($0.1.doubleValue ?? .nan) }
                    #expect(distance(weights, numbers(golden["answer"])) < 1e-4)
                }
                let texts = JSONValue.array(goldens.map { $0["text"]! })
                let native = try server.request("/encode", ["text": texts]).json()
                for (index, golden) in goldens.enumerated() {
                    try check(native[index]?["embedding"], golden)
                    let alone = try server.request("/encode", ["text": golden["text"]!]).json()
                    #expect(alone["embedding"] == native[index]?["embedding"])
                }
                for format in ["float", "base64"] {
                    let answer = try server.request(
                        "/v1/embeddings", ["input": texts, "encoding_format": .string(format)]
                    ).json()
                    for index in goldens.indices {
                        #expect(answer["data"]?[index]?["embedding"] == native[index]?["embedding"])
                    }
                }
                let cut = try server.request("/v1/embeddings", ["input": texts, "dimensions": 8])
                #expect(cut.status == 400)
                // Around a text there is nothing to weigh.
                #expect(try server.request("/encode", ["input_ids": [0, 2]]).json()["embedding"] == [:])
                #expect(try server.request("/health_generate").status == 200)
            }
        }

        @Test func noSparseVectorIsLostWhateverIsKilled() throws {
            try withServer("xlmr-cls", ["--max-restarts", "1000"], environment: Self.sparse) { server in
                let storm = VectorStorm.embeddings(server)
                let expected = try storm.undisturbed()
                let report = try storm.run(comparingWith: expected, titles: Title.neighbours, times: 1)
                #expect(report.failures == [] && report.different == 0 && report.requests > 10)
                try server.awaitIdleness()
            }
        }

        /// The weights change while requests wait: what is told is what they were computed with.
        @Test(arguments: [("bert-mean", "layer.1.output.dense"), ("llama-tied", "layers.1.mlp")])
        func anAnswerNamesTheWeightsThatMadeIt(_ model: String, _ part: String) throws {
            let variants = CheckpointVariants(of: model)
            let other = try variants.negating(part)
            try withServer(model) { server in
                let makesVectors = model == "bert-mean"
                let (path, body): (String, JSONValue) =
                    makesVectors
                    ? ("/encode", ["text": "water"])
                    : ("/v1/completions", ["model": "m", "prompt": "water", "max_tokens": 3, "return_meta_info": true])
                func version(_ answer: JSONValue) -> JSONValue? {
                    makesVectors ? answer["meta_info"]?["weight_version"] : answer["metadata"]?["weight_version"]
                }
                #expect(try version(server.request(path, body).json()) == "default")
                _ = try server.request("/pause_generation", ["mode": "in_place"])
                let waiting = started(1) { _ in try server.request(path, body).json() }
                try poll("it does not wait") { try server.load()["num_waiting_reqs"] == 1 ? () : nil }
                #expect(try server.updateWeights(other, ["weight_version": "v2", "flush_cache": false]).status == 200)
                _ = try server.request("/continue_generation", [:])
                #expect(version(try waiting.results()[0]) == "v2")
            }
        }

        /// What is in work on other connections ends with them; the next front serves, and nothing is left behind.
        @Test(arguments: ["bert-mean", "xlmr-pairs"]) func whenTheFrontDiesNothingOfItsRequestsStays(_ model: String)
            throws
        {
            try withServer(model, ["--max-restarts", "1000"]) { server in
                let text = String(repeating: "The mill stood where the river bends. ", count: 5)
                let (path, body): (String, JSONValue) =
                    model == "bert-mean"
                    ? ("/v1/embeddings", ["input": .array((0..<40).map { .string("\($0) " + text) })])
                    : ("/v1/rerank", ["query": "mill", "documents": .array((0..<40).map { .string("\($0) " + text) })])
                func numbers(_ answer: JSONValue) -> [String] {
                    (answer["data"]?.arrayValue ?? answer.arrayValue ?? []).map {
                        JSON.encodeToString(.array([$0["embedding"] ?? $0["score"] ?? .null, $0["index"] ?? .null]))
                    }
                }
                let expected = numbers(try server.request(path, body).json())
                #expect(expected.count == 40)
                for _ in 0..<2 {
                    // They wait, so that all of them are surely in work.
                    _ = try server.request("/pause_generation", ["mode": "in_place"])
                    let clients = started(5) { _ in try? server.request(path, body).status }
                    try poll("they do not wait") { try server.load()["num_waiting_reqs"] == 200 ? () : nil }
                    try server.kill([try server.incarnation(of: Title.http)])
                    #expect(try clients.results().allSatisfy { $0 == nil }, "their connections are lost")
                    try server.allReady()
                    _ = try server.request("/continue_generation", [:])
                    #expect(numbers(try server.request(path, body).json()) == expected)
                    try server.awaitIdleness()
                }
            }
        }
    }
}
