import Foundation
import Models
import Tensors
import TestSupport
import Testing
import Values

/// The head of bge-m3 that gives a weight for each token of a text.
@Suite struct SparseTests {
    private static let settings = TaskSettings(sparseHead: "sparse_linear.pt")

    private struct Golden: Decodable { let texts: [EncoderFixture.Text] }

    private func texts() throws -> [EncoderFixture.Text] {
        let file = URL(fileURLWithPath: Fixture.folder + "/xlmr-cls/sparse.golden.json")
        return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file)).texts
    }

    /// The largest number that each token has in an answer of one number a row.
    private func largest(_ answer: [Float], _ text: EncoderFixture.Text, without silent: [Int32]) -> [Int32: Float] {
        var found: [Int32: Float] = [:]
        for (token, number) in zip(text.ids, answer) where !silent.contains(token) && number > 0 {
            found[token] = max(found[token] ?? 0, number)
        }
        return found
    }

    @Test(arguments: [(DType.float32, Float(1e-4)), (.bfloat16, 0.05)])
    func agreesWithTheReferenceAloneAndInABatch(_ dtype: DType, _ bound: Float) throws {
        let model = try EncoderFixture(name: "xlmr-cls").load(dtype: dtype, task: Self.settings)
        let task = model.task
        #expect(task.isSparse && !task.normalizes && task.wholePrompts && task.silentTokens == [0, 1, 2])
        #expect(task.width == model.config.derivedContextLength)
        let texts = try texts()
        for (text, together) in zip(texts, model.answers(texts)) {
            let alone = model.answers([text])[0]
            #expect(alone.map(\.bitPattern) == together.map(\.bitPattern))
            #expect(alone[text.ids.count...].allSatisfy { $0 == 0 }, "nothing behind the text")
            let found = largest(alone, text, without: task.silentTokens)
            if dtype == .float32 { #expect(found.keys.sorted() == text.tokens) }
            for (token, number) in zip(text.tokens!, text.answer) {
                #expect(abs((found[token] ?? 0) - number) < bound, "token \(token)")
            }
        }
    }

    @Test func twoRanksGiveTheSameNumbers() throws {
        let path = Fixture.folder + "/xlmr-cls"
        let limits = EncoderFixture.limits(try ModelConfig.load(modelPath: path))
        let two = try RankGroup(
            path, size: 2, dtype: .float32, isa: .avx512bf16, limits: limits, task: Self.settings)
        let one = try EncoderFixture(name: "xlmr-cls").load(task: Self.settings)
        let texts = try texts()
        for (a, b) in zip(one.answers(texts), two.answers(texts)) { #expect(distance(a, b) < 1e-5) }
    }

    @Test func whatHasNoSuchHeadSaysSo() throws {
        for (name, file, complaint) in [
            ("bert-mean", "sparse_linear.pt", "BertModel"), ("xlmr-cls", "none.pt", "none.pt: No such file"),
            ("xlmr-cls", "../xlmr-cls/sparse_linear.pt", "is no name of a file"),
            ("xlmr-cls", "config.json", "config.json"),
        ] {
            let error = #expect(throws: CheckpointError.self, "\(name)") {
                try EncoderFixture(name: name).load(task: TaskSettings(sparseHead: file))
            }
            #expect(error?.description.contains(complaint) == true, "\(error?.description ?? "no error")")
        }
    }

    /// Weights that come later bring a head of their own.
    @Test func otherWeightsHaveAnotherHead() throws {
        let folder = TemporaryFolder()
        let path = try folder.copy(Fixture(name: "xlmr-cls"))
        let model = try EncoderFixture(name: "xlmr-cls").load(task: Self.settings)
        let source = ModelSource(path, config: model.config, dtype: .float32, task: Self.settings)
        let texts = try texts()
        let before = model.answers(texts)
        // The numbers of the file begin at byte 768: another sign for the first two.
        var bytes = fileBytes(path + "/sparse_linear.pt")
        for byte in [769, 771] { bytes[byte] ^= 0x80 }
        folder.write("xlmr-cls/sparse_linear.pt", bytes)
        try model.exchangeWeights(try prepareWeights(source, threads: 1))
        #expect(model.answers(texts) != before)
        #expect(try model.weight(named: "sparse_linear.weight", rows: 1)?.shape == [1, 48])
    }

    /// A file by `torch.save`, cut short or filled with nonsense.
    @Test func brokenFilesAreNamed() throws {
        let folder = TemporaryFolder()
        let path = try folder.copy(Fixture(name: "xlmr-cls"))
        let config = try ModelConfig.load(modelPath: path)
        let source = ModelSource(path, config: config, dtype: .float32, task: Self.settings)
        let whole = fileBytes(path + "/sparse_linear.pt")
        func complaint(_ bytes: [UInt8]) -> String? {
            folder.write("xlmr-cls/sparse_linear.pt", bytes)
            do throws(CheckpointError) {
                _ = try ModelSizes(source)
                return nil
            } catch { return error.description }
        }
        #expect(complaint(whole) == nil)
        for length in stride(from: 0, to: whole.count, by: 9) {
            #expect(complaint(Array(whole[..<length]))?.contains("sparse_linear.pt") == true, "\(length) bytes")
        }
        var random = SplitMix64(seed: 5)
        var refused = 0
        for _ in 0..<300 {
            var bytes = whole
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if complaint(bytes) != nil { refused += 1 }
        }
        #expect(refused > 50)
        // A call of something else than a tensor's maker.
        let text = String(decoding: whole, as: Unicode.ASCII.self)
        let place = try #require(text.range(of: "_rebuild_tensor_v2"))
        var bytes = whole
        let first = text.distance(from: text.startIndex, to: place.lowerBound)
        bytes.replaceSubrange(first..<first + 18, with: Array("_rebuild_anything_".utf8))
        #expect(complaint(bytes)?.contains("_rebuild_anything_") == true)
    }
}
