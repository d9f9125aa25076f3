import Foundation
import Testing
import Values

/// Reading of small files.
@Suite struct SmallFileTests {
    @Test func readsMoreThanOneChunkAndFilesWithoutASize() throws {
        let path = FileManager.default.temporaryDirectory.path + "/small-file-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        #expect(try SmallFile.bytes(path) == bytes)
        #expect(try SmallFile.bytes(path, limit: 200_000, onlyRegular: true) == bytes)
        let tooLarge = #expect(throws: SmallFile.Fault.self) { try SmallFile.bytes(path, limit: 199_999) }
        #expect(tooLarge?.reason == "larger than 199999 bytes")
        #expect(SmallFile.text("/proc/self/status")?.hasPrefix("Name:") == true)
        #expect(SmallFile.firstLine("/proc/self/stat")?.isEmpty == false)
    }

    @Test func tellsWhatIsMissingFromWhatIsNoFile() throws {
        #expect(readWholeFile("/nowhere/at/all") == nil)
        let missing = #expect(throws: SmallFile.Fault.self) { try SmallFile.bytes("/nowhere/at/all") }
        #expect(missing?.isMissing == true && missing?.reason == "No such file or directory")
        let folder = #expect(throws: SmallFile.Fault.self) { try SmallFile.bytes("/", onlyRegular: true) }
        #expect(folder?.isMissing == false && folder?.reason == "not a regular file")
        #expect(readWholeFile("/") == nil)
    }

    @Test func theLimitHoldsForFilesWithoutASizeToo() {
        #expect(throws: SmallFile.Fault.self) { try SmallFile.bytes("/proc/self/status", limit: 10) }
    }
}
