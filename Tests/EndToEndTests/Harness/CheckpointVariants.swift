import Foundation
import JSON
import TestSupport

/// Checkpoints like a fixture's, in a folder that goes with its owner: other numbers in the same shapes, or broken ones.
final class CheckpointVariants {
    private let folder = TemporaryFolder()
    private let origin: String

    init(of fixture: String) { origin = Fixtures.path(fixture) }

    /// What a broken one suffers from.
    enum Damage: CaseIterable {
        case cutFile, noWeights, badConfig, otherShape
    }

    /// A copy in which the numbers of some tensors have the other sign.
    func negating(_ part: String) throws -> String {
        let copy = try copy("negated-" + part.replacing(".", with: "-"))
        try edit(copy + "/model.safetensors") { bytes, header, start in
            for (name, tensor) in header.objectValue ?? [:] where name.contains(part) {
                guard let from = tensor["data_offsets"]?[0]?.intValue, let end = tensor["data_offsets"]?[1]?.intValue
                else { continue }
                for index in stride(from: start + from + 1, to: start + end, by: 2) { bytes[index] ^= 0x80 }
            }
        }
        return copy
    }

    /// A copy that no server may take.
    func broken(_ damage: Damage) throws -> String {
        let copy = try copy("broken-\(damage)")
        let weights = copy + "/model.safetensors"
        switch damage {
        case .cutFile: try FileHandle(forWritingTo: URL(fileURLWithPath: weights)).truncate(atOffset: 5000)
        case .noWeights: try FileManager.default.removeItem(atPath: weights)
        case .badConfig: try Data("{".utf8).write(to: URL(fileURLWithPath: copy + "/config.json"))
        case .otherShape:
            // The same bytes as fewer, wider rows.
            try edit(weights) { bytes, header, _ in
                let shape = JSON.encodeToString(header["model.norm.weight"]?["shape"] ?? .null)
                guard let place = String(decoding: bytes.prefix(100_000), as: UTF8.self).range(of: shape) else {
                    return
                }
                let offset = String(decoding: bytes.prefix(100_000), as: UTF8.self)[..<place.lowerBound].utf8.count
                bytes[offset + 1] = bytes[offset + 1] == UInt8(ascii: "9") ? UInt8(ascii: "8") : bytes[offset + 1] + 1
            }
        }
        return copy
    }

    private func copy(_ name: String) throws -> String {
        let path = folder.path + "/" + name
        try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.copyItem(atPath: origin, toPath: path)
        return path
    }

    private func edit(_ file: String, _ change: (inout [UInt8], JSONValue, Int) -> Void) throws {
        let url = URL(fileURLWithPath: file)
        var bytes = Array(try Data(contentsOf: url))
        let length = Int(bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })
        let header = try JSON.parse(Array(bytes[8..<8 + length]))
        change(&bytes, header, 8 + length)
        try Data(bytes).write(to: url)
    }
}
