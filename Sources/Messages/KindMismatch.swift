/// What is said to a request that a model of another kind would answer; clients know the first text.
package enum KindMismatch {
    /// A vector is wanted of a model that generates.
    package static let noEmbedder =
        "This model does not appear to be an embedding model by default. Please add `--is-embedding` when launching the "
        + "server or try another model."
    /// Text is wanted of a model that makes vectors or scores.
    package static let noGenerator =
        "This model does not generate: it makes vectors or scores of texts. Use /encode, /classify, /v1/embeddings or "
        + "/v1/rerank, or launch a model that generates, without `--is-embedding`."
}
