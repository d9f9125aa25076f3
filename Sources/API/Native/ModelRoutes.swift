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
            "is_generation": .bool(!makesVectors), "preferred_sampling_params": preferred,
        ]
    }

    private var preferred: JSONValue {
        settings.preferredSamplingParams.flatMap { try? JSON.parse($0) } ?? .null
    }

    /// The model answers with vectors or scores, as far as is known.
    private var makesVectors: Bool {
        board.view.model.map { $0.task.kind != .generation } ?? settings.isEmbedding
    }

    private var modelInfo: JSONObject {
        let view = board.view
        let served = board.weights.current
        return [
            "model_path": .string(served.path), "served_model_name": .string(name(served)),
            "tokenizer_path": .string(settings.tokenizerPath), "is_generation": .bool(!makesVectors),
            "preferred_sampling_params": preferred, "weight_version": .string(served.version),
            "load_format": .string(settings.loadFormat.rawValue),
            "reasoning_parser": settings.reasoningParser.map { .string($0) } ?? .null,
            "tool_call_parser": settings.toolCallParser.map { .string($0) } ?? .null,
            "disaggregation_mode": "null", "has_image_understanding": false, "has_audio_understanding": false,
            "model_type": view.model.map { .string($0.modelType) } ?? .null,
            "architectures": .array((view.model?.architectures ?? []).map { .string($0) }),
            "embedding": .object(EmbeddingFacts.of(view.model)),
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
}
