import KVCache
import Testing
import Values

@Suite struct RadixTreeTests {
    @Test func findsTheLongestCachedPrefix() {
        var tree = RadixTree()
        _ = tree.insert([1, 2, 3, 4], slots: [11, 12, 13, 14], namespace: "")
        do {
            let found = tree.match([1, 2, 3, 9], namespace: "")?.slots
            #expect(found == [11, 12, 13])
        }
        do {
            let found = tree.match([1, 2, 3, 4, 5], namespace: "")?.slots
            #expect(found == [11, 12, 13, 14])
        }
        do {
            let found = tree.match([2], namespace: "")?.slots
            #expect(found == nil)
        }
    }

    @Test func keepsItsOwnSlotsWhereAPrefixWasCached() {
        var tree = RadixTree()
        _ = tree.insert([1, 2], slots: [11, 12], namespace: "")
        let known = tree.insert([1, 2, 3], slots: [21, 22, 23], namespace: "").known
        let slots = tree.match([1, 2, 3], namespace: "")?.slots
        #expect(known == [11, 12])
        #expect(slots == [11, 12, 23])
        do {
            let count = tree.evictable
            #expect(count == 3)
        }
    }

    @Test func namespacesThatOnlyLookAlikeAreTwo() {
        var tree = RadixTree()
        _ = tree.insert([1, 2], slots: [11, 12], namespace: ClientName("caf\u{E9}"))
        let lookalike = tree.match([1, 2], namespace: ClientName("cafe\u{301}"))?.slots
        let own = tree.match([1, 2], namespace: ClientName("caf\u{E9}"))?.slots
        #expect(lookalike == nil && own == [11, 12])
    }

    @Test func separatesNamespaces() {
        var tree = RadixTree()
        _ = tree.insert([1, 2], slots: [11, 12], namespace: "a")
        do {
            let found = tree.match([1, 2], namespace: "b")?.slots
            #expect(found == nil)
        }
    }

    @Test func aHandleStaysValidWhenItsNodeIsSplit() throws {
        var tree = RadixTree()
        let long = tree.insert([1, 2, 3, 4], slots: [11, 12, 13, 14], namespace: "")
        tree.lock(long.node)
        let match = tree.match([1, 2], namespace: "")
        let short = try #require(match)
        tree.lock(short.node)
        do {
            let count = tree.protected
            #expect(count == 4)
        }
        tree.unlock(long.node)
        do {
            let counts = (tree.protected, tree.evictable)
            #expect(counts == (2, 2))
        }
        tree.unlock(short.node)
        do {
            let counts = (tree.protected, tree.evictable)
            #expect(counts == (0, 4))
        }
    }

    @Test func evictsTheLeastRecentlyUsedLeavesAndNothingLocked() {
        var tree = RadixTree()
        _ = tree.insert([1, 2], slots: [1, 2], namespace: "")
        _ = tree.insert([1, 3], slots: [1, 3], namespace: "")
        let locked = tree.insert([4, 5], slots: [4, 5], namespace: "")
        tree.lock(locked.node)
        _ = tree.match([1, 2], namespace: "")
        do {
            let found = tree.evict(1)
            #expect(found == [3])
        }
        let rest = Set(tree.evictAll())
        #expect(rest == [1, 2])
        do {
            let found = tree.match([4, 5], namespace: "")?.slots
            #expect(found == [4, 5])
        }
    }

    @Test func goesOnBelowANode() {
        var tree = RadixTree()
        let start = tree.insert([1, 2], slots: [11, 12], namespace: "").node
        tree.lock(start)
        _ = tree.insert([1, 2, 3], slots: [11, 12, 13], namespace: "")
        let known = tree.insert([3, 4], slots: [23, 24], after: start, namespace: "").known
        let slots = tree.match([1, 2, 3, 4], namespace: "")?.slots
        #expect(known == [13])
        #expect(slots == [11, 12, 13, 24])
    }

    @Test func evictsNoMoreOfTheLastLeafThanIsNeeded() {
        var tree = RadixTree(pageSize: 2)
        _ = tree.insert([1, 2, 3, 4, 5, 6], slots: [2, 3, 4, 5, 6, 7], namespace: "")
        let freed = tree.evict(1)
        let rest = tree.match([1, 2, 3, 4, 5, 6], namespace: "")?.slots
        let evictable = tree.evictable
        #expect(freed == [6, 7])
        #expect(rest == [2, 3, 4, 5])
        #expect(evictable == 4)
    }

    @Test func aLeafThatWasUsedAgainIsEvictedLater() {
        var tree = RadixTree()
        _ = tree.insert([1], slots: [1], namespace: "")
        let second = tree.insert([2], slots: [2], namespace: "").node
        _ = tree.insert([3], slots: [3], namespace: "")
        tree.lock(second)
        _ = tree.match([1], namespace: "")
        let first = tree.evict(1)
        tree.unlock(second)
        let rest = tree.evict(2)
        #expect(first == [3])
        #expect(rest == [1, 2])
    }

    @Test func whatItsProbeFindsItsMatchFinds() {
        var tree = RadixTree(pageSize: 2)
        let node = tree.insert([1, 2, 3, 4], slots: [2, 3, 4, 5], namespace: "").node
        _ = tree.insert([1, 2, 9, 9], slots: [2, 3, 6, 7], namespace: "")
        tree.lock(node)
        let version = tree.version
        let probe = tree.probe([1, 2, 9, 9, 7], namespace: "")
        let untouched = tree.version
        let match = tree.match([1, 2, 9, 9, 7], namespace: "")?.slots
        #expect((probe.length, probe.unlocked, probe.path.count) == (4, 2, 3))
        #expect(match == [2, 3, 6, 7])
        #expect(version == untouched)
    }

    @Test func edgesPartAtPages() {
        var tree = RadixTree(pageSize: 4)
        _ = tree.insert([1, 2, 3, 4], slots: [4, 5, 6, 7], namespace: "")
        _ = tree.insert([1, 2, 3, 9], slots: [8, 9, 10, 11], namespace: "")
        let first = tree.match([1, 2, 3, 4, 5], namespace: "")?.slots
        let second = tree.match([1, 2, 3, 9], namespace: "")?.slots
        let none = tree.match([1, 2, 3], namespace: "")?.slots
        #expect(first == [4, 5, 6, 7])
        #expect(second == [8, 9, 10, 11])
        #expect(none == nil)
    }

    @Test func anEmptiedNamespaceCanBeFilledAgain() {
        var tree = RadixTree()
        _ = tree.insert([1], slots: [1], namespace: "salt")
        let freed = tree.evictAll()
        _ = tree.insert([1], slots: [2], namespace: "salt")
        let found = tree.match([1], namespace: "salt")?.slots
        #expect(freed == [1])
        #expect(found == [2])
    }
}
