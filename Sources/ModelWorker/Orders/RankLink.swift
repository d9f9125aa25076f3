package import Models
package import Tensors

/// How rank 0's orders reach the other ranks: as frames in the shared memory in which they also sum. The first word of a frame is its
/// kind.
///
/// ```
/// step     1 · whether every row is kept · seven counts, Int64 · tokens · positions · write slots · sequences · slots ·
///              logit rows · token types, each on a multiple of 8 bytes
/// ```
package struct RankLink {
    /// What a frame asks for.
    package enum Kind: Int {
        /// A step, which every rank computes.
        case step = 1
    }

    let group: Collectives

    /// The orders of a group's rank 0, or to another of its ranks.
    package init(group: Collectives) { self.group = group }

    /// Rank 0 tells the others what the step is.
    package func send(_ input: borrowing ForwardInput) {
        var writer = PlanCursor(group.plan)
        writer.put(Kind.step.rawValue)
        writer.put(input.keepsEveryRow ? 1 : 0)
        let counts = [
            input.tokens.count, input.positions.count, input.writeSlots.count, input.sequences.count,
            input.slots.count, input.logitRows.count, input.tokenTypes.count,
        ]
        for count in counts { writer.put(count) }
        writer.put(input.tokens)
        writer.put(input.positions)
        writer.put(input.writeSlots)
        writer.put(input.sequences)
        writer.put(input.slots)
        writer.put(input.logitRows)
        writer.put(input.tokenTypes)
        group.publishPlan()
    }

    /// Another rank waits for a frame; nil when none came within `seconds`. With `expected` it waits awake at first. A step is put into
    /// `input`.
    package func receive(into input: inout ForwardInput, expected: Bool, seconds: Double) -> Kind? {
        guard group.awaitPlan(expected: expected, seconds: seconds) else { return nil }
        var reader = PlanCursor(group.plan)
        let word = reader.take()
        guard let kind = Kind(rawValue: word) else { preconditionFailure("a frame of kind \(word) from rank 0") }
        switch kind {
        case .step: Self.readStep(&reader, into: &input)
        }
        return kind
    }

    private static func readStep(_ reader: inout PlanCursor, into input: inout ForwardInput) {
        input.removeAll()
        input.keepsEveryRow = reader.take() == 1
        let counts = (0..<7).map { _ in reader.take() }
        reader.take(counts[0], into: &input.tokens)
        reader.take(counts[1], into: &input.positions)
        reader.take(counts[2], into: &input.writeSlots)
        reader.take(counts[3], into: &input.sequences)
        reader.take(counts[4], into: &input.slots)
        reader.take(counts[5], into: &input.logitRows)
        reader.take(counts[6], into: &input.tokenTypes)
    }

    /// Bytes of the largest plan within the limits. Only what is used is ever touched.
    package static func planBytes(_ limits: ForwardLimits) -> Int {
        let small = 4 * limits.rows + limits.sequences * limits.positions + limits.rows
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
