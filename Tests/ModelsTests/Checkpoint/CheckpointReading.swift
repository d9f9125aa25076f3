import Models
import Testing
import Values

/// Reads a whole tensor.
func read(_ checkpoint: any Checkpoint, _ name: String) throws -> [Float] {
    let info = try #require(checkpoint.tensors[name])
    return try read(checkpoint, name, rows: 0..<info.rowCount)
}

/// Reads rows of a tensor.
func read(_ checkpoint: any Checkpoint, _ name: String, rows: Range<Int>) throws -> [Float] {
    let info = try #require(checkpoint.tensors[name])
    var values = [Float](repeating: .nan, count: rows.count * info.rowElements)
    try values.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        try checkpoint.readRows(name, rows: rows, into: base)
    }
    return values
}

extension BoundTensor {
    /// Reads the whole tensor.
    func readAll() throws -> [Float] { try read(0..<rowCount) }
}

/// The error of an operation that must fail with one, checked to be a single line that names `file`.
func checkpointError(
    naming file: String? = nil, _ operation: () throws -> Void, at location: SourceLocation = #_sourceLocation
) -> CheckpointError? {
    do {
        try operation()
        Issue.record("nothing was thrown", sourceLocation: location)
        return nil
    } catch let error as CheckpointError {
        #expect(isOneLine(error.description), sourceLocation: location)
        if let file { #expect(error.description.contains(file), "\(error)", sourceLocation: location) }
        return error
    } catch {
        Issue.record("\(error) is no CheckpointError", sourceLocation: location)
        return nil
    }
}

/// Opens a damaged file: it must throw a `CheckpointError`, or open and be readable as far as it claims.
func openDamaged(_ path: String) throws -> (any Checkpoint)? {
    do {
        let checkpoint = try openCheckpoint(path, .auto)
        for (name, info) in checkpoint.tensors where info.type.isFloat && info.elementCount < 1 << 20 {
            _ = try read(checkpoint, name)
        }
        _ = try? checkpoint.vocabulary()
        return checkpoint
    } catch let error as CheckpointError {
        #expect(isOneLine(error.description))
        return nil
    }
}

/// Whether a message would be one line of a log.
func isOneLine(_ text: String) -> Bool {
    !text.contains(where: \.isNewline)
}
