internal import Models
internal import Tensors

/// How rank 0's plan of each step reaches the other ranks: through the shared memory in which they also sum.
///
/// ```
/// six counts, Int64 · tokens · positions · write slots · sequences · slots · logit rows, each on a multiple of 8 bytes
/// ```
struct RankLink {
    let group: Collectives

    /// Rank 0 tells the others what the step is.
    func send(_ input: borrowing ForwardInput) {
        var writer = PlanCursor(group.plan)
        let counts = [
            input.tokens.count, input.positions.count, input.writeSlots.count, input.sequences.count,
            input.slots.count, input.logitRows.count,
        ]
        for count in counts { writer.put(count) }
        writer.put(input.tokens)
        writer.put(input.positions)
        writer.put(input.writeSlots)
        writer.put(input.sequences)
        writer.put(input.slots)
        writer.put(input.logitRows)
        group.publishPlan()
    }

    /// Another rank waits for a step; false when none came within `seconds`. With `expected` it waits awake at first.
    func receive(into input: inout ForwardInput, expected: Bool, seconds: Double) -> Bool {
        guard group.awaitPlan(expected: expected, seconds: seconds) else { return false }
        var reader = PlanCursor(group.plan)
        let counts = (0..<6).map { _ in reader.take() }
        input.removeAll()
        reader.take(counts[0], into: &input.tokens)
        reader.take(counts[1], into: &input.positions)
        reader.take(counts[2], into: &input.writeSlots)
        reader.take(counts[3], into: &input.sequences)
        reader.take(counts[4], into: &input.slots)
        reader.take(counts[5], into: &input.logitRows)
        return true
    }

    /// Bytes of the largest plan within the limits. Only what is used is ever touched.
    static func planBytes(_ limits: ForwardLimits) -> Int {
        let small = 3 * limits.rows + limits.sequences * limits.positions + limits.rows
        return 1024 + small * MemoryLayout<Int32>.size + limits.sequences * MemoryLayout<ForwardInput.Sequence>.stride
    }
}

/// A place in the plan that moves on as arrays are written or read.
private struct PlanCursor {
    private var next: UnsafeMutableRawPointer

    init(_ start: UnsafeMutableRawPointer) { next = start }

    mutating func put(_ count: Int) {
        next.storeBytes(of: count, as: Int.self)
        next += MemoryLayout<Int>.size
    }

    mutating func take() -> Int {
        defer { next += MemoryLayout<Int>.size }
        return next.load(as: Int.self)
    }

    mutating func put<Element: BitwiseCopyable>(_ elements: [Element]) {
        elements.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress { next.copyMemory(from: base, byteCount: bytes.count) }
            next += (bytes.count + 7) / 8 * 8
        }
    }

    mutating func take<Element: BitwiseCopyable>(_ count: Int, into elements: inout [Element]) {
        let source = UnsafeBufferPointer(start: next.assumingMemoryBound(to: Element.self), count: count)
        elements.append(contentsOf: source)
        next += (count * MemoryLayout<Element>.stride + 7) / 8 * 8
    }
}
