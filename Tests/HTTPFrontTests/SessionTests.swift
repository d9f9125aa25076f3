import CDispatch
import Glibc
import HTTPFront
import JSON
import Messages
import Testing

/// Sessions of several fronts that share memory, one after the other and at a time.
@Suite struct SessionTests {
    /// Calls with a descriptor of fresh memory.
    private func withMemory(_ body: (Int32) async throws -> Void) async throws {
        var template = Array("/tmp/srtsessions.XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        unlink(template)
        defer { close(descriptor) }
        try await body(descriptor)
    }

    private func open(_ id: String, on front: LocalFront) async throws -> Int {
        try await front.post("/open_session", #"{"capacity_of_str_len":1000,"session_id":"\#(id)"}"#).status
    }

    /// Does a turn; the history that the front put in front of it, or nil when it was refused.
    private func turn(
        _ rid: String, of id: String, after parent: String? = nil, text: String = "ab", replace: Bool = false,
        on front: LocalFront
    ) async throws -> String? {
        let place = parent.map { #","rid":"\#($0)""# } ?? ""
        let answer = try await front.post(
            "/generate",
            #"{"text":"\#(text)","rid":"\#(rid)","session_params":{"id":"\#(id)"\#(place),"replace":\#(replace)}}"#)
        guard answer.status == 200 else { return nil }
        let sent = front.commands.compactMap { if case .generate(let generate)? = $0.command { generate } else { nil } }
        return String(decoding: (sent.last?.history ?? []).map { UInt8($0) }, as: UTF8.self)
    }

    @Test func aSessionGoesOnAtTheNextFront() async throws {
        try await withMemory { memory async throws in
            let first = LocalFront(sessions: memory)
            #expect(try await open("s", on: first) == 200)
            #expect(try await turn("t1", of: "s", on: first) == "")
            let second = LocalFront(generation: 2, sessions: memory)
            #expect(try await turn("t2", of: "s", after: "t1", text: "cd", on: second) == "abab")
            // The one before may still end a turn that was under way.
            #expect(try await turn("t3", of: "s", after: "t2", on: first) == "ababcdcd")
            #expect(try await turn("t4", of: "s", after: "t3", on: second) == "ababcdcdabab")
            #expect(try await open("s", on: second) == 400)
            #expect(try await first.post("/close_session", #"{"session_id":"s"}"#).status == 200)
            #expect(try await turn("t5", of: "s", on: second) == nil)
            #expect(try await open("s", on: second) == 200)
            #expect(try await turn("t6", of: "s", after: "t1", on: first) == nil, "it is another one")
        }
    }

    @Test func replacingATurnForgetsWhatFollowedIt() async throws {
        let front = LocalFront()
        #expect(try await open("s", on: front) == 200)
        _ = try await turn("a", of: "s", on: front)
        _ = try await turn("b", of: "s", after: "a", on: front)
        _ = try await turn("c", of: "s", after: "b", on: front)
        #expect(try await turn("d", of: "s", after: "a", replace: true, on: front) == "abab")
        for gone in ["b", "c"] { #expect(try await turn("x", of: "s", after: gone, on: front) == nil) }
        #expect(try await turn("e", of: "s", after: "d", on: front) == "abababab")
    }

    @Test func memoryThatHasGrownIsWrittenAnew() async throws {
        try await withMemory { memory async throws in
            let (first, second) = (LocalFront(sessions: memory), LocalFront(generation: 2, sessions: memory))
            let text = String(repeating: "x", count: 1_500_000)
            #expect(try await open("s", on: first) == 200)
            #expect(try await turn("kept", of: "s", on: first) == "")
            for _ in 0..<24 {
                // The same turn again: only the last one counts.
                _ = try await turn("long", of: "s", text: text, on: first)
            }
            var status = stat()
            fstat(memory, &status)
            #expect(
                status.st_size > 33_000_000 && status.st_blocks * 512 < 20_000_000, "the old records are given back")
            #expect(try await turn("next", of: "s", after: "kept", on: second) == "abab")
            #expect(try await turn("after", of: "s", after: "long", on: second)?.utf8.count == 1_500_128)
        }
    }

    @Test func whatAFrontLeftInHalvesIsNotThere() async throws {
        try await withMemory { memory async throws in
            let first = LocalFront(sessions: memory)
            #expect(try await open("s", on: first) == 200)
            _ = try await turn("t1", of: "s", on: first)
            // A front that died before the header told of its record.
            var status = stat()
            fstat(memory, &status)
            pwrite(memory, [UInt8](repeating: 0xff, count: 1000), 1000, status.st_size)
            let second = LocalFront(generation: 2, sessions: memory)
            #expect(try await turn("t2", of: "s", after: "t1", on: second) == "abab")
            #expect(try await turn("t3", of: "s", after: "t2", on: first) == "abababab")
        }
    }
}
