import KVCache
import Testing
import Values

/// What is written down of the slots, and what can be read of it.
@Suite struct SlotBookTests {
    /// A book with the copy that another process would read.
    private struct Kept: ~Copyable {
        var book: SlotBook
        var image: SlotImage

        init(slots: Int) {
            book = SlotBook(slots: slots)
            image = SlotImage(records: [UInt64](repeating: SlotBook.nothing, count: slots), names: [:])
        }

        mutating func write(settled: Bool = true) {
            let changes = book.takeChanges(atEndOfStep: true, settled: settled)
            for slot in changes.erased { image.records[Int(slot)] = SlotBook.nothing }
            for name in changes.names { image.names[name.code] = name.name }
            for change in changes.records { image.records[Int(change.slot)] = change.record }
        }

        /// Every text from its start to where nothing follows.
        func texts(pageSize: Int = 1) -> Set<[Int32]> {
            let stretches = KeptTexts(image, pageSize: pageSize).stretches
            let parents = Set(stretches.compactMap(\.parent))
            return Set(
                stretches.indices.filter { !parents.contains($0) }.map { index in
                    var tokens: [Int32] = []
                    var next: Int? = index
                    while let place = next {
                        tokens = stretches[place].tokens + tokens
                        next = stretches[place].parent
                    }
                    return tokens
                })
        }
    }

    @Test func textsThatBranchAreReadAsTheyWereWritten() {
        var kept = Kept(slots: 20)
        kept.book.record([1, 2, 3], in: [7, 3, 8], after: nil, namespace: "")
        kept.book.record([4, 5], in: [9, 1], after: 8, namespace: "")
        kept.book.record([6], in: [2], after: 8, namespace: "")
        kept.book.record([1], in: [4], after: nil, namespace: "other")
        kept.write()
        #expect(kept.texts() == [[1, 2, 3, 4, 5], [1, 2, 3, 6], [1]])
        #expect(Set(KeptTexts(kept.image, pageSize: 1).stretches.map(\.namespace)) == ["", "other"])
        kept.book.erase([1, 2])
        kept.write()
        #expect(kept.texts() == [[1, 2, 3, 4], [1]])
        kept.book.erase([3])
        kept.write()
        #expect(kept.texts() == [[1]])
    }

    @Test func whatIsNotSettledIsHeldBackForOneStep() {
        var kept = Kept(slots: 20)
        kept.book.record([1], in: [5], after: nil, namespace: "")
        kept.write(settled: false)
        #expect(kept.texts() == [])
        kept.book.record([2], in: [6], after: 5, namespace: "")
        kept.write(settled: false)
        #expect(kept.texts() == [[1]])
        // What takes the place of something older waits like everything of its step.
        kept.book.erase([6])
        kept.book.record([3], in: [6], after: 5, namespace: "")
        kept.write(settled: false)
        #expect(kept.texts() == [[1]])
        kept.write(settled: false)
        #expect(kept.texts() == [[1, 3]])
    }

    @Test func duplicatesGiveWayToWhatWasThere() {
        var kept = Kept(slots: 20)
        kept.book.record([1, 2], in: [5, 6], after: nil, namespace: "")
        kept.book.record([1, 2, 3], in: [10, 11, 12], after: nil, namespace: "")
        kept.write()
        kept.book.move([12], after: 6)
        kept.book.erase([10, 11])
        // Until it is told anew, the one that moved follows nothing: another text may come into its old place.
        let changes = kept.book.takeChanges()
        #expect(Set(changes.erased) == [10, 11, 12] && changes.records.isEmpty)
        for slot in changes.erased { kept.image.records[Int(slot)] = SlotBook.nothing }
        kept.write()
        #expect(kept.texts() == [[1, 2, 3]])
        #expect(KeptTexts(kept.image, pageSize: 1).stretches.flatMap(\.slots) == [5, 6, 12])
    }

    @Test func whatFollowsTheUnknownIsNotRecorded() {
        var kept = Kept(slots: 20)
        kept.book.record([1, 2], in: [5, 6], after: nil, namespace: "")
        kept.book.forget()
        kept.image.records = [UInt64](repeating: SlotBook.nothing, count: 20)
        kept.book.record([3], in: [7], after: 6, namespace: "")
        kept.book.record([3], in: [8], after: nil, namespace: "")
        kept.write()
        #expect(kept.texts() == [[3]])
        // A place that is not known takes what follows along.
        kept.book.record([4], in: [9], after: 8, namespace: "")
        kept.book.move([8, 9], after: 7)
        kept.write()
        #expect(kept.texts() == [])
    }

    @Test func onlyWholePagesCount() {
        var kept = Kept(slots: 40)
        kept.book.record([1, 2, 3, 4, 5, 6], in: [8, 9, 10, 11, 16, 17], after: nil, namespace: "")
        kept.write()
        #expect(kept.texts(pageSize: 4) == [[1, 2, 3, 4]])
        // A page that does not lie together is none.
        kept.book.record([1, 2, 3, 4], in: [20, 21, 23, 22], after: nil, namespace: "x")
        kept.write()
        #expect(kept.texts(pageSize: 4) == [[1, 2, 3, 4]])
        #expect(KeptTexts(kept.image, pageSize: 4).stretches.count == 1)
    }

    @Test func namespacesThatNobodyUsesMakeRoom() {
        var kept = Kept(slots: 8)
        for number in 0..<5000 {
            kept.book.record([1], in: [3], after: nil, namespace: "user \(number)")
            kept.write()
            #expect(KeptTexts(kept.image, pageSize: 1).stretches.map(\.namespace) == ["user \(number)"])
            kept.book.erase([3])
        }
        // Where all are in use, or the name is too long, nothing is recorded.
        var full = Kept(slots: 3000)
        for number in 1..<2000 { full.book.record([1], in: [Int32(number)], after: nil, namespace: "user \(number)") }
        full.book.record([1], in: [2500], after: nil, namespace: ClientName(String(repeating: "n", count: 256)))
        full.write()
        #expect(KeptTexts(full.image, pageSize: 1).stretches.count == SlotBook.mostNamespaces)
    }

    @Test func nonsenseIsReadAsWhatHangsTogether() {
        var random = SplitMix64(seed: 11)
        for round in 0..<2000 {
            let count = Int.random(in: 1...60, using: &random)
            let records = (0..<count).map { _ -> UInt64 in
                let word =
                    Bool.random(using: &random)
                    ? UInt64.random(in: 0..<UInt64(count), using: &random) : random.next() >> 32
                let start = UInt64(1 << 31 | Int.random(in: 0..<3, using: &random))
                return (random.next() % 4 == 0 ? start : word) << 32 | random.next() >> 32
            }
            let pageSize = [1, 4, 16][round % 3]
            let kept = KeptTexts(SlotImage(records: records, names: [0: "", 1: "b"]), pageSize: pageSize)
            let slots = kept.stretches.flatMap(\.slots)
            #expect(Set(slots).count == slots.count && slots.allSatisfy { Int($0) >= pageSize && Int($0) < count })
            #expect(kept.stretches.allSatisfy { $0.tokens.count == $0.slots.count && $0.slots.count % pageSize == 0 })
        }
    }

    @Test func aBookWithoutSlotsRecordsNothing() {
        var book = SlotBook(slots: 0)
        let isKept = book.isKept
        #expect(!isKept)
        book.record([1], in: [5], after: nil, namespace: "")
        book.erase([5])
        book.move([5], after: 6)
        #expect(book.takeChanges(settled: true).isEmpty)
    }
}
