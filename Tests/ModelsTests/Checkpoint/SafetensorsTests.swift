import Models
import TestSupport
import Testing
import Values

@Suite struct SafetensorsTests {
    private func sample() -> SafetensorsWriter {
        var writer = SafetensorsWriter()
        writer.add("model.a", [2, 3], [1, 2, 3, 4, 5, 6])
        writer.add("model.b", "BF16", [2], [0x80, 0x3F, 0x00, 0xC0])
        writer.add("scalar", "F16", [], [0x00, 0x3C])
        writer.add("none", "F32", [0, 4], [])
        writer.add("ids", "I64", [1], [7, 0, 0, 0, 0, 0, 0, 0])
        return writer
    }

    @Test func readsNamesShapesAndRows() throws {
        let folder = TemporaryFolder()
        folder.write("model.safetensors", sample().bytes)
        let checkpoint = try openCheckpoint(folder.path, .auto)
        #expect(checkpoint.tensors.count == 5)
        #expect(checkpoint.tensors["model.a"]?.shape == [2, 3])
        #expect(checkpoint.tensors["model.b"]?.type == .bfloat16)
        #expect(try read(checkpoint, "model.a") == [1, 2, 3, 4, 5, 6])
        #expect(try read(checkpoint, "model.a", rows: 1..<2) == [4, 5, 6])
        #expect(try read(checkpoint, "model.b") == [1, -2])
        #expect(try read(checkpoint, "scalar") == [1])
        #expect(try read(checkpoint, "none") == [])
    }

    @Test func acceptsMetadataAndTrailingSpaces() throws {
        let folder = TemporaryFolder()
        let header = #"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}   "#
        let file = folder.write("a.safetensors", SafetensorsWriter.file(header: header, data: littleEndian(Float(3))))
        #expect(try read(openCheckpoint(file, .safetensors), "a") == [3])
    }

    @Test func refusesRowsOutsideUnknownTensorsAndIntegers() throws {
        let folder = TemporaryFolder()
        let checkpoint = try openCheckpoint(folder.write("model.safetensors", sample().bytes), .auto)
        var value: Float = 0
        _ = checkpointError(naming: "model.a") { try checkpoint.readRows("model.a", rows: 1..<3, into: &value) }
        _ = checkpointError(naming: "nothing") { try checkpoint.readRows("nothing", rows: 0..<1, into: &value) }
        _ = checkpointError(naming: "ids") { try checkpoint.readRows("ids", rows: 0..<1, into: &value) }
    }

    @Test func recognisesEveryDType() throws {
        let sizes = [
            "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
            "F8_E4M3": 1, "F8_E5M2": 1,
        ]
        var writer = SafetensorsWriter()
        for (dtype, size) in sizes { writer.add(dtype, dtype, [3], [UInt8](repeating: 0, count: 3 * size)) }
        let folder = TemporaryFolder()
        let checkpoint = try openCheckpoint(folder.write("model.safetensors", writer.bytes), .auto)
        for dtype in sizes.keys { #expect(checkpoint.tensors[dtype]?.type.rawValue == dtype) }
    }

    @Test func refusesAFileCutAtAnyLength() throws {
        let folder = TemporaryFolder()
        let whole = sample().bytes
        for length in 0..<whole.count {
            let file = folder.write("cut.safetensors", Array(whole.prefix(length)))
            _ = checkpointError(naming: "cut.safetensors") { _ = try openCheckpoint(file, .auto) }
        }
    }

    @Test(arguments: 0..<8) func survivesFlippedBits(seed: UInt64) throws {
        let folder = TemporaryFolder()
        let whole = sample().bytes
        var generator = SplitMix64(seed: seed)
        for _ in 0..<150 {
            var damaged = whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                damaged[Int.random(in: 0..<whole.count, using: &generator)] ^=
                    1 << UInt8.random(in: 0..<8, using: &generator)
            }
            _ = try openDamaged(folder.write("flipped.safetensors", damaged))
        }
    }

