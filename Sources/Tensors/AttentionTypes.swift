import CKernels

/// Head counts and head size of an attention layer.
package struct AttentionHeads: Sendable, Equatable {
    /// Query heads; a multiple of `keyValue`.
    package let query: Int
    /// Key and value heads; each serves `query / keyValue` query heads.
    package let keyValue: Int
    /// Elements of one head; a multiple of 4 up to 512.
    package let dimension: Int

    /// Checks the shape once, so that no step has to.
    package init(query: Int, keyValue: Int, dimension: Int) {
        precondition(keyValue > 0 && query > 0 && query % keyValue == 0, "query heads share key-value heads evenly")
        precondition(query / keyValue <= 64, "at most 64 query heads share a key-value head")
        precondition(dimension > 0 && dimension <= 512 && dimension % 4 == 0, "head size is a multiple of 4 up to 512")
        self.query = query
        self.keyValue = keyValue
        self.dimension = dimension
    }

    /// Elements of one row of fused query, key and value projections.
    package var fusedSize: Int { (query + 2 * keyValue) * dimension }
    /// Elements of one cache slot over all heads, in keys and in values.
    package var slotSize: Int { keyValue * dimension }

    /// The same shape as the C kernels take it.
    var kernel: kernels_heads { kernels_heads(query_heads: query, kv_heads: keyValue, head_dim: dimension) }
}

/// The element types a key-value cache can hold.
package enum CacheDType: UInt8, Sendable, CaseIterable {
    case float32 = 0
    case float16 = 1
    case bfloat16 = 2
    /// Codes of -127 ... 127 with one float32 scale for each slot and head, in keys and in values.
    case int8 = 3

    /// The type that keeps what a model of `dtype` computes, at its precision.
    package init(_ dtype: DType) {
        self =
            switch dtype {
            case .float32: .float32
            case .float16: .float16
            case .bfloat16: .bfloat16
            }
    }

    /// Bytes of one element, scales not counted.
    package var size: Int {
        switch self {
        case .float32: 4
        case .float16, .bfloat16: 2
        case .int8: 1
        }
    }

    /// Whether each slot and head has a scale, a float32.
    package var isScaled: Bool { self == .int8 }

    /// The same type as the C kernels name it.
    var kernel: kernels_cache_dtype { kernels_cache_dtype(rawValue: UInt32(rawValue)) }
}

/// Keys and values of one layer: each `[keyValue heads][slots][dimension]` of `dtype`, in borrowed memory.
package struct KeyValueLayer {
    /// First key of slot 0.
    package let keys: UnsafeMutableRawPointer
    /// First value of slot 0.
    package let values: UnsafeMutableRawPointer
    /// Scales `[keyValue heads][slots]` of keys and of values; nil unless `dtype` is scaled.
    package let scales: (keys: UnsafeMutablePointer<Float>, values: UnsafeMutablePointer<Float>)?
    /// Type of both.
    package let dtype: CacheDType
    /// Slots of each head.
    package let slots: Int

    /// Describes memory of `slots * slotSize` elements each.
    package init(
        keys: UnsafeMutableRawPointer, values: UnsafeMutableRawPointer, dtype: CacheDType, slots: Int,
        scales: (keys: UnsafeMutablePointer<Float>, values: UnsafeMutablePointer<Float>)? = nil
    ) {
        precondition(dtype.isScaled == (scales != nil), "a scaled type has scales, and no other")
        self.keys = keys
        self.values = values
        self.scales = scales
        self.dtype = dtype
        self.slots = slots
    }

    /// The same layer as the C kernels take it.
    var kernel: kernels_cache {
        kernels_cache(
            keys: keys, values: values, key_scales: scales?.keys, value_scales: scales?.values, slots: slots,
            dtype: dtype.kernel)
    }
}

