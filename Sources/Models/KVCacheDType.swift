package import Tensors
package import Values

extension KVCacheDType {
    /// The type that cache has beside a model of `dtype`.
    package func resolved(for dtype: DType) -> CacheDType {
        switch self {
        case .auto: CacheDType(dtype)
        case .float32: .float32
        case .float16: .float16
        case .bfloat16: .bfloat16
        case .int8: .int8
        }
    }
}
