import KVCache
import Testing

@Suite struct RadixTreeTests {
    @Test func findsTheLongestCachedPrefix() {
        var tree = RadixTree()
        _ = tree.insert([1, 2, 3, 4], slots: [11, 12, 13, 14], namespace: "")
        do {
            let found = tree.match([1, 2, 3, 9], namespace: "").slots
            #expect(found == [11, 12, 13])
        }
        do {
            let found = tree.match([1, 2, 3, 4, 5], namespace: "").slots
            #expect(found == [11, 12, 13, 14])
        }
        do {
            let found = tree.match([2], namespace: "").slots
            #expect(found == [])
        }
    }

    @Test func keepsItsOwnSlotsWhereAPrefixWasCached() {
        var tree = RadixTree()
        _ = tree.insert([1, 2], slots: [11, 12], namespace: "")
        let (match, cached) = tree.insert([1, 2, 3], slots: [21, 22, 23], namespace: "")
        #expect(cached == 2)
        #expect(match.slots == [11, 12, 23])
        do {
            let count = tree.evictable
            #expect(count == 3)
        }
    }

    @Test func separatesNamespaces() {
        var tree = RadixTree()
        _ = tree.insert([1, 2], slots: [11, 12], namespace: "a")
        do {
            let found = tree.match([1, 2], namespace: "b").slots
            #expect(found == [])
        }
    }

    @Test func aHandleStaysValidWhenItsNodeIsSplit() {
        var tree = RadixTree()
        let long = tree.insert([1, 2, 3, 4], slots: [11, 12, 13, 14], namespace: "").match
        tree.lock(long.node)
        let short = tree.match([1, 2], namespace: "")
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
        let locked = tree.insert([4, 5], slots: [4, 5], namespace: "").match
        tree.lock(locked.node)
        _ = tree.match([1, 2], namespace: "")
        do {
            let found = tree.evict(1)
            #expect(found == [3])
        }
        let rest = Set(tree.evictAll())
        #expect(rest == [1, 2])
        do {
            let found = tree.match([4, 5], namespace: "").slots
            #expect(found == [4, 5])
        }
    }
}