/// One sequence of a step; its rows are the last `rowCount` of its `length` positions.
package struct AttentionSequence: Sendable, Equatable {
    /// First row of the sequence in the step.
    package var rowStart: Int32
    /// Rows of the sequence in the step: one in decoding, a chunk in prefill.
    package var rowCount: Int32
    /// Where its slots start in the step's slot list.
    package var slotStart: Int32
    /// Positions so far, these rows included; its slots are `slots[slotStart ..< slotStart + length]` by position.
    package var length: Int32

    /// Describes a sequence; `rowCount` is at most `length`.
    package init(rowStart: Int, rowCount: Int, slotStart: Int, length: Int) {
        precondition(rowCount <= length, "a row has a position")
        self.rowStart = Int32(rowStart)
        self.rowCount = Int32(rowCount)
        self.slotStart = Int32(slotStart)
        self.length = Int32(length)
    }
}

/// Which positions a row sees, and what becomes of their scores.
package struct AttentionSight {
    /// Positions before the row's own that it sees; nil for all.
    package var before: Int?
    /// Positions behind it that it sees; nil for all.
    package var after: Int?
    /// Borrowed `[query heads][2 * reach + 1]` numbers, added to scores by the key's position minus the row's, from -reach on;
    /// beyond that the ends count.
    package var bias: (numbers: UnsafePointer<Float>, reach: Int)?
    /// Scores become `softCap * tanh(score / softCap)`, before a bias; nil leaves them.
    package var softCap: Float?
    /// Borrowed `[query heads]` scores that take part in each head's softmax and have no value; nil is none.
    package var sinks: UnsafePointer<Float>?

    /// States a window.
    package init(before: Int? = nil, after: Int? = nil) {
        self.before = before
        self.after = after
    }

    /// All positions up to the row's own.
    package static var causal: AttentionSight { AttentionSight(after: 0) }
    /// The whole sequence.
    package static var full: AttentionSight { AttentionSight() }

    /// The same as the C kernels take it.
    var kernel: kernels_sight {
        kernels_sight(
            before: before ?? Int.max, after: after ?? Int.max, soft_cap: softCap ?? 0, sinks: sinks,
            bias: bias?.numbers, reach: bias?.reach ?? 0)
    }
}

/// Rotary position tables `[positions][rotaryDimension / 2]` in borrowed memory.
package struct RotaryTable {
    /// Cosines by position; nil where nothing is rotated.
    package let cosines: UnsafePointer<Float>?
    /// Sines by position; nil where nothing is rotated.
    package let sines: UnsafePointer<Float>?
    /// No rotation.
    package static var none: RotaryTable { RotaryTable(cosines: nil, sines: nil, rotaryDimension: 0) }

    /// Leading elements of a head that are rotated, as two halves (the NeoX pairing); the rest pass through.
    package let rotaryDimension: Int
    /// Whether neighbours are rotated instead; they are stored as halves then, which scores do not depend on.
    package let isInterleaved: Bool
    /// Factors on queries by position; nil is none.
    package var queryFactors: UnsafePointer<Float>?

    /// Describes tables that cover every position of the step.
    package init(
        cosines: UnsafePointer<Float>?, sines: UnsafePointer<Float>?, rotaryDimension: Int, isInterleaved: Bool = false
    ) {
        precondition(rotaryDimension >= 0 && rotaryDimension % 2 == 0, "rotation pairs elements")
        precondition(rotaryDimension == 0 || cosines != nil && sines != nil, "rotation has tables")
        self.cosines = cosines
        self.sines = sines
        self.rotaryDimension = rotaryDimension
        self.isInterleaved = isInterleaved
    }
}

/// Norms of single query and key heads before rotation; a nil weight means that side has none.
package struct HeadNorm {
    /// `[dimension]` for queries.
    package let queryWeight: UnsafePointer<Float>?
    /// `[dimension]` for keys.
    package let keyWeight: UnsafePointer<Float>?
    /// Added to the mean square.
    package let epsilon: Float

    /// Describes the norms of one layer.
    package init(queryWeight: UnsafePointer<Float>?, keyWeight: UnsafePointer<Float>?, epsilon: Float) {
        self.queryWeight = queryWeight
        self.keyWeight = keyWeight
        self.epsilon = epsilon
    }
}
