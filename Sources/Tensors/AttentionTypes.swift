import CKernels

/// Head counts and head size of an attention layer.
package struct AttentionHeads: Sendable, Equatable {
    /// Query heads; a multiple of `keyValue`.
    package let query: Int
    /// Key and value heads; each serves `query / keyValue` query heads.
    package let keyValue: Int
    /// Elements of one head; a multiple of 8 up to 256.
    package let dimension: Int

    /// Checks the shape once, so that no step has to.
    package init(query: Int, keyValue: Int, dimension: Int) {
        precondition(keyValue > 0 && query > 0 && query % keyValue == 0, "query heads share key-value heads evenly")
        precondition(query / keyValue <= 64, "at most 64 query heads share a key-value head")
        precondition(dimension > 0 && dimension <= 256 && dimension % 8 == 0, "head size is a multiple of 8 up to 256")
        self.query = query
        self.keyValue = keyValue
        self.dimension = dimension
    }

    /// Elements of one row of fused query, key and value projections.
    package var fusedSize: Int { (query + 2 * keyValue) * dimension }
    /// Elements of one cache slot, in keys and in values.
    package var slotSize: Int { keyValue * dimension }

    /// The same shape as the C kernels take it.
    var kernel: kernels_heads { kernels_heads(query_heads: query, kv_heads: keyValue, head_dim: dimension) }
}

/// Keys and values of one layer: each `[slots][keyValue heads][dimension]` of `dtype`, in borrowed memory.
package struct KeyValueLayer {
    /// First key of slot 0.
    package let keys: UnsafeMutableRawPointer
    /// First value of slot 0.
    package let values: UnsafeMutableRawPointer
    /// Type of both.
    package let dtype: DType

    /// Describes memory of `slots * slotSize` elements each.
    package init(keys: UnsafeMutableRawPointer, values: UnsafeMutableRawPointer, dtype: DType) {
        self.keys = keys
        self.values = values
        self.dtype = dtype
    }

    /// The same layer as the C kernels take it.
    var kernel: kernels_cache { kernels_cache(keys: keys, values: values, dtype: dtype.kernel) }
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

/// Rotary position tables `[positions][rotaryDimension / 2]` in borrowed memory.
package struct RotaryTable {
    /// Cosines by position.
    package let cosines: UnsafePointer<Float>
    /// Sines by position.
    package let sines: UnsafePointer<Float>
    /// Leading elements of a head that are rotated, as two halves (the NeoX pairing); the rest pass through.
    package let rotaryDimension: Int

    /// Describes tables that cover every position of the step.
    package init(cosines: UnsafePointer<Float>, sines: UnsafePointer<Float>, rotaryDimension: Int) {
        precondition(rotaryDimension >= 0 && rotaryDimension % 2 == 0, "rotation pairs elements")
        self.cosines = cosines
        self.sines = sines
        self.rotaryDimension = rotaryDimension
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
