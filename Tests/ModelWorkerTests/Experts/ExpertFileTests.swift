import Foundation
import ModelWorker
import Models
import ServerSettings
import Testing

/// The files that records are written to. `check_torch_files.py` shows that `torch.load(weights_only=True)` reads the ones
/// beside it as what they are made of here.
@Suite struct ExpertFileTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path

    /// Two passes over two layers of three experts, of which a token takes two.
    private func record(
        _ mode: ServerSettings.ExpertRecorderMode, capacity: Int? = 3
    ) -> ExpertRecord {
        var input = ForwardInput()
        input.keepsEveryRow = true
        var recorder = ExpertRecorder(mode, ExpertTraits(layers: 2, count: 3, each: 2), capacity: capacity)
        recorder.start()
        let passes: [(ids: [Int32], length: Int, chosen: [Int32])] = [
            ([7, 8, 9], 3, [0, 1, 2, 1, 0, 1]), ([70_000], 4, [2, 0]),
        ]
        for (number, pass) in passes.enumerated() {
            input.tokens = pass.ids
            let first = pass.length - pass.ids.count
            input.positions = (first..<pass.length).map(Int32.init)
            input.sequences = [.init(rowStart: 0, rowCount: pass.ids.count, slotStart: 0, length: pass.length)]
            pass.chosen.withUnsafeBufferPointer { chosen in
                // The first layer has no experts.
                recorder.note(input, pass: UInt64(number + 1)) {
                    $0 == 0 ? UnsafeBufferPointer(start: nil, count: 0) : chosen
                }
            }
        }
        return recorder.dump()
    }

    @Test(arguments: [
        (ServerSettings.ExpertRecorderMode.stat, "stat.pt"), (.approximateStat, "stat.pt"), (.perPass, "per_pass.pt"),
        (.perToken, "per_token.pt"),
    ]) func theFileIsTheOneThatTorchReads(_ mode: ServerSettings.ExpertRecorderMode, _ name: String) throws {
        let expected = try #require(FileManager.default.contents(atPath: Self.folder + "/" + name))
        #expect(record(mode).torch.bytes == Array(expected))
    }

    @Test func theTableHoldsTheSame() {
        #expect(record(.stat).table == "layer,expert,count\n0,0,0\n0,1,0\n0,2,0\n1,0,3\n1,1,3\n1,2,2\n")
        #expect(
            record(.perPass).table
                == "forward_pass_id,layer,expert,count\n1,1,0,2\n1,1,1,3\n1,1,2,1\n2,1,0,1\n2,1,2,1\n")
        #expect(
            record(.perToken).table == """
                forward_pass_id,input_id,position,layer,expert_0,expert_1
                1,7,0,1,0,1
                1,8,1,1,2,1
                1,9,2,1,0,1
                2,70000,3,1,2,0

                """)
    }

    @Test func anEmptyRecordIsAFileToo() throws {
        var recorder = ExpertRecorder(.stat, ExpertTraits(layers: 1, count: 2, each: 1), capacity: nil)
        let record = recorder.dump()
        #expect(record.passes.isEmpty && record.torch.bytes != nil)
        #expect(record.table == "layer,expert,count\n0,0,0\n0,1,0\n")
    }
}
