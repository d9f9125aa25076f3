internal import APICore
internal import Hummingbird
internal import JSON
internal import Ledger
internal import Messages
internal import ServerSettings
internal import Values

/// What the server is: /model_info, /v1/models and their older names.
struct ModelRoutes: Sendable {
    let settings: FrontSettings
    let board: HealthBoard
    /// Seconds since 1970 at which this front began.
    let started: Double

    var routes: [Route] {
        [
            Route([.get, .head], "/") { _, _ in .json("SGLang is running") },
            Route([.get], "/get_model_info") { [self] _, _ in .json(.object(oldModelInfo)) },
            Route([.get], "/model_info") { [self] _, _ in .json(.object(modelInfo)) },
            Route([.get], "/v1/models") { [self] _, _ in .json(["object": "list", "data": [.object(card)]]) },
            Route([.get], "/v1/models/**") { [self] request, _ in try model(request) },
        ]
    }

    /// The four keys that the oldest clients compare as a set.
    private var oldModelInfo: JSONObject {
        [
            "model_path": .string(board.weights.current.path), "tokenizer_path": .string(settings.tokenizerPath),
            "is_generation": true, "preferred_sampling_params": preferred,
        ]
    }

    private var preferred: JSONValue {
        settings.preferredSamplingParams.flatMap { try? JSON.parse($0) } ?? .null
    }

    private var modelInfo: JSONObject {
        let view = board.view
        let served = board.weights.current
        return [
            "model_path": .string(served.path), "served_model_name": .string(name(served)),
            "tokenizer_path": .string(settings.tokenizerPath), "is_generation": true,
            "preferred_sampling_params": preferred, "weight_version": .string(served.version),
            "load_format": .string(settings.loadFormat.rawValue), "reasoning_parser": .null, "tool_call_parser": .null,
            "disaggregation_mode": "null", "has_image_understanding": false, "has_audio_understanding": false,
            "model_type": view.model.map { .string($0.modelType) } ?? .null,
            "architectures": .array((view.model?.architectures ?? []).map { .string($0) }),
            "embedding": .object(Self.noEmbedding),
        ]
    }

    /// As the reference does, other weights are called by their path.
    private func name(_ served: WeightNames.Served) -> String {
        served.number == 0 ? settings.servedModelName : served.path
    }

    private var card: JSONObject {
        let name = name(board.weights.current)
        let length = board.view.model.map { Int($0.contextLength) } ?? settings.contextLength
        return [
            "id": .string(name), "object": "model", "created": .int(Int64(started)), "owned_by": "sglang",
            "root": .string(name), "parent": .null, "max_model_len": length.map { .int(Int64($0)) } ?? .null,
        ]
    }

    private func model(_ request: Request) throws(RequestFailure) -> Response {
        let id = request.uri.path.dropFirst("/v1/models/".count).percentDecoded
        guard id != name(board.weights.current) else { return .json(.object(card)) }
        throw .unknownModel(id)
    }

    /// What the reference says of embeddings on a server that generates; its batch sizes are those of its own default chunk.
    private static let noEmbedding: JSONObject = {
        let chunk = 4096
        let sizes = [
            stride(from: 4, through: 32, by: 4), stride(from: 48, through: 256, by: 16),
            stride(from: 288, through: 512, by: 32), stride(from: 576, through: 1024, by: 64),
            stride(from: 1280, through: chunk, by: 256),
        ].flatMap { Array($0) }
        return [
            "family": "none", "task": "none", "execution": "none", "attention": "none", "pooling": "model_defined",
            "normalize": false, "postprocessor": "none", "tokenizer_special_tokens": "model_default",
            "supports_dimensions": false, "supports_token_embeddings": false, "supports_multimodal": false,
            "requires_embedding_flag": false, "auto_enable_embedding": false, "bcg_eligibility": "disabled",
            "safe_disable_kv_cache": false, "safe_disable_radix_cache": false, "safe_disable_chunked_prefill": false,
            "enabled": false, "matryoshka_dimensions": [],
            "bcg": [
                "prefill_backend": "disabled", "enabled": false, "capture_token_budget": .int(Int64(chunk)),
                "capture_batch_sizes": .array(sizes.map { .int(Int64($0)) }),
            ],
            "cache": ["kv_cache_disabled": false, "radix_cache_disabled": false, "chunked_prefill_disabled": false],
        ]
    }()
}