    @Test(arguments: [
        #"[]"#, #"null"#, #"{"a":1}"#, #"{"a":{}}"#,
        #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":"x","data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#,
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[9223372036854775804,9223372036854775808]}}"#,
        #"{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"F32","shape":[0,4294967296,4294967296,4294967296],"data_offsets":[0,0]}}"#,
        #"{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}"#,
        #"{"a":{"shape":[1],"data_offsets":[0,4]}}"#,
        #"{"a":{"dtype":"Q9","shape":[32],"data_offsets":[0,18]}}"#,
        #"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#,
        #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#,
        #"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#,
        #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#,
        #"{"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]}}"#,
        #"{"a\nb":{"dtype":"U8","shape":[5],"data_offsets":[0,5]}}"#,
    ]) func refusesHostileHeaders(_ header: String) {
        let folder = TemporaryFolder()
        let file = folder.write("hostile.safetensors", SafetensorsWriter.file(header: header, data: [0, 0, 0, 0]))
        _ = checkpointError(naming: "hostile.safetensors") { _ = try openCheckpoint(file, .auto) }
    }

    @Test(arguments: [UInt64.max, 1 << 63, 100_000_001, 1 << 40, 100]) func refusesALyingHeaderLength(_ length: UInt64)
    {
        let folder = TemporaryFolder()
        let file = folder.write("lying.safetensors", littleEndian(length) + Array("{}".utf8))
        _ = checkpointError(naming: "lying.safetensors") { _ = try openCheckpoint(file, .auto) }
    }

    @Test func joinsTheShardsOfAnIndexAndNothingElse() throws {
        let folder = TemporaryFolder()
        for (name, value) in [("one", Float(1)), ("two", 2), ("stray", 3)] {
            var writer = SafetensorsWriter()
            writer.add(name, [1], [value])
            folder.write("\(name).safetensors", writer.bytes)
        }
        let index = #"{"metadata":{},"weight_map":{"one":"one.safetensors","two":"two.safetensors"}}"#
        folder.write("model.safetensors.index.json", text: index)
        let checkpoint = try openCheckpoint(folder.path, .auto)
        #expect(Set(checkpoint.tensors.keys) == ["one", "two"])
        #expect(try read(checkpoint, "two") == [2])
        #expect(checkpoint.identity.files.count == 2)
    }

    @Test(arguments: [
        #"{"weight_map":{"one":"one.safetensors","two":"gone.safetensors"}}"#,
        #"{"weight_map":{"one":"../one.safetensors"}}"#,
        #"{"weight_map":{"one":""}}"#,
        #"{"weight_map":{"one":7}}"#,
        #"{"weight_map":[]}"#,
        #"{}"#,
        #"{"weight_map":"#,
    ]) func refusesBadIndexes(_ index: String) {
        let folder = TemporaryFolder()
        var writer = SafetensorsWriter()
        writer.add("one", [1], [1])
        folder.write("one.safetensors", writer.bytes)
        folder.write("model.safetensors.index.json", text: index)
        _ = checkpointError(naming: "model.safetensors.index.json") { _ = try openCheckpoint(folder.path, .auto) }
    }

    @Test func namesTheMissingShards() {
        let folder = TemporaryFolder()
        folder.write("model.safetensors.index.json", text: #"{"weight_map":{"x":"b.safetensors","y":"a.safetensors"}}"#)
        let error = checkpointError { _ = try openCheckpoint(folder.path, .auto) }
        let index = folder.path + "/model.safetensors.index.json"
        #expect(error == .missingShards(index: index, names: ["a.safetensors", "b.safetensors"]))
        #expect(error?.description.contains("references 2 shard file(s) missing from") == true)
    }

    @Test func prefersTheHuggingFaceNamesOfMistralFolders() throws {
        let folder = TemporaryFolder()
        for name in ["consolidated", "model"] {
            var writer = SafetensorsWriter()
            writer.add(name, [1], [1])
            folder.write("\(name).safetensors", writer.bytes)
        }
        #expect(try Set(openCheckpoint(folder.path, .auto).tensors.keys) == ["model"])
    }

    @Test func refusesATensorInTwoFiles() {
        let folder = TemporaryFolder()
        var writer = SafetensorsWriter()
        writer.add("same", [1], [1])
        folder.write("a.safetensors", writer.bytes)
        folder.write("b.safetensors", writer.bytes)
        _ = checkpointError(naming: "same") { _ = try openCheckpoint(folder.path, .auto) }
    }

    @Test func saysWhatAFolderWithoutReadableWeightsLacks() {
        let folder = TemporaryFolder()
        let error = checkpointError { _ = try openCheckpoint(folder.path, .auto) }
        #expect(error?.description == "Cannot find any model weights with `\(folder.path)`")
        folder.write("optimizer.pt", [])
        #expect(checkpointError { _ = try openCheckpoint(folder.path, .auto) } == .noWeights(path: folder.path))
        folder.write("pytorch_model.bin", [])
        _ = checkpointError(naming: "pytorch_model.bin") { _ = try openCheckpoint(folder.path, .auto) }
        _ = checkpointError(naming: "no such file") { _ = try openCheckpoint(folder.path + "/absent", .auto) }
    }

    @Test func identityFollowsTheHeader() throws {
        let folder = TemporaryFolder()
        let first = try openCheckpoint(folder.write("model.safetensors", sample().bytes), .auto).identity
        #expect(try openCheckpoint(folder.path + "/model.safetensors", .auto).identity == first)
        var other = sample()
        other.add("more", [1], [1])
        let second = try openCheckpoint(folder.write("model.safetensors", other.bytes), .auto).identity
        #expect(second.headerHash != first.headerHash)
    }
}
