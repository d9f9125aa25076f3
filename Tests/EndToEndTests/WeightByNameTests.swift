import Foundation
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// What the server says its weights are is what the checkpoint's file holds.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(2)), .server("llama-tied"))
    struct WeightByNameTests {
        /// The first numbers of a tensor of 16-bit floats, as the file has them.
        private func values(_ name: String, count: Int) throws -> [JSONValue] {
            let file = Fixtures.path("llama-tied") + "/model.safetensors"
            let bytes = Array(try #require(FileManager.default.contents(atPath: file)))
            let length = Int(bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })
            let header = try JSON.parse(Array(bytes[8..<8 + length]))
            try #require(header[name]?["dtype"] == "BF16")
            let start = 8 + length + (try #require(header[name]?["data_offsets"]?[0]?.intValue))
            return (0..<count).map { index in
                let (low, high) = (UInt32(bytes[start + 2 * index]), UInt32(bytes[start + 2 * index + 1]))
                return .double(Double(Float(bitPattern: (high << 8 | low) << 16)))
            }
        }

        private func ask(_ body: JSONValue) throws -> (status: Int, body: JSONValue) {
            let answer = try Server.shared.request("/get_weights_by_name", body)
            return (answer.status, try answer.json())
        }

        /// Numbers of any depth as floats, so that 1 and 1.0 are the same.
        private func flat(_ value: JSONValue) -> [Double] { (value.arrayValue ?? []).compactMap(\.doubleValue) }

        @Test func aVectorIsAListOfItsFirstNumbers() throws {
            let answer = try ask(["name": "model.norm.weight", "truncate_size": 5])
            #expect(answer.status == 200)
            #expect(flat(answer.body) == flat(.array(try values("model.norm.weight", count: 5))))
            #expect(flat(try ask(["name": "model.norm.weight"]).body).count == 80, "all of it, if it is short")
        }

        @Test func aMatrixIsAListOfItsFirstRows() throws {
            let name = "model.layers.0.self_attn.k_proj.weight"
            let rows = try ask(["name": .string(name), "truncate_size": 2]).body.arrayValue ?? []
            let expected = flat(.array(try values(name, count: 160)))
            #expect(rows.map { flat($0) } == [Array(expected[..<80]), Array(expected[80...])])
        }

        @Test func aNameThatNoWeightHasIsAnError() throws {
            let answer = try ask(["name": "nope"])
            #expect(answer.status == 400)
            #expect(answer.body == ["error": ["message": "Get parameter by name failed"]])
        }
    }
}
