import HTTPFront
import JSON
import Messages
import ServerSettings
import Testing

/// What clients get for requests that are wrong: status, shape and text.
@Suite struct MalformedRequestTests {
    /// A body for /generate and what it is answered with.
    struct Case: Sendable, CustomTestStringConvertible {
        enum Answer: Sendable {
            /// `{"object":"error",…,"type":"Bad Request"}` whose message names this.
            case schema(String)
            /// `{"error":"…"}`.
            case contract(String)
            /// `{"error":{"message":"…"}}`.
            case semantic(String)
        }

        let body: String
        let answer: Answer
        var testDescription: String { String(body.prefix(80)) }
    }

    private static func schema(_ body: String, _ names: String) -> Case { Case(body: body, answer: .schema(names)) }
    private static func params(_ params: String, contract text: String) -> Case {
        Case(body: "{\"text\":\"a\",\"sampling_params\":{\(params)}}", answer: .contract(text))
    }
    private static func params(_ params: String, _ text: String) -> Case {
        Case(body: "{\"text\":\"a\",\"sampling_params\":{\(params)}}", answer: .semantic(text))
    }
    private static func semantic(_ body: String, _ text: String) -> Case { Case(body: body, answer: .semantic(text)) }

    static let notJSON: [Case] = [
        schema("", "body"), schema("{", "body, byte 1"), schema(#"{"text": "#, "body"), schema("[1,2]", "body"),
        schema("null", "body"), schema("5", "body"), schema(#""text""#, "body"), schema("{'text':'a'}", "body"),
        schema(#"{"text":"a",}"#, "body"), schema(#"{"text":"a"} x"#, "body"), schema(#"{"text":NaN}"#, "body"),
        schema(#"{"text":"a","priority":99999999999999999999}"#, "body"), schema(#"{"text":"a","x":Infinity}"#, "body"),
        schema("{\"text\":\"a\u{1}\"}", "body"), schema(#"{"text":"\ud800"}"#, "body"),
        schema("{\"text\":" + String(repeating: "[", count: 5000), "body"),
    ]

    static let wrongTypes: [Case] = [
        schema(#"{"text":5}"#, "text"), schema(#"{"text":{}}"#, "text"), schema(#"{"text":[1]}"#, "text[0]"),
        schema(#"{"text":["a",null]}"#, "text[1]"), schema(#"{"input_ids":"a"}"#, "input_ids"),
        schema(#"{"input_ids":{}}"#, "input_ids"), schema(#"{"input_ids":["a"]}"#, "input_ids[0]"),
        schema(#"{"input_ids":[1.5]}"#, "input_ids[0]"), schema(#"{"input_ids":[1,[2]]}"#, "input_ids[1]"),
        schema(#"{"input_ids":[[1],2]}"#, "input_ids[1]"), schema(#"{"input_ids":[[1],["x"]]}"#, "input_ids[1][0]"),
        schema(#"{"text":"a","sampling_params":"x"}"#, "sampling_params"),
        schema(#"{"text":"a","sampling_params":[1]}"#, "sampling_params[0]"),
        schema(#"{"text":"a","stream":"perhaps"}"#, "stream"), schema(#"{"text":"a","stream":7}"#, "stream"),
        schema(#"{"text":"a","return_logprob":"maybe"}"#, "return_logprob"),
        schema(#"{"text":"a","return_logprob":[3]}"#, "return_logprob[0]"),
        schema(#"{"text":"a","logprob_start_len":"x"}"#, "logprob_start_len"),
        schema(#"{"text":"a","logprob_start_len":1.5}"#, "logprob_start_len"),
        schema(#"{"text":"a","top_logprobs_num":{}}"#, "top_logprobs_num"),
        schema(#"{"text":"a","token_ids_logprob":5}"#, "token_ids_logprob"),
        schema(#"{"text":"a","return_text_in_logprobs":"q"}"#, "return_text_in_logprobs"),
        schema(#"{"text":"a","session_params":4}"#, "session_params"),
        schema(#"{"text":"a","session_params":{}}"#, "id"),
        schema(#"{"text":"a","session_id":4}"#, "session_id"), schema(#"{"text":"a","lora_path":4}"#, "lora_path"),
        schema(#"{"text":"a","extra_key":4}"#, "extra_key"), schema(#"{"text":"a","cache_salt":[]}"#, "cache_salt"),
        schema(#"{"text":"a","priority":"high"}"#, "priority"),
        schema(#"{"text":"a","return_hidden_states":"last"}"#, "return_hidden_states"),
        schema(#"{"text":"a","routed_dp_rank":"x"}"#, "routed_dp_rank"),
    ]

    static let strictSchema: [Case] = [
        Case(
            body: #"{"text":"a","stream":"yes"}"#, answer: .contract(#"invalid type: string "yes", expected a boolean"#)
        ),
        Case(body: #"{"text":"a","stream":null}"#, answer: .contract("invalid type: null, expected a boolean")),
        Case(body: #"{"text":"a","stream":1}"#, answer: .contract("invalid type: integer `1`, expected a boolean")),
        params(#""temperature":"hot""#, contract: #"invalid type: string "hot", expected f64"#),
        params(#""temperature":true"#, contract: "invalid type: boolean `true`, expected f64"),
        params(#""temperature":[]"#, contract: "invalid type: sequence, expected f64"),
        params(#""temperature":{}"#, contract: "invalid type: map, expected f64"),
        params(#""top_p":"1""#, contract: #"invalid type: string "1", expected f64"#),
        params(#""top_k":1.5"#, contract: "invalid type: floating point `1.5`, expected i64"),
        params(#""top_k":"a""#, contract: #"invalid type: string "a", expected i64"#),
        params(#""max_new_tokens":"8""#, contract: #"invalid type: string "8", expected i64"#),
        params(#""max_new_tokens":8.0"#, contract: "invalid type: floating point `8.0`, expected i64"),
        params(#""min_new_tokens":{}"#, contract: "invalid type: map, expected i64"),
        params(#""n":-1"#, contract: "invalid value: integer `-1`, expected u64"),
        params(#""n":"2""#, contract: #"invalid type: string "2", expected u64"#),
        params(#""stop":5"#, contract: "invalid type: integer `5`, expected a value or an array of values for String"),
        params(#""stop":[5]"#, contract: "invalid type: integer `5`, expected a string"),
        params(#""stop_regex":{}"#, contract: "invalid type: map, expected a value or an array of values for String"),
        params(#""stop_token_ids":5"#, contract: "invalid type: integer `5`, expected a sequence"),
        params(#""stop_token_ids":["a"]"#, contract: #"invalid type: string "a", expected i64"#),
        params(#""ignore_eos":"true""#, contract: #"invalid type: string "true", expected a boolean"#),
        params(#""skip_special_tokens":0"#, contract: "invalid type: integer `0`, expected a boolean"),
        params(#""json_schema":{}"#, contract: "invalid type: map, expected a string"),
        params(#""regex":5"#, contract: "invalid type: integer `5`, expected a string"),
        params(#""logit_bias":[]"#, contract: "invalid type: sequence, expected a map"),
        params(#""logit_bias":{"5":"x"}"#, contract: #"invalid type: string "x", expected f64"#),
        params(#""sampling_seed":"x""#, contract: #"invalid type: string "x", expected i64"#),
        params(#""custom_params":5"#, contract: "invalid type: integer `5`, expected a map"),
    ]

    static let ranges: [Case] = [
        params(#""temperature":-1"#, "temperature must be a non-negative finite number, got -1."),
        params(#""temperature":-0.5"#, "temperature must be a non-negative finite number, got -0.5."),
        params(#""top_p":0"#, "top_p must be in (0, 1], got 0."),
        params(#""top_p":1.5"#, "top_p must be in (0, 1], got 1.5."),
        params(#""top_p":-1"#, "top_p must be in (0, 1], got -1."),
        params(#""top_k":0"#, "top_k must be -1 (disable) or at least 1, got 0."),
        params(#""top_k":-2"#, "top_k must be -1 (disable) or at least 1, got -2."),
        params(#""min_p":2"#, "min_p must be in [0, 1], got 2."),
        params(#""min_p":-0.1"#, "min_p must be in [0, 1], got -0.1."),
        params(#""frequency_penalty":3"#, "frequency_penalty must be in [-2, 2], got 3."),
        params(#""presence_penalty":-3"#, "presence_penalty must be in [-2, 2], got -3."),
        params(#""repetition_penalty":0"#, "repetition_penalty must be in (0, 2] (1.0 = no penalty), got 0."),
        params(#""repetition_penalty":3"#, "repetition_penalty must be in (0, 2] (1.0 = no penalty), got 3."),
        params(#""max_new_tokens":-1"#, "max_new_tokens must be at least 0, got -1."),
        params(#""max_new_tokens":8,"min_new_tokens":9"#, "min_new_tokens must be in [0, max_new_tokens(8)], got 9."),
        params(#""min_new_tokens":-1"#, "min_new_tokens must be in [0, max_new_tokens(128)], got -1."),
        params(#""logit_bias":{"x":1}"#, "invalid literal for int() with base 10: 'x'"),
        params(#""logit_bias":{"9999999":1}"#, "logit_bias must has keys in [0, 49151], got 9999999."),
        params(#""logit_bias":{"-1":1}"#, "logit_bias must has keys in [0, 49151], got -1."),
        params(
            #""json_schema":"{}","regex":"a""#, "Only one of json_schema, regex, ebnf, or structural_tag can be set."),
        params(
            #""ebnf":"root ::= x""#,
            "Grammar-based generation (json_schema, regex, ebnf, structural_tag) is not supported when the server is launched with --grammar-backend none"
        ),
        params(
            "\"stop\":[" + (0..<33).map { "\"\($0)\"" }.joined(separator: ",") + "]",
            "at most 32 stop strings are allowed, got 33"),
        params(
            "\"stop_regex\":[" + (0..<33).map { "\"\($0)\"" }.joined(separator: ",") + "]",
            "at most 32 stop_regex patterns are allowed, got 33"),
        params(
            "\"stop_regex\":\"" + String(repeating: "a", count: 257) + "\"",
            "stop_regex is 257 bytes, over the 256-byte limit"),
        params(#""beam_width":0"#, "beam_width must be at least 1, got 0."),
        params(#""beam_width":2"#, "beam_width: beam search is not supported by this server."),
        params(#""watermark":{}"#, "watermark: the server is not configured for watermarks (--enable-watermark)."),
    ]

    /// Numbers that fit what JSON can say, and not what they are turned into.
    static let edges: [Case] = [
        params(#""n":0"#, "n must be in [1, 8192], got 0."),
        params(#""n":8193"#, "n must be in [1, 8192], got 8193."),
        params(#""n":1099511627776"#, "n must be in [1, 8192], got 1099511627776."),
        params(#""n":9223372036854775808"#, "n must be in [1, 8192], got 9223372036854775808."),
        params(#""logit_bias":{"5":1e39}"#, "logit_bias['5'] must be a number that fits 32 bits, got 1e+39."),
        params(#""logit_bias":{"5":-1e39}"#, "logit_bias['5'] must be a number that fits 32 bits, got -1e+39."),
        params(#""repetition_penalty":1e-50"#, "repetition_penalty must be in (0, 2] (1.0 = no penalty), got 1e-50."),
        semantic(
            #"{"text":["a","b"],"sampling_params":{"n":5000}}"#,
            "The request asks for 10000 answers (prompts times n); this server takes at most 8192 at one time."),
    ]

    static let inputs: [Case] = [
        semantic("{}", "Either text, input_ids or input_embeds should be provided."),
        semantic(#"{"prompt":"a"}"#, "Either text, input_ids or input_embeds should be provided."),
        semantic(#"{"text":null}"#, "Either text, input_ids or input_embeds should be provided."),
        semantic(#"{"text":""}"#, "text cannot be empty."), semantic(#"{"text":["a",""]}"#, "text cannot be empty."),
        semantic(#"{"input_ids":[]}"#, "input_ids cannot be empty."),
        semantic(#"{"input_ids":[[1],[]]}"#, "input_ids cannot be empty."),
        semantic(
            #"{"input_ids":[999999]}"#,
            "input_ids contains out-of-vocabulary token id 999999; valid range is [0, 49152)."),
        semantic(
            #"{"input_ids":[-1]}"#, "input_ids contains out-of-vocabulary token id -1; valid range is [0, 49152)."),
        semantic(
            #"{"input_ids":[[1],[49152]]}"#,
            "input_ids contains out-of-vocabulary token id 49152; valid range is [0, 49152)."),
        semantic(#"{"text":["a","b"],"input_ids":[1]}"#, "text and input_ids must agree on the batch size."),
        semantic(
            #"{"text":["a","b"],"sampling_params":[{}]}"#,
            "The length of sampling_params should be equal to the batch size."),
        semantic(
            #"{"text":["a","b"],"sampling_params":[{"n":1},{"n":2}]}"#,
            "The parallel_sample_num should be the same for all samples in sample params."),
        semantic(
            #"{"text":["a","b"],"return_logprob":[true]}"#,
            "The length of return_logprob should be equal to the batch size."),
        semantic(
            #"{"text":["a","b"],"return_logprob":[true,true],"sampling_params":{"n":2}}"#,
            "Cannot use list return_logprob with parallel_sample_num > 1"),
        semantic(
            #"{"text":["a","b"],"rid":["x"]}"#,
            "The specified rids length mismatch with the batch_size for batch processing."),
        semantic(#"{"text":["a","b"],"rid":["x","x"]}"#, "Duplicate request IDs detected within the request: ['x']"),
        semantic(#"{"text":"a","rid":5}"#, "The rid should be a string or a list of strings."),
        semantic(#"{"text":"a","rid":[5]}"#, "The rid should be a string or a list of strings."),
        semantic(
            #"{"text":"a","return_logprob":true,"token_ids_logprob":[50000]}"#,
            "token_ids_logprob contains out-of-vocabulary token id 50000; valid range is [0, 49152)."),
        semantic(#"{"text":"a","token_ids_logprob":[[1]]}"#, "token_ids_logprob must be a flat list of integers."),
        semantic(#"{"text":"a","session_params":{"id":"nope"}}"#, "Invalid request: session id nope does not exist"),
        semantic(
            #"{"text":"a","session_id":"s","session_params":{"id":"s"}}"#,
            "session_id and session_params cannot both be set."),
        semantic(#"{"text":"a","routed_dp_rank":3}"#, "routed_dp_rank=3 out of range [0, 1)"),
        semantic(
            #"{"text":"a","max_thinking_tokens":3}"#,
            "max_thinking_tokens requires the server to be launched with --enable-strict-thinking"),
        semantic(
            #"{"text":"a","sampling_logprobs_mode":"selected"}"#,
            "sampling_logprobs_mode can only be set when return_sampling_mask=true."),
        semantic(
            #"{"text":"a","return_routed_experts":true}"#,
            "The server is not configured to return routed experts. Please set `--enable-return-routed-experts` to enable this feature."
        ),
        semantic(
            #"{"text":"a","return_flat_raw_top_logprobs_b64":true}"#,
            "return_flat_raw_top_logprobs_b64 requires return_flat_raw_top_logprobs or return_flat_raw_output_top_logprobs."
        ),
    ]

    @Test func thereAreOverAHundred() {
        #expect(
            Self.notJSON.count + Self.wrongTypes.count + Self.strictSchema.count + Self.ranges.count + Self.inputs.count
                >= 100)
    }

    @Test(arguments: notJSON + wrongTypes + strictSchema + ranges + edges + inputs) func saysWhatIsWrong(_ given: Case)
        async throws
    {
        let server = LocalFront()
        let answer = try await server.post("/generate", given.body)
        #expect(answer.status == 400)
        #expect(answer.headers["content-type"] == "application/json")
        let body = try JSON.parse(answer.body)
        switch given.answer {
        case .schema(let name):
            #expect(body.objectValue?.keys == ["object", "message", "type", "param", "code"])
            #expect(body["type"] == "Bad Request")
            #expect(body["message"]?.stringValue?.contains(name) == true, "\(answer.body)")
        case .contract(let text): #expect(body == ["error": .string(text)])
        case .semantic(let text): #expect(body == ["error": ["message": .string(text)]])
        }
        #expect(server.front.openRequests == 0)
    }

    @Test func noNumberBecomesInfinite() async throws {
        let server = LocalFront()
        let answer = try await server.post(
            "/generate",
            #"{"text":"a","sampling_params":{"temperature":1e308,"logit_bias":{"5":3e38,"6":-3e38},"top_p":1e-300}}"#)
        #expect(answer.status == 200)
        let sent = server.commands.compactMap { command -> SamplingParams? in
            if case .generate(let generate)? = command.command { generate.sampling } else { nil }
        }
        let params = try #require(sent.first)
        #expect(params.temperature.isFinite && params.logitBiasValues.allSatisfy(\.isFinite))
    }

    @Test func whatNeverFitsIsNotAskedToComeAgain() async throws {
        let body = #"{"text":"a","sampling_params":{"n":1099511627776}}"#
        let answer = try await LocalFront().post("/generate", body)
        #expect(answer.status == 400 && answer.headers["retry-after"] == nil)
        var settings = FrontSettings.served()
        settings.maxQueuedRequests = 4
        // The model runs 16 at one time.
        let few = LocalFront(settings)
        #expect(try await few.post("/generate", #"{"text":"a","sampling_params":{"n":20}}"#).status == 200)
        #expect(try await few.post("/generate", #"{"text":"a","sampling_params":{"n":21}}"#).status == 400)
        // Before that is known nobody can tell.
        let starting = LocalFront(settings, ready: false)
        #expect(try await starting.post("/generate", #"{"text":"a","sampling_params":{"n":5}}"#).status == 503)
    }

    @Test func invalidUTF8IsNoJSON() async throws {
        let server = LocalFront()
        let answer = try await server.front.answer(
            "POST", "/generate", body: Array(#"{"text":""#.utf8) + [0xFF, 0xFE] + Array("\"}".utf8))
        #expect(answer.status == 400)
        #expect(answer.body.contains("\"type\":\"Bad Request\""))
    }

    @Test func streamsShowOnlySchemaErrorsAsStatus() async throws {
        let server = LocalFront()
        let range = try await server.post("/generate", #"{"text":"a","stream":true,"sampling_params":{"top_p":7}}"#)
        #expect(range.status == 200)
        #expect(
            range.body
                == "data: {\"error\":{\"message\":\"top_p must be in (0, 1], got 7.\",\"type\":\"invalid_request_error\","
                + "\"code\":400,\"retryable\":false}}\n\ndata: [DONE]\n\n")
        let unknown = try await server.post("/generate", #"{"text":"a","stream":true,"sampling_params":{"bar":7}}"#)
        #expect(unknown.status == 400)
        #expect(unknown.body.hasPrefix("{\"error\":\"unknown field `bar`, expected one of `max_new_tokens`, `stop`,"))
        #expect(unknown.body.hasSuffix("`beam_width`, `watermark`, `choice`\"}"))
    }
}
