package import Tensors

/// What a user may ask the key-value cache to hold; the raw values are the words of `--kv-cache-dtype`.
package enum KVCacheDType: String, Sendable, CaseIterable {
    /// The model's own type.
    case auto
    case float32
    case float16
    case bfloat16
    /// The short word for `bfloat16`.
    case bf16
    /// Half the memory of `bfloat16`, with a scale for each slot and head.
    case int8

    /// The type that cache has beside a model of `dtype`.
    package func resolved(for dtype: DType) -> CacheDType {
        switch self {
        case .auto: CacheDType(dtype)
        case .float32: .float32
        case .float16: .float16
        case .bfloat16, .bf16: .bfloat16
        case .int8: .int8
        }
    }
}
