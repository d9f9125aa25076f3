import Dispatch
import Foundation
import Models
import Synchronization
import Tensors
import TestSupport
import Testing
import Values

@Suite struct PackedWeightsTests {
    private let sections = [
        PackedSection(name: "first", byteCount: 5000), PackedSection(name: "none", byteCount: 0),
        PackedSection(name: "last", byteCount: 64),
    ]

    private func key(_ change: (inout PackedWeightsKey) -> Void = { _ in }) throws -> PackedWeightsKey {
        let folder = TemporaryFolder()
        folder.write("config.json", text: "{}")
        var identity = try openCheckpoint(folder.path, .dummy).identity
        identity.files[0].path = "model"
        identity.files[0].inode = 1
        identity.files[0].modified = 1
        var key = PackedWeightsKey(
            checkpoint: identity, layoutVersion: 1, dtype: .bfloat16, rank: 0, size: 1, kinds: ["llama"])
        change(&key)
        return key
    }

    /// Opens the cache; the sections are filled with a pattern from `seed`.
    private func open(
        _ cache: PackedCache, seed: UInt8 = 1, key: PackedWeightsKey? = nil
    ) throws -> PackedWeights {
        try PackedWeights.open(key: key ?? self.key(), cache: cache, sections: sections) {
            (memory) throws(CheckpointError) in
            for index in 0..<5000 { memory["first"][index] = seed &+ UInt8(truncatingIfNeeded: index) }
            for index in 0..<64 { memory["last"][index] = seed &* 3 &+ UInt8(index) }
        }
    }

    private func check(_ packed: PackedWeights, seed: UInt8 = 1, at location: SourceLocation = #_sourceLocation) {
        let first = (0..<5000).map { seed &+ UInt8(truncatingIfNeeded: $0) }
        #expect(packed["first"].elementsEqual(first), sourceLocation: location)
        #expect(packed["last"].elementsEqual((0..<64).map { seed &* 3 &+ UInt8($0) }), sourceLocation: location)
        #expect(packed["none"].isEmpty, sourceLocation: location)
        #expect(UInt(bitPattern: packed["last"].baseAddress!) % 64 == 0, sourceLocation: location)
    }

    @Test func buildsOnceThenMaps() throws {
        let folder = TemporaryFolder()
        let cache = PackedCache(directory: folder.path + "/deep/cache")
        let built = try open(cache)
        #expect(built.origin == .built && built.note == nil)
        check(built)
        let mapped = try open(cache, seed: 9)
        #expect(mapped.origin == .mapped && mapped.note == nil)
        check(mapped)
        check(built)
    }

    @Test func leavesNothingButTheFileAndItsLock() throws {
        let folder = TemporaryFolder()
        let key = try key()
        _ = try open(PackedCache(directory: folder.path), key: key)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(names == [key.fileName, key.fileName + ".lock"])
    }

    @Test func everyFieldOfTheKeyMatters() throws {
        let changes: [(inout PackedWeightsKey) -> Void] = [
            { $0.layoutVersion = 2 }, { $0.dtype = .float16 }, { $0.rank = 1 }, { $0.size = 2 },
            { $0.kinds = ["qwen2"] },
            { $0.kinds = ["llama", ""] }, { $0.checkpoint.headerHash ^= 1 }, { $0.checkpoint.files[0].size += 1 },
            { $0.checkpoint.files[0].modified += 1 }, { $0.checkpoint.files[0].path += "x" },
            { $0.checkpoint.files = [] },
        ]
        let names = try [key()].map(\.fileName) + changes.map { try key($0).fileName }
        #expect(Set(names).count == changes.count + 1)
        #expect(try key().fileName == key().fileName)
    }

