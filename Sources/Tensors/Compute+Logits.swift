import CKernels

// A logit of minus infinity is forbidden; those of plus infinity leave nothing to the others. Scales are inverse
// temperatures, taken as the nearest positive finite number.

/// What turns the logits of one row into log probabilities.
package struct LogNormalizer: Sendable {
    // The same memory as the C kernels write.
    private let kernel: kernels_normalizer

    /// Of no row yet.
    package init() { kernel = kernels_normalizer(scale: .nan, largest: .nan, sum: .nan, relative: .nan) }

    /// The log of the sum over `exp(scale * x)`; infinite where float32 cannot hold it, NaN for a row with a NaN.
    package var logSum: Float { kernel.sum }

    /// The log probability of one of the row's logits: minus infinity for a forbidden one, and NaN where the row has a
    /// NaN or nothing that is allowed.
    package func logProbability(of logit: Float) -> Float {
        if kernel.sum.isFinite && logit > -.infinity { return logit * kernel.scale - kernel.sum }
        if kernel.relative.isNaN { return .nan }
        // Sums that float32 cannot hold: differences to the largest logit decide.
        let below = logit == kernel.largest ? 0 : (logit - kernel.largest) * kernel.scale
        return below - kernel.relative
    }
}

extension Compute {
    /// Makes minus infinity of the elements of a row whose bit is not set, the lowest bit of each word first.
    package func mask(_ row: UnsafeMutablePointer<Float>, size: Int, allowed: [UInt64]) {
        precondition(allowed.count * 64 >= size)
        allowed.withUnsafeBufferPointer { kernels_mask_logits(row, size, $0.baseAddress!) }
    }

    /// Index of each row's largest element, the lowest on ties; -1 for a row that holds a NaN or nothing that is
    /// allowed.
    package func argmax(
        _ x: UnsafePointer<Float>, rows: Int, size: Int, into out: UnsafeMutablePointer<Int32>
    ) {
        kernels_argmax(handle, x, rows, size, out)
    }

    /// What turns each row's logits, times `scale`, into log probabilities.
    package func logNormalizers(
        _ x: UnsafePointer<Float>, rows: Int, size: Int, scale: Float = 1, into out: UnsafeMutablePointer<LogNormalizer>
    ) {
        out.withMemoryRebound(to: kernels_normalizer.self, capacity: rows) {
            kernels_normalize(handle, x, rows, size, scale, $0)
        }
    }

    /// Softmax of each row times its own scale, or of the rows themselves; `out` may be `x`.
    ///
    /// Elements of plus infinity share evenly. All NaN for a row that holds a NaN or nothing that is allowed.
    package func softmax(
        _ x: UnsafePointer<Float>, rows: Int, size: Int, scales: UnsafePointer<Float>? = nil,
        into out: UnsafeMutablePointer<Float>
    ) {
        kernels_softmax(handle, x, rows, size, scales, out)
    }

    /// The `count` largest elements of one row, largest first, lower index first on ties; NaN is never chosen.
    ///
    /// Returns how many were written to `values` and `indices`, at most `min(count, size)`.
    package func topK(
        _ x: UnsafePointer<Float>, size: Int, count: Int, values: UnsafeMutablePointer<Float>,
        indices: UnsafeMutablePointer<Int32>
    ) -> Int {
        kernels_top_k(handle, x, size, count, values, indices)
    }
}
