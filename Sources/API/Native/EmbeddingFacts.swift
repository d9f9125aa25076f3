internal import JSON
internal import Messages

/// What /model_info says of vectors, in the reference's words.
enum EmbeddingFacts {
    /// The object for a model; nil: it is not known yet.
    static func of(_ model: ModelFacts?) -> JSONObject {
        guard let model, model.task.kind != .generation else { return object() }
        let task = model.task
        let isEmbedding = task.kind == .embedding
        var facts = object()
        facts["family"] = isEmbedding ? .string(model.modelType) : "sequence_classification"
        facts["task"] = isEmbedding ? "embed" : task.kind == .crossEncoder ? "rerank" : "classify"
        facts["execution"] = !isEmbedding ? "classification" : task.bidirectional ? "encoder_only" : "decoder"
        facts["attention"] = task.bidirectional ? "bidirectional" : isEmbedding ? "causal" : "none"
        facts["pooling"] = isEmbedding && !task.pooling.isEmpty ? .string(task.pooling) : "model_defined"
        facts["normalize"] = .bool(task.normalizes)
        facts["postprocessor"] = "model_defined"
        facts["supports_dimensions"] = .bool(task.matryoshka)
        facts["auto_enable_embedding"] = .bool(task.bidirectional)
        if isEmbedding && task.bidirectional { facts["bcg_eligibility"] = "standard" }
        if !task.cutsPrompts { facts["bcg"] = batchSizes(of: nil) }
        facts["enabled"] = true
        facts["matryoshka_dimensions"] = .array(task.dimensions.map { .int(Int64($0)) })
        facts["cache"] = [
            "kv_cache_disabled": false, "radix_cache_disabled": .bool(!task.sharesPrefixes),
            "chunked_prefill_disabled": .bool(!task.cutsPrompts),
        ]
        return facts
    }

    /// The batch sizes that the reference would capture for chunks of so many tokens, and that none are; none are known where prompts
    /// are not cut.
    private static func batchSizes(of chunk: Int?) -> JSONValue {
        guard let chunk else {
            return [
                "prefill_backend": "disabled", "enabled": false, "capture_token_budget": -1, "capture_batch_sizes": [],
            ]
        }
        let sizes = [
            stride(from: 4, through: 32, by: 4), stride(from: 48, through: 256, by: 16),
            stride(from: 288, through: 512, by: 32), stride(from: 576, through: 1024, by: 64),
            stride(from: 1280, through: chunk, by: 256),
        ].flatMap { Array($0) }
        return [
            "prefill_backend": "disabled", "enabled": false, "capture_token_budget": .int(Int64(chunk)),
            "capture_batch_sizes": .array(sizes.map { .int(Int64($0)) }),
        ]
    }

    /// What the reference says on a server that generates; its batch sizes are those of its own default chunk.
    private static func object() -> JSONObject {
        [
            "family": "none", "task": "none", "execution": "none", "attention": "none", "pooling": "model_defined",
            "normalize": false, "postprocessor": "none", "tokenizer_special_tokens": "model_default",
            "supports_dimensions": false, "supports_token_embeddings": false, "supports_multimodal": false,
            "requires_embedding_flag": false, "auto_enable_embedding": false, "bcg_eligibility": "disabled",
            "safe_disable_kv_cache": false, "safe_disable_radix_cache": false, "safe_disable_chunked_prefill": false,
            "enabled": false, "matryoshka_dimensions": [],
            "bcg": batchSizes(of: 4096),
            "cache": ["kv_cache_disabled": false, "radix_cache_disabled": false, "chunked_prefill_disabled": false],
        ]
    }
}