    @Test func everyFlippedBitOfTheFileIsFoundAndTheFileRebuilt() throws {
        let folder = TemporaryFolder()
        let key = try key()
        let cache = PackedCache(directory: folder.path)
        _ = try open(cache, key: key)
        let whole = fileBytes(folder.path + "/" + key.fileName)
        var generator = SplitMix64(seed: 3)
        var places =
            Array(stride(from: 0, to: 200, by: 3)) + [
                whole.count - 1, 4095, 4096, 4096 + 4999, 4096 + 5000, 4096 + 8191, 4096 + 8192,
            ]
        for _ in 0..<40 { places.append(Int.random(in: 0..<whole.count, using: &generator)) }
        for place in places {
            var damaged = whole
            damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            folder.write(key.fileName, damaged)
            let packed = try open(cache, seed: 7, key: key)
            #expect(packed.origin == .built, "byte \(place)")
            #expect(packed.note?.contains(key.fileName) == true)
            check(packed, seed: 7)
        }
        #expect(try open(cache, seed: 5, key: key).origin == .mapped)
    }

    @Test func aFileCutAnywhereIsRebuilt() throws {
        let folder = TemporaryFolder()
        let key = try key()
        let cache = PackedCache(directory: folder.path)
        _ = try open(cache, key: key)
        let whole = fileBytes(folder.path + "/" + key.fileName)
        for length in stride(from: 0, to: whole.count, by: 1021) {
            folder.write(key.fileName, Array(whole.prefix(length)))
            #expect(try open(cache, key: key).origin == .built, "\(length) bytes")
        }
        folder.write(key.fileName, whole + [0])
        #expect(try open(cache, key: key).origin == .built)
    }

    @Test func otherSectionsThanTheFileHasAreADamage() throws {
        let folder = TemporaryFolder()
        let key = try key()
        _ = try open(PackedCache(directory: folder.path), key: key)
        for other in [
            [PackedSection(name: "first", byteCount: 5000)], [],
            sections.map { PackedSection(name: $0.name + "x", byteCount: $0.byteCount) },
        ] {
            let packed = try PackedWeights.open(key: key, directory: folder.path, sections: other) {
                _ throws(CheckpointError) in
            }
            #expect(packed.origin == .built)
        }
    }

