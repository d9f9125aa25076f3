import Foundation
import JSON
import Models
import TestSupport
import Testing
import Values

@Suite struct DequantizeTests {
    /// The goldens that `make_dequant_goldens.py` has made with gguf-py.
    struct Golden: Sendable, CustomTestStringConvertible {
        var type: String
        var number: UInt32
        var elements: Int
        var blocks: [UInt8]
        var values: [Float]
        var testDescription: String { type }

        static let all: [Golden] = {
            let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
            let data = fileBytes(folder + "/dequant_goldens.bin")
            guard let index = try? JSON.parse(fileBytes(folder + "/dequant_goldens.json")).arrayValue else { return [] }
            func slice(_ entry: JSONValue, _ key: String) -> [UInt8] {
                let start = entry[key]![0]!.intValue!
                return Array(data[start..<start + entry[key]![1]!.intValue!])
            }
            return index.map { entry in
                let values = slice(entry, "values").withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
                return Golden(
                    type: entry["type"]!.stringValue!, number: UInt32(entry["number"]!.intValue!),
                    elements: entry["elements"]!.intValue!, blocks: slice(entry, "blocks"), values: values)
            }
        }()

        /// A GGUF file with the blocks as tensor `t` of this shape.
        func open(in folder: TemporaryFolder, shape: [Int]) throws -> any Checkpoint {
            var writer = GGUFWriter()
            writer.set("general.architecture", .string("qwen2"))
            writer.tensors.append(GGUFWriter.Tensor(name: "t", shape: shape, type: number, data: blocks))
            return try openCheckpoint(folder.write("t.gguf", writer.bytes), .auto)
        }
    }

    @Test func hasGoldensOfEveryQuantisation() {
        #expect(
            Golden.all.map(\.type) == [
                "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K", "Q2_K", "Q3_K", "IQ4_NL", "IQ4_XS",
                "MXFP4",
            ])
    }

    @Test(arguments: Golden.all) func equalsTheReferenceBitForBit(_ golden: Golden) throws {
        let folder = TemporaryFolder()
        let checkpoint = try golden.open(in: folder, shape: [golden.elements])
        #expect(try read(checkpoint, "t").map(\.bitPattern) == golden.values.map(\.bitPattern))
    }

    @Test(arguments: Golden.all) func readsRowsAsPartsOfTheWhole(_ golden: Golden) throws {
        let folder = TemporaryFolder()
        let checkpoint = try golden.open(in: folder, shape: [3, golden.elements / 3])
        let width = golden.elements / 3
        for rows in [0..<1, 1..<3, 2..<3, 1..<1, 0..<3] {
            let expected = golden.values[rows.lowerBound * width..<rows.upperBound * width]
            #expect(try read(checkpoint, "t", rows: rows).map(\.bitPattern) == expected.map(\.bitPattern))
        }
    }

    @Test(arguments: Golden.all) func readsPiecesThatCutBlocks(_ golden: Golden) throws {
        let folder = TemporaryFolder()
        let checkpoint = try golden.open(in: folder, shape: [golden.elements])
        for piece in [0..<1, 5..<40, 31..<33, 250..<600, golden.elements - 7..<golden.elements] {
            #expect(try read(checkpoint, "t", rows: piece).map(\.bitPattern) == golden.values[piece].map(\.bitPattern))
        }
    }

    @Test func convertsEveryHalfExactly() throws {
        let halves = (0...UInt16.max).map { $0 }
        let values = try readPlain("F16", littleEndian(all: halves), count: halves.count)
        for (half, value) in zip(halves, values) {
            let expected = Float(Float16(bitPattern: half))
            #expect(
                value.bitPattern == expected.bitPattern || value.isNaN && expected.isNaN && value.sign == expected.sign)
        }
    }

    @Test func convertsEveryBFloat16Exactly() throws {
        let all = (0...UInt16.max).map { $0 }
        let values = try readPlain("BF16", littleEndian(all: all), count: all.count)
        #expect(values.map(\.bitPattern) == all.map { UInt32($0) << 16 })
    }

    @Test func convertsEveryFloat8Exactly() throws {
        let all = (0...UInt8.max).map { $0 }
        let wide = try readPlain("F8_E5M2", all, count: 256)
        let fine = try readPlain("F8_E4M3", all, count: 256)
        for code in 0..<256 {
            let sign: Float = code & 0x80 == 0 ? 1 : -1
            let (exponent, fraction) = ((code >> 3) & 15, Float(code & 7))
            let step = Float(sign: .plus, exponent: max(exponent, 1) - 10, significand: 1)
            let magnitude = (exponent == 0 ? fraction : fraction + 8) * step
            if code & 0x7F == 0x7F {
                #expect(fine[code].isNaN)
            } else {
                #expect(fine[code] == sign * magnitude && fine[code].sign == (sign * magnitude).sign)
            }
            let half = Float(Float16(bitPattern: UInt16(code) << 8))
            #expect(wide[code] == half || wide[code].isNaN && half.isNaN)
        }
    }

    @Test func roundsDoublesOnce() throws {
        let doubles = [0.1, -1e300, 1e-300, .infinity, 16_777_217, -0.0]
        #expect(try readPlain("F64", littleEndian(all: doubles), count: 6) == doubles.map { Float($0) })
    }

    /// Reads numbers of a plain type that begin at an odd byte of the file.
    private func readPlain(_ dtype: String, _ data: [UInt8], count: Int) throws -> [Float] {
        let folder = TemporaryFolder()
        var writer = SafetensorsWriter()
        writer.add("odd", "U8", [1], [0])
        writer.add("t", dtype, [count], data)
        return try read(openCheckpoint(folder.write("model.safetensors", writer.bytes), .auto), "t")
    }
}
