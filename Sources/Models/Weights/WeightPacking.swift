import Dispatch
import Synchronization
import Tensors

extension WeightPlan {
    /// Reads every planned tensor and writes its packed form, in pieces on several threads, with bounded scratch
    /// memory.
    ///
    /// `progress` is called on this thread with the fraction done.
    func pack(into memory: PackedMemory, threads: Int, progress: (Double) -> Void) throws(CheckpointError) {
        try copyVectors(into: memory)
        let pieces = packingPieces()
        let total = max(1, pieces.reduce(0) { $0 + $1.elementCount })
        var done = 0
        for start in stride(from: 0, to: pieces.count, by: threads * 8) {
            let batch = pieces[start..<min(pieces.count, start + threads * 8)]
            try packBatch(Array(batch), into: memory)
            done += batch.reduce(0) { $0 + $1.elementCount }
            progress(Double(done) / Double(total))
        }
    }

    /// Some consecutive rows of a slice and where they go.
    private struct Piece {
        let matrix: Int
        let part: Int
        /// Rows of the checkpoint tensor.
        let rows: Range<Int>
        /// First row in the packed matrix.
        let target: Int
        let elementCount: Int
    }

    /// Cuts all the matrices into pieces of about a megabyte, on block boundaries where possible.
    private func packingPieces() -> [Piece] {
        var pieces: [Piece] = []
        for (index, matrix) in matrices.enumerated() {
            var target = 0
            for (part, piece) in matrix.pieces.enumerated() {
                let width = piece.tensor.rowElements
                let step = max(32, (1 << 18) / max(1, width) / 32 * 32)
                for first in stride(from: piece.slice.rows.lowerBound, to: piece.slice.rows.upperBound, by: step) {
                    let rows = first..<min(piece.slice.rows.upperBound, first + step)
                    pieces.append(
                        Piece(matrix: index, part: part, rows: rows, target: target, elementCount: rows.count * width))
                    target += rows.count
                }
            }
        }
        return pieces
    }

    private func packBatch(_ batch: [Piece], into memory: PackedMemory) throws(CheckpointError) {
        let failure = Mutex<CheckpointError?>(nil)
        // The plan and the memory outlive the call, pieces write disjoint rows, and tensors may be read from many
        // threads.
        nonisolated(unsafe) let plan = self
        nonisolated(unsafe) let target = memory
        DispatchQueue.concurrentPerform(iterations: batch.count) { number in
            do throws(CheckpointError) {
                try plan.packPiece(batch[number], into: target)
            } catch {
                failure.withLock { if $0 == nil { $0 = error } }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    private func packPiece(_ piece: Piece, into memory: PackedMemory) throws(CheckpointError) {
        let matrix = matrices[piece.matrix]
        let (tensor, slice) = matrix.pieces[piece.part]
        let packed = memory[matrix.name].baseAddress!
        if tensor.keepsCodes(in: matrix.format, columns: slice.columns) {
            let target = PackedMatrix(
                data: packed, outputs: matrix.outputs, inputs: matrix.inputs, dtype: dtype, kind: matrix.kind,
                format: matrix.format)
            return try tensor.packCodes(
                rows: piece.rows, columns: slice.columns, scale: matrix.scales[piece.part], target: piece.target,
                matrix: target, into: packed)
        }
        let width = tensor.rowElements
        let rows = UnsafeMutablePointer<Float>.allocate(capacity: piece.rows.count * width)
        defer { rows.deallocate() }
        try tensor.readRows(piece.rows, into: rows)
        if slice.columns.count != width {
            for row in 0..<piece.rows.count {
                (rows + row * slice.columns.count)
                    .update(from: rows + row * width + slice.columns.lowerBound, count: slice.columns.count)
            }
        }
        PackedMatrix.pack(
            rows: rows, first: piece.target, count: piece.rows.count, outputs: matrix.outputs, inputs: matrix.inputs,
            dtype: dtype, kind: matrix.kind, format: matrix.format, into: packed)
    }

    private func copyVectors(into memory: PackedMemory) throws(CheckpointError) {
        let base = memory[Self.vectorSection].baseAddress!.assumingMemoryBound(to: Float.self)
        for vector in vectors {
            var target = base + vector.offset
            for (tensor, slice) in vector.pieces {
                try tensor.readRows(slice.rows, into: target)
                target += slice.rows.count
            }
        }
    }
}
