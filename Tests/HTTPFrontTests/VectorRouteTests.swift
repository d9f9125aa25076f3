import ChatAPI
import Foundation
import HTTPFront
import JSON
import Messages
import PipeStages
import ServerSettings
import Testing

/// The endpoints for vectors and scores, without sockets: a vector is the bytes of its text, a pair's score the length of its second text.
@Suite struct VectorRouteTests {
    private func front(
        _ kind: TaskFacts.Kind, _ fill: (inout TaskFacts) -> Void = { _ in }, ready: Bool = true
    ) -> LocalFront {
        LocalFront(
            ready: ready,
            task: .make {
                ($0.kind, $0.width) = (kind, 4)
                fill(&$0)
            })
    }

    private func message(_ answer: String) throws -> String? {
        let value = try JSON.parse(answer)
        return value["message"]?.stringValue ?? value["error"]?["message"]?.stringValue
    }

    // MARK: Native

    @Test func aTextGivesAnObjectAndAListAList() async throws {
        let server = front(.embedding)
        let one = try JSON.parse(try await server.post("/encode", #"{"model":"m","text":"ab"}"#).body)
        #expect(one["embedding"] == [0.7578125, 0.765625] && one["meta_info"]?["prompt_tokens"] == 2)
        #expect(one["meta_info"]?["finish_reason"] == ["type": "length", "length": 0])
        for body in [#"{"text":["ab","c"]}"#, #"{"input_ids":[[97,98],[99]]}"#] {
            let many = try JSON.parse(try await server.post("/classify", body).body)
            #expect(many.arrayValue?.map { $0["embedding"]! } == [[0.7578125, 0.765625], [0.7734375]])
        }
        #expect(try await server.post("/encode", #"{"text":[]}"#).body == "[]")
    }

    @Test func pairsReachTheTokenizerManagerAsPairs() async throws {
        let server = front(.crossEncoder)
        let body = #"{"text":[["query","document"],["a","b"]],"is_cross_encoder_request":true}"#
        let answer = try JSON.parse(try await server.post("/encode", body).body)
        #expect(answer.arrayValue?.map { $0["embedding"]![0]! } == [8.0, 1.0])
        let pairs = server.commands.flatMap { $0.embeds.requests.map { [$0.pair.first, $0.pair.second] } }
        #expect(pairs == [["query", "document"], ["a", "b"]])
    }

    @Test func idsOfThePromptAreReturnedWhereWanted() async throws {
        let server = front(.embedding)
        let answer = try await server.post("/encode", #"{"text":"ab","return_prompt_token_ids":true}"#)
        #expect(try JSON.parse(answer.body)["prompt_token_ids"] == [97, 98])
    }

    @Test func ridsNameTheRows() async throws {
        let server = front(.embedding)
        let body = #"{"text":["a","b"],"rid":["x","y"]}"#
        let answer = try JSON.parse(try await server.post("/encode", body).body)
        #expect(answer.arrayValue?.map { $0["meta_info"]!["id"]! } == ["x", "y"])
        for wrong in [#"{"text":["a","b"],"rid":"x"}"#, #"{"text":["a"],"rid":["x","y"]}"#, #"{"text":"a","rid":3}"#] {
            #expect(try await server.post("/encode", wrong).status == 400)
        }
        let twice = try await server.post("/encode", #"{"text":["a","b"],"rid":["x","x"]}"#)
        #expect(try message(twice.body) == "Duplicate request IDs detected within the request: ['x']")
    }

    @Test(arguments: [
        (#"{}"#, "At least one of text, input_ids, image, video, or audio should be provided"),
        (#"{"text":"a","input_ids":[1]}"#, "text and input_ids cannot be provided at the same time"),
        (#"{"text":"a","image_data":"x"}"#, "image_data is not supported: this model reads text only."),
        (
            #"{"text":"a","return_pooled_hidden_states":true}"#,
            "return_pooled_hidden_states is not supported by this server."
        ),
        (#"{"input_ids":[]}"#, "input_ids cannot be empty."),
        (#"{"input_ids":[-1]}"#, "input_ids contains out-of-vocabulary token id -1."),
        (
            #"{"text":"a","dimensions":2}"#,
            "Model 'SmolLM2-135M-Instruct' does not support matryoshka representation, changing output dimensions will lead to poor results."
        ),
        (#"{"text":"refuse"}"#, "refused"),
    ]) func nativeErrorsAreTheReferences(body: String, text: String) async throws {
        let answer = try await front(.embedding).post("/encode", body)
        #expect(answer.status == 400 && answer.body == JSON.encodeToString(["error": ["message": .string(text)]]))
    }

    // MARK: OpenAI's

    @Test func vectorsAreNumbersOrBase64() async throws {
        let server = front(.embedding)
        let numbers = try JSON.parse(try await server.post("/v1/embeddings", #"{"input":["ab","c"]}"#).body)
        #expect(numbers["data"]?.arrayValue?.map { $0["index"]! } == [0, 1])
        #expect(numbers["model"] == "SmolLM2-135M-Instruct" && numbers["usage"]?["prompt_tokens"] == 3)
        for text in ["a", "ab", "abc", "abcd"] {
            let body = #"{"input":"\#(text)","encoding_format":"base64"}"#
            let answer = try JSON.parse(try await server.post("/v1/embeddings", body).body)
            let data = try #require(Data(base64Encoded: answer["data"]![0]!["embedding"]!.stringValue!))
            let floats = data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
            #expect(floats == text.utf8.map { Float($0) / 128 })
        }
    }

    @Test(arguments: [#"[97,98]"#, #"[[97,98]]"#, #""ab""#, #"["ab"]"#, #"[{"text":"ab"}]"#])
    func everyKindOfInputIsRead(input: String) async throws {
        let answer = try await front(.embedding).post("/v1/embeddings", #"{"input":\#(input)}"#)
        #expect(try JSON.parse(answer.body)["data"]?[0]?["embedding"] == [0.7578125, 0.765625])
    }

    @Test(arguments: [
        (#""""#, "Input cannot be empty"), (#""  ""#, "Input cannot be empty or whitespace only"),
        ("[]", "Input cannot be empty"), (#"["a"," "]"#, "Input at index 1 cannot be empty or whitespace only"),
        (#"["a",1]"#, "All items in input list must be strings"),
        (#"[1,"a"]"#, "All items in input list must be integers"),
        ("[1,-2]", "Token ID at index 1 must be non-negative"),
        (#"[{"image":"x"}]"#, "image is not supported: this model reads text only."),
    ]) func badInputIsToldInTheReferencesWords(input: String, text: String) async throws {
        for path in ["/v1/embeddings", "/v1/classify"] {
            let answer = try await front(.embedding).post(path, #"{"input":\#(input)}"#)
            #expect(try answer.status == 400 && message(answer.body) == text)
            #expect(try JSON.parse(answer.body)["type"] == "BadRequestError")
        }
    }

    @Test func onlyTheModelsDimensionsAreServed() async throws {
        let path = "Model 'SmolLM2-135M-Instruct'"
        let any = front(.embedding) { $0.matryoshka = true }
        let answer = try await any.post("/v1/embeddings", #"{"input":"abcd","dimensions":3}"#)
        #expect(answer.status == 200)
        #expect(any.commands.flatMap { $0.embeds.requests.map(\.dimensions) } == [3])
        for (count, text) in [
            (0, "Requested dimensions must be greater than 0"),
            (5, "Provided dimensions are greater than max embedding dimension: 4"),
        ] {
            let refused = try await any.post("/v1/embeddings", #"{"input":"a","dimensions":\#(count)}"#)
            #expect(try refused.status == 400 && message(refused.body) == text)
        }
        let some = front(.embedding) { ($0.matryoshka, $0.dimensions) = (true, [2, 4]) }
        let refused = try await some.post("/v1/embeddings", #"{"input":"a","dimensions":3}"#)
        #expect(
            try message(refused.body)
                == path
                + " only supports [2, 4] matryoshka dimensions, using other output dimensions will lead to poor results."
        )
    }

    @Test func classesHaveTheirLabelsAndProbabilities() async throws {
        let server = front(.classification) { $0.labels = ["LOW", "HIGH"] }
        let answer = try JSON.parse(try await server.post("/v1/classify", #"{"input":[[0,128],[256,0]]}"#).body)
        let data = try #require(answer["data"]?.arrayValue)
        #expect(data.map { $0["label"]! } == ["HIGH", "LOW"] && data.map { $0["num_classes"]! } == [2, 2])
        let probabilities = data.map { $0["probs"]!.arrayValue!.map { $0.doubleValue! } }
        #expect(
            abs(probabilities[0][1] - 0.7310585786300049) < 1e-9 && abs(probabilities[1][0] - 0.8807970779778823) < 1e-9
        )
        #expect(answer["model"] == "m" && answer["id"]?.stringValue?.hasPrefix("classify-") == true)
    }

    // MARK: Rerank

    @Test func documentsComeByScoreAndEqualOnesAsTheyCame() async throws {
        let body = #"{"query":"q","documents":["bb","dddd","cc","a"],"top_n":3}"#
        let answer = try JSON.parse(try await front(.crossEncoder).post("/v1/rerank", body).body)
        #expect(answer.arrayValue?.map { $0["document"]! } == ["dddd", "bb", "cc"])
        #expect(answer.arrayValue?.map { $0["index"]! } == [1, 0, 2])
        #expect(answer.arrayValue?.map { $0["score"]! } == [4.0, 2.0, 2.0])
    }

    @Test(arguments: [
        (#"{"query":" ","documents":["a"]}"#, "Query cannot be empty or whitespace only"),
        (#"{"query":"q","documents":["a",""]}"#, "Each document must be a non-empty string"),
        (#"{"query":"q","documents":["a",3]}"#, "Each document must be a non-empty string"),
        (
            #"{"query":[{"type":"image_url"}],"documents":["a"]}"#,
            "query with parts is not supported: this model reads text only."
        ),
    ]) func rerankErrorsAreTheReferences(body: String, text: String) async throws {
        let answer = try await front(.crossEncoder).post("/v1/rerank", body)
        #expect(try answer.status == 400 && message(answer.body) == text)
    }

    // MARK: Judges

    private static let judge: ServedModel = {
        var model = ServedModel()
        model.judges = true
        return model
    }()

    @Test func aTemplateOfAJudgeIsKnownByItsSentence() {
        #expect(ServedModel.asksForYesOrNo(#"Note that the answer can only be "yes" or "no".<|im_end|>"#))
        #expect(ServedModel.asksForYesOrNo(#"{{ 'Note that the answer can only be \"yes\" or \"no\".' }}"#))
        #expect(!ServedModel.asksForYesOrNo("{% for message in messages %}{{ message.content }}{% endfor %}"))
    }

    @Test func aGeneratingJudgeRanksByTheShareOfYes() async throws {
        let server = LocalFront(model: Self.judge) { command in
            if case .encode(let encode)? = command.command {
                let lists = encode.texts.map { text in TokenIDs.make { $0.ids = [text == "yes" ? 7 : 8] } }
                return [.make { $0.encoded = .make { ($0.call, $0.lists) = (encode.call, lists) } }]
            }
            guard case .generate(let request)? = command.command else { return [] }
            var batch = EchoStages.batch(request.key, offset: 0, [97], finish: .make { $0.length = 1 })
            let isLong = request.conversation.messages.contains("a long document")
            batch.logprobs = [
                .make {
                    $0.output = .make { ($0.values, $0.ids) = ([-1], [97]) }
                    $0.outputChosen = .make { ($0.values, $0.ids) = (isLong ? [-1, -2] : [-3, -0.5], [7, 8]) }
                }
            ]
            return [.make { $0.text = batch }]
        }
        let body = #"{"query":"q","documents":["b","a long document"],"instruct":"judge"}"#
        let answer = try JSON.parse(try await server.post("/v1/rerank", body).body)
        #expect(answer.arrayValue?.map { $0["index"]! } == [1, 0])
        let scores = answer.arrayValue!.map { $0["score"]!.doubleValue! }
        #expect(abs(scores[0] - 0.7310586) < 1e-6 && abs(scores[1] - 0.0758582) < 1e-6)
        let sent = server.commands.map(\.generate).filter { $0.key.id != 0 }
        #expect(sent.allSatisfy { $0.logprobs.tokenIds.ids == [7, 8] && $0.conversation.ending == .opened })
        #expect(sent.map(\.conversation.variables) == [#"{"instruct":"judge"}"#, #"{"instruct":"judge"}"#])
        #expect(
            sent.first?.conversation.messages
                == #"[{"role":"user","content":"q"},{"role":"user","content":"b"}]"#)
    }

    @Test func aJudgeThatMakesVectorsSaysHowToLaunchIt() async throws {
        let server = LocalFront(task: .make { $0.kind = .embedding }, model: Self.judge)
        let answer = try await server.post("/v1/rerank", #"{"query":"q","documents":["b"]}"#)
        #expect(answer.status == 400)
        #expect(
            try message(answer.body)
                == "Detected Qwen3 reranker chat template, but the server is not in generation mode. Please relaunch without --is-embedding for Qwen3-Reranker models."
        )
    }

    // MARK: Score

    @Test func aScoringModelScoresItemsWithTheQuery() async throws {
        let classifier = front(.classification)
        let body = #"{"query":"a","items":["b","c"],"model":"x"}"#
        let answer = try JSON.parse(try await classifier.post("/v1/score", body).body)
        #expect(answer["scores"] == [[0.7578125, 0.765625], [0.7578125, 0.7734375]] && answer["model"] == "x")
        #expect(
            answer.objectValue?.keys == [
                "scores", "pooled_hidden_states", "token_logprobs", "model", "usage", "object",
            ])
        let cross = front(.crossEncoder)
        let first = #"{"query":"aa","items":["b"],"item_first":true}"#
        #expect(try JSON.parse(try await cross.post("/v1/score", first).body)["scores"] == [[2.0, 1.0]])
    }

    @Test func aGeneratingModelScoresByWhatFollows() async throws {
        let server = LocalFront { command in
            guard case .generate(let request)? = command.command else { return [] }
            var batch = EchoStages.batch(request.key, offset: 0, [97], finish: .make { $0.length = 1 })
            let (share, rest): (Float, Float) = request.text == "sky? yes" ? (-0.1, -3) : (-2, -1)
            batch.logprobs = [
                .make {
                    $0.output = .make { ($0.values, $0.ids) = ([-1], [97]) }
                    $0.outputChosen = .make { ($0.values, $0.ids) = ([share, rest], [5, 6]) }
                }
            ]
            return [.make { $0.text = batch }]
        }
        let body = #"{"query":"sky? ","items":["yes","no"],"label_token_ids":[5,6]"#
        let plain = try JSON.parse(try await server.post("/v1/score", body + "}").body)
        let scores = plain["scores"]!.arrayValue!.map { $0.arrayValue!.map { $0.doubleValue! } }
        #expect(abs(scores[0][0] - 0.90483741) < 1e-6 && abs(scores[1][1] - 0.36787944) < 1e-6)
        #expect(plain["usage"]?["prompt_tokens"] == 6 && plain["usage"]?["completion_tokens"] == 0)
        let soft = try JSON.parse(try await server.post("/v1/score", body + #","apply_softmax":true}"#).body)
        let shares = soft["scores"]!.arrayValue!.map { $0.arrayValue!.map { $0.doubleValue! } }
        #expect(shares.allSatisfy { abs($0.reduce(0, +) - 1) < 1e-9 })
        #expect(abs(shares[1][1] - 0.7310585786) < 1e-6)
        let sent = server.commands.compactMap { command in
            if case .generate(let generate)? = command.command { generate } else { nil }
        }
        #expect(sent.count == 4)
        #expect(sent.allSatisfy { $0.sampling.maxNewTokens == 1 && $0.logprobs.tokenIds.ids == [5, 6] })
    }

    @Test(arguments: [
        (#"{"query":"q","items":["a"]}"#, "label_token_ids is required for generation (CausalLM) models."),
        (#"{"query":"q","label_token_ids":[1]}"#, "items must be provided"),
        (#"{"query":"q","items":[],"label_token_ids":[1]}"#, "items must be provided"),
        (
            #"{"query":"q","items":["a"],"label_token_ids":[60000]}"#,
            "Token ID 60000 is out of vocabulary (vocab size: 49152)"
        ),
        (
            #"{"query":"q","items":["a"],"label_token_ids":[1],"temperature":2}"#,
            "temperature requires apply_softmax=True"
        ),
        (
            #"{"query":"q","items":[[1]],"label_token_ids":[1]}"#,
            "Invalid combination of query/items types for score_request."
        ),
    ]) func scoreErrorsAreTheReferences(body: String, text: String) async throws {
        let answer = try await LocalFront().post("/v1/score", body)
        #expect(try answer.status == 400 && message(answer.body) == text)
    }

    // MARK: Kinds

    @Test(arguments: ["/v1/embeddings", "/v1/classify", "/v1/rerank", "/encode", "/classify"])
    func aGeneratingModelMakesNoVectors(path: String) async throws {
        let body = #"{"input":"a","text":"a","query":"q","documents":["d"]}"#
        let answer = try await LocalFront().post(path, body)
        #expect(try answer.status == 400 && message(answer.body) == KindMismatch.noEmbedder)
    }

    @Test func whatDoesNotFitTheModelIsRefused() async throws {
        let embedder = front(.embedding)
        for (path, body) in [
            ("/generate", #"{"text":"a"}"#), ("/v1/rerank", #"{"query":"q","documents":["d"]}"#),
            ("/v1/score", #"{"query":"q","items":["d"]}"#),
        ] {
            let answer = try await embedder.post(path, body)
            #expect(answer.status == 400, "\(path)")
        }
        #expect(embedder.commands.allSatisfy { $0.generate.key.id == 0 })
    }

    @Test func theProbeOfAnEmbeddingServerIsAVector() async throws {
        let server = front(.embedding)
        #expect(try await server.get("/health_generate").status == 200)
        #expect(server.commands.flatMap { $0.embeds.requests.map(\.ids.ids) } == [[0]])
        #expect(server.front.openRequests == 0)
    }

    @Test func anAbortedRequestHasNoVector() async throws {
        let server = front(.embedding)
        async let answer = server.post("/v1/embeddings", #"{"input":"hold","rid":"r"}"#)
        async let native = server.post("/encode", #"{"text":"hold","rid":"r2"}"#)
        while server.front.openRequests < 2 { await Task.yield() }
        _ = try await server.post("/abort_request", #"{"rid":"r"}"#)
        let refused = try await answer
        #expect(try refused.status == 400 && message(refused.body) == "Aborted")
        let aborted = try JSON.parse(try await native.body)
        #expect(aborted["embedding"] == [] && aborted["meta_info"]?["finish_reason"]?["type"] == "abort")
    }
}
