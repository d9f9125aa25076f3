import JSON
import Testing

@Suite struct JSONDecodingTests {
    private struct Sampling: Decodable, Equatable {
        var temperature: Double?
        var stop: [String]?
    }

    private struct Message: Decodable, Equatable {
        var role: String
        var content: JSONValue
    }

    private struct Request: Decodable, Equatable {
        var model: String
        var messages: [Message]
        var ids: [Int32]?
        var n: UInt8?
        var flag: Bool?
        var sampling_params: Sampling?
    }

    private func decode(_ text: String) throws(JSONError) -> Request {
        try JSON.decode(Request.self, from: Array(text.utf8))
    }

    @Test func fillsTypes() throws {
        let request = try decode(
            #"{"model":"m","messages":[{"role":"user","content":[{"type":"text"}]}],"ids":[1,2.0,3],"n":2,"flag":true,"sampling_params":{"temperature":1,"stop":null},"other":1}"#
        )
        #expect(
            request
                == Request(
                    model: "m", messages: [Message(role: "user", content: [["type": "text"]])], ids: [1, 2, 3], n: 2,
                    flag: true,
                    sampling_params: Sampling(temperature: 1, stop: nil)))
    }

    @Test(arguments: [
        ("[]", "expected object, got array"),
        (#"{"messages":[]}"#, "model: required field is missing"),
        (#"{"model":null,"messages":[]}"#, "model: expected string, got null"),
        (#"{"model":"m","messages":{}}"#, "messages: expected array, got object"),
        (
            #"{"model":"m","messages":[{"role":"a","content":1},{"role":7}]}"#,
            "messages[1].role: expected string, got integer"
        ),
        (#"{"model":"m","messages":[{"role":"a"}]}"#, "messages[0].content: required field is missing"),
        (
            #"{"model":"m","messages":[],"sampling_params":{"temperature":"hot"}}"#,
            "sampling_params.temperature: expected number, got string"
        ),
        (
            #"{"model":"m","messages":[],"sampling_params":{"stop":["a",1]}}"#,
            "sampling_params.stop[1]: expected string, got integer"
        ),
        (#"{"model":"m","messages":[],"ids":[1,"2"]}"#, "ids[1]: expected integer, got string"),
        (#"{"model":"m","messages":[],"ids":[1.5]}"#, "ids[0]: expected integer, got number"),
        (#"{"model":"m","messages":[],"ids":[2147483648]}"#, "ids[0]: integer out of range -2147483648...2147483647"),
        (#"{"model":"m","messages":[],"n":256}"#, "n: integer out of range 0...255"),
        (#"{"model":"m","messages":[],"n":true}"#, "n: expected integer, got boolean"),
        (#"{"model":"m","messages":[],"flag":1}"#, "flag: expected boolean, got integer"),
    ])
    func errorsNameTheField(_ text: String, _ message: String) {
        #expect(throws: JSONError.self) { try decode(text) }
        do throws(JSONError) { _ = try decode(text) } catch { #expect(error.description == message) }
    }

    @Test func handWrittenDecodersKeepTheirPath() {
        struct Even: Decodable {
            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if try container.decode(Int.self) % 2 != 0 {
                    throw DecodingError.dataCorruptedError(in: container, debugDescription: "odd")
                }
            }
        }
        #expect(throws: JSONError.mismatch(path: "[1]", reason: "odd")) {
            try JSON.decode([Even].self, from: Array("[2,3]".utf8))
        }
    }

    @Test func dictionariesAndNestedContainersWork() throws {
        #expect(try JSON.decode([String: [Int]].self, from: Array(#"{"a":[1],"b":[]}"#.utf8)) == ["a": [1], "b": []])
        #expect(try JSON.decode([Double?].self, from: Array("[1,null,2.5]".utf8)) == [1, nil, 2.5])
    }
}
