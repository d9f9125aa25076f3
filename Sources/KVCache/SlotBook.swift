package import Values

/// What the slots hold, written so that a process that finds their keys and values can go on with them: for each slot its token and
/// the slot of the position before, back to the first position of a namespace.
///
///     slot      7        3        8
///     record    ("a",    ("b",    ("c",       the text "abc", whose keys and values lie in 7, 3 and 8
///                first)   7)       3)
///
/// The book is a value in this process. It lists what changes, for a copy that others can read (`takeChanges`). The copy is never
/// ahead of the keys and values, and never keeps a slot that is about to be written anew, whenever it stops being written.
package struct SlotBook: ~Copyable {
    /// What the book holds of a slot of which nothing is known.
    package static let nothing: UInt64 = 0
    /// Most namespaces that it can tell apart at a time; texts of further ones are not recorded.
    package static let mostNamespaces = 1024
    /// Most bytes in a namespace's name; texts of those with longer ones are not recorded.
    package static let longestName = 255

    /// By slot: the token below, and above it what was before: a slot, or a namespace with this bit.
    private var records: [UInt64]
    private static let first: UInt32 = 1 << 31

    private var codes: [ClientName: UInt32] = [:]
    private var freeCodes: [UInt32]
    /// First positions that were erased since somebody last looked for namespaces that nobody uses.
    private var erasedFirsts = 0

    // What the copy does not have yet.
    private var erased: [Int32] = []
    private var names: [NamedCode] = []
    /// Recorded in the step that ended last, and in those before, as far as they are not settled.
    private var fresh: [Int32] = []
    private var older: [Int32] = []

    /// A namespace and the number that stands for it.
    package struct NamedCode: Sendable, Equatable {
        /// The number.
        package let code: UInt32
        /// The namespace.
        package let name: ClientName
    }

    /// What the copy has to be told, in this order.
    package struct Changes: Sendable {
        /// Slots of which nothing is known any more.
        package var erased: [Int32] = []
        /// Namespaces by number.
        package var names: [NamedCode] = []
        /// Slots and their records.
        package var records: [(slot: Int32, record: UInt64)] = []

        /// There is nothing to tell.
        package var isEmpty: Bool { erased.isEmpty && names.isEmpty && records.isEmpty }
    }

    /// An empty book for so many slots; none: nothing is recorded.
    package init(slots: Int) {
        records = [UInt64](repeating: Self.nothing, count: slots)
        freeCodes = slots == 0 ? [] : (0..<UInt32(Self.mostNamespaces)).reversed()
    }

    /// It records.
    package var isKept: Bool { !records.isEmpty }

    /// The keys and values of `tokens` are in `slots`, behind those of `previous` or first in the namespace. What follows a slot that is
    /// not recorded is not recorded either.
    package mutating func record(
        _ tokens: ArraySlice<Int32>, in slots: ArraySlice<Int32>, after previous: Int32?, namespace: ClientName
    ) {
        guard isKept, var before = origin(previous, namespace) else { return }
        for (token, slot) in zip(tokens, slots) {
            records[Int(slot)] = UInt64(before) << 32 | UInt64(UInt32(bitPattern: token))
            fresh.append(slot)
            before = UInt32(bitPattern: slot)
        }
    }

    /// The slots follow `previous` now, which holds the same as the slot that they followed.
    package mutating func move(_ slots: ArraySlice<Int32>, after previous: Int32) {
        guard isKept, let slot = slots.first, records[Int(slot)] != Self.nothing else { return }
        guard records[Int(previous)] != Self.nothing else { return erase(slots) }
        // The copy must not tell for a moment that it follows whatever comes into the old place.
        erased.append(slot)
        records[Int(slot)] =
            UInt64(UInt32(bitPattern: previous)) << 32 | records[Int(slot)] & 0xFFFF_FFFF
        fresh.append(slot)
    }

    /// The slots are anybody's.
    package mutating func erase(_ slots: ArraySlice<Int32>) {
        guard isKept else { return }
        for slot in slots where records[Int(slot)] != Self.nothing {
            if UInt32(records[Int(slot)] >> 32) & Self.first != 0 { erasedFirsts += 1 }
            records[Int(slot)] = Self.nothing
            erased.append(slot)
        }
    }

    /// Forgets all that was recorded; so nothing that follows it is recorded either. For when the copy was emptied.
    package mutating func forget() { self = SlotBook(slots: records.count) }

    /// What the copy has to be told, each time before slots are written and after a step. What was recorded is held back until `settled`
    /// or, at the end of a step, a step later: then all ranks have written what it tells of.
    package mutating func takeChanges(atEndOfStep: Bool = false, settled: Bool = false) -> Changes {
        var changes = Changes()
        guard isKept else { return changes }
        swap(&changes.erased, &erased)
        swap(&changes.names, &names)
        guard atEndOfStep || settled else { return changes }
        // What was erased meanwhile and recorded anew is as fresh as the rest of this step's.
        let again = settled || older.isEmpty ? [] : Set(fresh)
        let known = settled ? older + fresh : older.filter { !again.contains($0) }
        older = settled ? [] : fresh
        fresh = []
        changes.records = known.map { ($0, records[Int($0)]) }
        return changes
    }

    private mutating func origin(_ previous: Int32?, _ namespace: ClientName) -> UInt32? {
        guard let previous else { return code(of: namespace).map { $0 | Self.first } }
        return records[Int(previous)] == Self.nothing ? nil : UInt32(bitPattern: previous)
    }

    private mutating func code(of namespace: ClientName) -> UInt32? {
        if let code = codes[namespace] { return code }
        guard namespace.text.utf8.count <= Self.longestName else { return nil }
        if freeCodes.isEmpty, erasedFirsts > 0 { findUnusedCodes() }
        guard let code = freeCodes.popLast() else { return nil }
        codes[namespace] = code
        names.append(NamedCode(code: code, name: namespace))
        return code
    }

    private mutating func findUnusedCodes() {
        erasedFirsts = 0
        var isUsed = [Bool](repeating: false, count: Self.mostNamespaces)
        for record in records where UInt32(record >> 32) & Self.first != 0 {
            isUsed[Int(UInt32(record >> 32) & ~Self.first)] = true
        }
        for (name, code) in codes where !isUsed[Int(code)] {
            codes[name] = nil
            freeCodes.append(code)
        }
    }
}

/// What another process wrote down of the slots.
package struct SlotImage: Sendable {
    /// By slot, as in a `SlotBook`.
    package var records: [UInt64]
    /// Namespaces by number.
    package var names: [UInt32: ClientName]
    /// By page: the first of its slots in the layers with a window, 0 for none; empty where no layer has one.
    package var windowPlaces: [Int32]

    /// Joins what was read.
    package init(records: [UInt64], names: [UInt32: ClientName], windowPlaces: [Int32] = []) {
        self.records = records
        self.names = names
        self.windowPlaces = windowPlaces
    }

    /// The token of a slot; nil where nothing is known.
    func token(_ slot: Int) -> Int32? {
        records[slot] == SlotBook.nothing ? nil : Int32(truncatingIfNeeded: records[slot])
    }

    /// What a recorded slot follows: another slot, or nothing in the namespace with this number.
    func origin(_ slot: Int) -> (slot: Int?, code: UInt32) {
        let word = UInt32(records[slot] >> 32)
        return word & 1 << 31 == 0 ? (Int(word), 0) : (nil, word & ~(1 << 31))
    }
}