    @Test func aNoteSparesTheVerificationOnlyWhileTheFileIsUnchanged() throws {
        let folder = TemporaryFolder()
        let key = try key()
        let cache = PackedCache(directory: folder.path, settledAfter: 0)
        let (file, note) = (folder.path + "/" + key.fileName, folder.path + "/" + key.fileName + ".verified")
        _ = try open(cache, key: key)
        #expect(!FileManager.default.fileExists(atPath: note))
        #expect(try open(cache, key: key).origin == .mapped)
        #expect(FileManager.default.fileExists(atPath: note))
        #expect(try open(cache, key: key).origin == .mapped)
        var damaged = fileBytes(file)
        damaged[4096 + 17] ^= 1
        folder.write(key.fileName, damaged)
        // File times tick in milliseconds; another time makes sure that the change shows.
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: file)
        #expect(try open(cache, seed: 2, key: key).origin == .built)
    }

    @Test func aFreshFileIsNotVouchedFor() throws {
        let folder = TemporaryFolder()
        let key = try key()
        let cache = PackedCache(directory: folder.path, settledAfter: 1_000_000)
        _ = try open(cache, key: key)
        #expect(try open(cache, key: key).origin == .mapped)
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/" + key.fileName + ".verified"))
    }

    @Test func aFailureWhilePackingLeavesNoFile() throws {
        let folder = TemporaryFolder()
        let key = try key()
        let failure = CheckpointError.noWeights(path: "x")
        let error = checkpointError {
            _ = try PackedWeights.open(key: key, directory: folder.path, sections: sections) {
                _ throws(CheckpointError) in throw failure
            }
        }
        #expect(error == failure)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [key.fileName + ".lock"])
        #expect(try open(PackedCache(directory: folder.path), key: key).origin == .built)
    }

    @Test func aDraftOfADeadWriterIsOverwritten() throws {
        let folder = TemporaryFolder()
        let key = try key()
        folder.write(key.fileName + ".draft", [1, 2, 3])
        let packed = try open(PackedCache(directory: folder.path), key: key)
        #expect(packed.origin == .built)
        check(packed)
    }

    @Test func withoutAUsableFolderTheWeightsLiveInMemory() throws {
        let folder = TemporaryFolder()
        let blocked = folder.write("file", [0]) + "/cache"
        for directory in [nil, blocked, "/proc/nothing/here"] as [String?] {
            let packed = try open(PackedCache(directory: directory))
            #expect(packed.origin == .memory)
            // A cache that nobody wanted is no news.
            #expect(directory == nil ? packed.note == nil : packed.note?.contains("memory") == true)
            check(packed)
        }
    }

    @Test func writersWaitForEachOther() throws {
        let folder = TemporaryFolder()
        let key = try key()
        let fills = Atomic(0)
        let sections = sections
        let path = folder.path
        let origins = Mutex<[PackedWeights.Origin]>([])
        DispatchQueue.concurrentPerform(iterations: 6) { _ in
            let packed = try? PackedWeights.open(key: key, directory: path, sections: sections) {
                memory throws(CheckpointError) in
                fills.add(1, ordering: .relaxed)
                memory["first"][0] = 42
            }
            guard let packed, packed["first"][0] == 42 else { return }
            origins.withLock { $0.append(packed.origin) }
        }
        #expect(fills.load(ordering: .relaxed) == 1)
        #expect(origins.withLock { $0.filter { $0 == .mapped }.count } == 5)
    }

    @Test func aWriterThatTakesTooLongIsNotWaitedFor() throws {
        let folder = TemporaryFolder()
        let key = try key()
        let packed = try PackedWeights.open(key: key, directory: folder.path, sections: sections) {
            _ throws(CheckpointError) in
            let second = Result { try open(PackedCache(directory: folder.path, patience: 0), key: key) }
            #expect((try? second.get())?.origin == .memory)
        }
        #expect(packed.origin == .built)
    }

    @Test func refusesImpossibleSections() throws {
        let folder = TemporaryFolder()
        let same = PackedSection(name: "a", byteCount: 1)
        for sections in [
            [same, same], [PackedSection(name: "a", byteCount: -1)], [PackedSection(name: "a", byteCount: .max)],
        ] {
            let key = try key()
            _ = checkpointError(naming: "section") {
                _ = try PackedWeights.open(key: key, directory: folder.path, sections: sections) {
                    _ throws(CheckpointError) in
                }
            }
        }
    }
}

@Suite struct ChecksumTests {
    @Test func everyFlippedBitChangesTheSum() {
        var generator = SplitMix64(seed: 1)
        for count in [1, 7, 8, 63, 64, 65, 200] {
            var data = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let sum = data.withUnsafeBytes { checksum64($0) }
            for bit in 0..<count * 8 {
                data[bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(data.withUnsafeBytes { checksum64($0) } != sum)
                data[bit / 8] ^= 1 << UInt8(bit % 8)
            }
        }
    }

    @Test func lengthSeedAndOrderMatter() {
        func sum(_ data: [UInt8], seed: UInt64 = 0) -> UInt64 { data.withUnsafeBytes { checksum64($0, seed: seed) } }
        let zeros = (0..<200).map { sum([UInt8](repeating: 0, count: $0)) }
        #expect(Set(zeros).count == 200)
        #expect(sum([1, 2, 3]) != sum([1, 2, 3], seed: 1))
        let words = [UInt8](repeating: 1, count: 64) + [UInt8](repeating: 2, count: 64)
        #expect(sum(words) != sum(words.reversed()))
    }

    @Test func theValueIsFixedForEver() {
        let data = (0..<100).map { UInt8($0) }
        #expect(data.withUnsafeBytes { checksum64($0, seed: 7) } == Self.known)
    }

    private static let known: UInt64 = 13_613_637_246_241_757_495
}
