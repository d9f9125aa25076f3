import Foundation
import Launcher
import TestSupport
import Testing
import Values

@Suite struct KernelRatesFileTests {
    private static let levels: [KernelISA] = [.avx2, .avx512]
    private static let origin = KernelRatesFile.Origin(processor: "EPYC", boot: "1234", build: "0.1.0")
    private static let rates = KernelRates(
        ProductKind.allCases.flatMap { kind in
            levels.enumerated().map { KernelRates.Figure(kind: kind, level: $1, rate: Double($0) * 10.5 + 1) }
        })

    @Test func figuresAreReadAsTheyWereWritten() throws {
        let folder = TemporaryFolder()
        let file = KernelRatesFile(folder: folder.path + "/srt/weights", origin: Self.origin)
        #expect(file.read(Self.levels) == nil)
        file.write(Self.rates)
        #expect(file.read(Self.levels) == Self.rates)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/srt/weights").count == 1)
    }

    @Test func figuresOfAnotherOriginOrOtherRungsAreNotUsed() {
        let folder = TemporaryFolder()
        KernelRatesFile(folder: folder.path, origin: Self.origin).write(Self.rates)
        for origin in [
            KernelRatesFile.Origin(processor: "Xeon", boot: "1234", build: "0.1.0"),
            KernelRatesFile.Origin(processor: "EPYC", boot: "1235", build: "0.1.0"),
            KernelRatesFile.Origin(processor: "EPYC", boot: "1234", build: "0.1.1"),
        ] {
            #expect(KernelRatesFile(folder: folder.path, origin: origin).read(Self.levels) == nil)
        }
        let file = KernelRatesFile(folder: folder.path, origin: Self.origin)
        #expect(file.read([.avx2, .avx512, .avx512bf16]) == nil)
        #expect(file.read([.avx2]) == nil)
    }

    @Test func aDamagedFileIsAsGoodAsNone() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/kernel-rates.json"
        let file = KernelRatesFile(folder: folder.path, origin: Self.origin)
        file.write(Self.rates)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        for count in 0..<whole.count {
            try whole.prefix(count).write(to: URL(fileURLWithPath: path))
            #expect(file.read(Self.levels) == nil, "cut at \(count)")
        }
        for nonsense in [
            "", "null", "[]", "{}", "\u{0}", #"{"origin":1,"rates":2}"#, String(repeating: "[", count: 70000),
        ] {
            try Data(nonsense.utf8).write(to: URL(fileURLWithPath: path))
            #expect(file.read(Self.levels) == nil)
        }
        // A later measurement replaces it.
        file.write(Self.rates)
        #expect(file.read(Self.levels) == Self.rates)
    }

    @Test func aPlaceThatCannotBeWrittenIsNoFault() throws {
        let folder = TemporaryFolder()
        try Data("a file".utf8).write(to: URL(fileURLWithPath: folder.path + "/weights"))
        let file = KernelRatesFile(folder: folder.path + "/weights", origin: Self.origin)
        file.write(Self.rates)
        #expect(file.read(Self.levels) == nil)
    }

    @Test func thisMachineIsRecognisedAgain() {
        #expect(KernelRatesFile.Origin.current() != nil)
        #expect(KernelRatesFile.Origin.current() == KernelRatesFile.Origin.current())
    }
}
