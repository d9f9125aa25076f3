import Dispatch
import Synchronization
import Tensors

extension ModelPlan {
    /// Reads every planned tensor and writes its packed form, in stretches on several threads, with bounded scratch
    /// memory.
    ///
    /// `progress` is called on this thread with the fraction done.
    func pack(into memory: PackedMemory, threads: Int, progress: (Double) -> Void) throws(CheckpointError) {
        try copyVectors(into: memory)
        writeOrders(into: memory)
        let stretches = packingStretches()
        let total = max(1, stretches.reduce(0) { $0 + $1.elementCount })
        var done = 0
        for start in stride(from: 0, to: stretches.count, by: threads * 8) {
            let batch = stretches[start..<min(stretches.count, start + threads * 8)]
            try packBatch(Array(batch), threads: threads, into: memory)
            done += batch.reduce(0) { $0 + $1.elementCount }
            progress(Double(done) / Double(total))
        }
    }

    /// Some consecutive rows of a slice and where they go.
    private struct Stretch {
        let matrix: Int
        /// Which of several matrices of one shape.
        let copy: Int
        let part: Int
        /// Rows of the slice, from 0.
        let rows: Range<Int>
        /// First row in the packed matrix.
        let target: Int
        let elementCount: Int
    }

    /// Cuts all the matrices into stretches of about a megabyte, on block boundaries where possible.
    private func packingStretches() -> [Stretch] {
        var stretches: [Stretch] = []
        for (index, matrix) in matrices.enumerated() {
            for (copy, pieces) in matrix.pieces.enumerated() {
                var target = 0
                for (part, piece) in pieces.enumerated() {
                    let width = piece.tensor.rowElements
                    let step = max(32, (1 << 18) / max(1, width) / 32 * 32)
                    for first in stride(from: 0, to: piece.slice.height, by: step) {
                        let rows = first..<min(piece.slice.height, first + step)
                        stretches.append(
                            Stretch(
                                matrix: index, copy: copy, part: part, rows: rows, target: target,
                                elementCount: rows.count * width))
                        target += rows.count
                    }
                }
            }
        }
        return stretches
    }

    private func packBatch(
        _ batch: [Stretch], threads: Int, into memory: PackedMemory
    ) throws(CheckpointError) {
        // Beside a model that computes, other threads are not to be had.
        if threads == 1 {
            for stretch in batch { try packStretch(stretch, into: memory) }
            return
        }
        let failure = Mutex<CheckpointError?>(nil)
        // The plan and the memory outlive the call, stretches are disjoint, and tensors may be read from many threads.
        nonisolated(unsafe) let plan = self
        nonisolated(unsafe) let target = memory
        DispatchQueue.concurrentPerform(iterations: batch.count) { number in
            do throws(CheckpointError) {
                try plan.packStretch(batch[number], into: target)
            } catch {
                failure.withLock { if $0 == nil { $0 = error } }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    private func packStretch(_ stretch: Stretch, into memory: PackedMemory) throws(CheckpointError) {
        let matrix = matrices[stretch.matrix]
        let shape = matrix.shape
        let piece = matrix.pieces[stretch.copy][stretch.part]
        let (tensor, slice) = (piece.tensor, piece.slice)
        let packed = memory[shape.name].baseAddress! + stretch.copy * shape.byteCount
        // Rows of the tensor that lie behind each other are taken together.
        let runs = slice.tensorRows(stretch.rows)
        if tensor.keepsCodes(in: shape.format, columns: slice.columns) {
            var target = stretch.target
            for run in runs {
                try tensor.packCodes(
                    rows: run, columns: slice.columns, scale: piece.scale, target: target,
                    matrix: shape.packed(at: packed), into: packed)
                target += run.count
            }
            return
        }
        let width = tensor.rowElements
        let rows = UnsafeMutablePointer<Float>.allocate(capacity: stretch.rows.count * width)
        defer { rows.deallocate() }
        var read = 0
        for run in runs {
            try tensor.readRows(run, into: rows + read * width)
            read += run.count
        }
        if slice.columns.count != width {
            for row in 0..<stretch.rows.count {
                (rows + row * slice.columns.count)
                    .update(from: rows + row * width + slice.columns.lowerBound, count: slice.columns.count)
            }
        }
        PackedMatrix.pack(
            rows: rows, first: stretch.target, count: stretch.rows.count, outputs: shape.outputs, inputs: shape.inputs,
            dtype: shape.dtype, kind: shape.kind, format: shape.format, into: packed)
    }

    /// Writes which inputs the columns are, of matrices that keep their bits in another order.
    private func writeOrders(into memory: PackedMemory) {
        for matrix in matrices where matrix.shape.isOrdered {
            let base = memory[matrix.shape.name].baseAddress!
            for (copy, pieces) in matrix.pieces.enumerated() {
                guard let order = pieces.first?.tensor.info.inputOrder else { continue }
                let packed = base + copy * matrix.shape.byteCount
                matrix.shape.packed(at: packed).pack(order: order.inputs, into: packed)
            }
        }
    }

    private func copyVectors(into memory: PackedMemory) throws(CheckpointError) {
        let base = memory[WeightLayout.vectorSection].baseAddress!.assumingMemoryBound(to: Float.self)
        for vector in vectors {
            var target = base + vector.offset
            for piece in vector.pieces {
                let count = piece.slice.rows.count * piece.tensor.rowElements
                try piece.tensor.readRows(piece.slice.rows, into: target)
                if vector.addend != 0 { for i in 0..<count { target[i] += vector.addend } }
                target += count
            }
        }
    }
}
