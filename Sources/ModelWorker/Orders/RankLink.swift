package import Models
package import Tensors

/// How rank 0's orders reach the other ranks: as frames in the shared memory in which they also sum. The first word of a frame is its
/// kind.
///
/// ```
/// order    its kind · count of bytes · text, UTF-8
/// step     1 · whether every row is kept · ten counts, Int64 · tokens · positions · write slots · sequences · slots ·
///          logit rows · token types · vector rows · vectors · leading rows, each on a multiple of 8 bytes
/// ```
package struct RankLink {
    /// What a frame asks for.
    package enum Kind: Int {
        /// A step, which every rank computes.
        case step = 1
        /// Packs other weights beside the present ones: load format, a line break, path.
        case prepare = 2
        /// Goes on with the weights that lie ready; the text says which of the old ones' files may go.
        case exchange = 3
        /// Forgets weights that were prepared, or are being prepared.
        case discard = 4
        /// Gives the weights' memory back.
        case releaseWeights = 5
        /// Gives the cache's memory back, and takes memory for it again.
        case releaseCache = 6
        case restoreCache = 7
        /// Computes the checksum of the weights.
        case checksum = 8
        /// Says how far the rank is with what it prepares or computes.
        case report = 9
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
            input.slots.count, input.logitRows.count, input.tokenTypes.count, input.vectorRows.count,
            input.vectors.count, input.leadingRows.count, input.windowWriteSlots.count, input.windowSlots.count,
        ]
        for count in counts { writer.put(count) }
        writer.put(input.tokens)
        writer.put(input.positions)
        writer.put(input.writeSlots)
        writer.put(input.sequences)
        writer.put(input.slots)
        writer.put(input.logitRows)
        writer.put(input.tokenTypes)
        writer.put(input.vectorRows)
        writer.put(input.vectors)
        writer.put(input.leadingRows)
        writer.put(input.windowWriteSlots)
        writer.put(input.windowSlots)
        group.publishPlan()
    }

    /// Rank 0 tells the others to do something that is no step, and waits until all have heard it.
    func send(_ kind: Kind, _ text: String = "") {
        var writer = PlanCursor(group.plan)
        writer.put(kind.rawValue)
        writer.put(text.utf8.count)
        writer.put(Array(text.utf8))
        group.publishPlan()
        group.exchange { _ in }
    }

    /// Asks all ranks how far they are; rank 0's own word goes first.
    func reports(with own: RankJobState) -> [RankJobState] {
        var writer = PlanCursor(group.plan)
        writer.put(Kind.report.rawValue)
        writer.put(0)
        group.publishPlan()
        return exchange(own)
    }

    /// Tells the others how far this rank is, and hears it of them.
    @discardableResult
    func exchange(_ own: RankJobState) -> [RankJobState] {
        own.write(into: group.ownSlot, floats: group.slotCount)
        var states: [RankJobState] = []
        group.exchange { slot in
            states = (0..<group.size).map { RankJobState(reading: slot($0)) }
        }
        return states
    }

    /// Another rank has heard what rank 0 told it.
    func acknowledge() { group.exchange { _ in } }

    /// Another rank waits for a frame; nil when none came within `seconds`. With `expected` it waits awake at first. A step is put into
    /// `input`.
    package func receive(into input: inout ForwardInput, expected: Bool, seconds: Double) -> (kind: Kind, text: String)?
    {
        guard group.awaitPlan(expected: expected, seconds: seconds) else { return nil }
        var reader = PlanCursor(group.plan)
        let word = reader.take()
        guard let kind = Kind(rawValue: word) else { preconditionFailure("a frame of kind \(word) from rank 0") }
        guard kind != .step else {
            Self.readStep(&reader, into: &input)
            return (kind, "")
        }
        var bytes: [UInt8] = []
        let count = reader.take()
        reader.take(count, into: &bytes)
        return (kind, String(decoding: bytes, as: UTF8.self))
    }

    private static func readStep(_ reader: inout PlanCursor, into input: inout ForwardInput) {
        input.removeAll()
        input.keepsEveryRow = reader.take() == 1
        let counts = (0..<12).map { _ in reader.take() }
        reader.take(counts[0], into: &input.tokens)
        reader.take(counts[1], into: &input.positions)
        reader.take(counts[2], into: &input.writeSlots)
        reader.take(counts[3], into: &input.sequences)
        reader.take(counts[4], into: &input.slots)
        reader.take(counts[5], into: &input.logitRows)
        reader.take(counts[6], into: &input.tokenTypes)
        reader.take(counts[7], into: &input.vectorRows)
        reader.take(counts[8], into: &input.vectors)
        reader.take(counts[9], into: &input.leadingRows)
        reader.take(counts[10], into: &input.windowWriteSlots)
        reader.take(counts[11], into: &input.windowSlots)
    }

    /// Bytes of the largest plan within the limits. Only what is used is ever touched.
    package static func planBytes(_ limits: ForwardLimits, hiddenSize: Int) -> Int {
        let small = (7 + hiddenSize) * limits.rows + 2 * limits.sequences * limits.positions + limits.rows
        return 8192 + small * MemoryLayout<Int32>.size + limits.sequences * MemoryLayout<ForwardInput.Sequence>.stride
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
