import Foundation
import Glibc
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// What somebody sees who starts a server.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(2))) struct StartTests {
        /// Lines that no good start has.
        static func complaints(_ lines: [String]) -> [String] {
            lines.filter { line in
                !line.contains("server_args=") && ["ERROR", "SIGTERM", "exit code"].contains { line.contains($0) }
            }
        }

        private func start(
            _ model: String, _ flags: [String] = []
        ) throws -> (ending: Subprocess.Ending, lines: [String]) {
            let folder = TemporaryFolder()
            let arguments = Server.arguments(model, port: 0, folder: folder.path) + ["--dtype", "float32"] + flags
            return try Subprocess.run(Server.binary, arguments)
        }

        @Test func aGoodStartTellsTheAddressAndNothingThatFrightens() throws {
            let server = try Server("llama-tied", ["--weight-cache-dir", "none"])
            defer { server.destroy() }
            let lines = server.process.lines.filter { !$0.contains("server_args=") }
            #expect(lines.contains { $0.contains("istening on http://127.0.0.1:\(server.port)") }, "\(lines)")
            #expect(Self.complaints(lines) == [])
            for word in ["WARNING", " 0 %", "cache directory"] {
                #expect(!lines.contains { $0.contains(word) }, "\(word): \(lines)")
            }
        }

        @Test(arguments: [["--cpu-bind", "0,9999"], ["--context-length", "99999"], ["--tp", "7"]])
        func aFlagThatAProcessRefusesIsToldOnce(_ flags: [String]) throws {
            let (ending, lines) = try start(Fixtures.path("llama-tied"), flags)
            #expect(ending == .code(1))
            let told = Self.complaints(lines)
            #expect(told.count == 1 && told[0].contains("ERROR: Start failed. sglang::scheduler"), "\(told)")
        }

        @Test func aRankThatFailsTellsWhyAndTheOthersDoNot() throws {
            let folder = TemporaryFolder()
            let model = folder.path + "/model"
            try FileManager.default.copyItem(atPath: Fixtures.path("llama-tied"), toPath: model)
            var bytes = Array(try #require(FileManager.default.contents(atPath: model + "/model.safetensors")))
            bytes.replace("model.norm.weight", "model.nurm.weight")
            try Data(bytes).write(to: URL(fileURLWithPath: model + "/model.safetensors"))
            let (ending, lines) = try start(model, ["--tp", "2"])
            #expect(ending == .code(1))
            let told = Self.complaints(lines)
            #expect(told.count == 1 && told[0].contains("model.norm.weight"), "\(told)")
        }

        @Test(arguments: ["http://127.0.0.1", "10.0.0.0/8", "192.0.2.1", "no-such-host.invalid"])
        func anAddressThatCannotBeListenedOnEndsWith98(_ host: String) throws {
            let (ending, lines) = try start(Fixtures.path("llama-tied"), ["--host", host])
            #expect(ending == .code(98))
            #expect(
                lines.count == 2 && lines[1].contains("ERROR: cannot listen on") && lines[1].contains(host), "\(lines)")
        }

        @Test func anEmptyHostIsEveryAddress() throws {
            let server = try Server("llama-tied", ["--host", ""])
            defer { server.destroy() }
            try poll("it is not healthy") { try server.request("/health").status == 200 ? () : nil }
            let addresses = ["http://[::]:\(server.port)", "http://0.0.0.0:\(server.port)"]
            #expect(server.process.lines.contains { line in addresses.contains { line.contains($0) } })
        }

        @Test func aPoolThatCannotFitIsRefusedWithBothSizes() throws {
            let (ending, lines) = try start(Fixtures.path("llama-tied"), ["--max-total-tokens", "2147483647"])
            #expect(ending == .code(1))
            let told = Self.complaints(lines)
            #expect(told.count == 1 && told[0].contains("--max-total-tokens 2147483647"), "\(told)")
            #expect(told.first.map { $0.matches(of: /[0-9]+ MiB/).count } == 3, "\(told)")
        }

        /// Needs a control group of its own, so the right to make one.
        @Test(.enabled(if: MemoryGroup.canBeMade)) func memoryThatRunsOutIsToldAsSuch() throws {
            let folder = TemporaryFolder()
            let group = try MemoryGroup(limit: 64 << 20)
            // More than the group has beside the processes themselves.
            let flags = ["--max-total-tokens", "200000", "--dtype", "float32"]
            let process = try Subprocess(
                "/bin/sh",
                group.entered(
                    by: [Server.binary] + Server.arguments(Fixtures.path("llama-tied"), port: 0, folder: folder.path)
                        + flags))
            defer {
                process.signal(SIGKILL)
                _ = try? process.end()
            }
            let listening = try process.line(with: "istening on http://127.0.0.1:")
            try process.line(with: "The server is fired up and ready to roll!")
            let port = try #require(listening.firstMatch(of: /127\.0\.0\.1:([0-9]+)/).flatMap { Int($0.1) })
            // Different prompts fill the pool until the group has no more.
            let filling = started(1) { _ in
                for round in 0..<80 {
                    let prompts = (0..<8).map { item in
                        JSONValue.array((0..<400).map { .int(Int64((round * 8 + item) * 7 + $0 * 13) % 320 + 3) })
                    }
                    let body: JSONObject = [
                        "input_ids": .array(prompts), "sampling_params": ["max_new_tokens": 1, "ignore_eos": true],
                    ]
                    let connection = try HTTPConnection(port: port)
                    try connection.send("/generate", .object(body))
                    guard try connection.answer().status == 200 else { return }
                }
            }
            try process.line(with: "died: out of memory: killed by the kernel at the control group's limit of 64 MiB")
            try process.line(with: "sglang::scheduler restarted: pid")
            let (_, table) = try Subprocess.run(
                Server.binary, ["ps", "--json", "--run-dir", folder.path + "/run"])
            let worker = try JSON.parse(table.joined())["processes"]?.arrayValue?.first {
                $0["title"]?.stringValue == Title.worker
            }
            #expect(worker?["last_exit"]?["reason"]?.stringValue?.hasPrefix("out of memory") == true)
            process.signal(SIGINT)
            #expect(try process.end() == .code(0))
            _ = try? filling.results()
        }
    }

    /// Starts that cannot be: the command line or the address is wrong.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(1))) struct RefusedStartTests {
        @Test func aTakenPortIsNamedBeforeAnyChildStarts() throws {
            try withServer("llama-tied") { server in
                let folder = try Server.temporaryFolder()
                defer { try? FileManager.default.removeItem(atPath: folder) }
                let arguments = Server.arguments(Fixtures.path("llama-tied"), port: server.port, folder: folder)
                let (ending, lines) = try Subprocess.run(Server.binary, arguments)
                #expect(ending == .code(98))
                let address = "127.0.0.1:\(server.port)"
                #expect(lines.contains { $0.contains(address) && $0.contains("address already in use") })
                // Children find their settings in the run directory: without it none was started.
                #expect(!FileManager.default.fileExists(atPath: folder + "/run"))
                #expect(!lines.contains { $0.contains(Title.worker) })
                #expect(try server.request("/health").status == 200)
            }
        }

        @Test func anUnknownFlagIsAnsweredWithTheOneThatWasMeant() throws {
            let (ending, lines) = try Subprocess.run(
                Server.binary, ["launch_server", "--model-path", "x", "--max-runing-requests", "3"])
            #expect(ending == .code(2))
            #expect(lines.contains { $0.contains("--max-runing-requests") })
            #expect(lines.contains { $0.contains("--max-running-requests") })
        }

        @Test func aCoreThatIsNotThereIsNamed() throws {
            let folder = try Server.temporaryFolder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let (ending, lines) = try Subprocess.run(
                Server.binary,
                Server.arguments(Fixtures.path("llama-tied"), port: 0, folder: folder) + ["--cpu-bind", "0,9999"])
            #expect(ending != .code(0))
            #expect(lines.contains { $0.contains("--cpu-bind names core 9999") })
        }

        @Test func aModelThatIsNotThereIsNamed() throws {
            let folder = try Server.temporaryFolder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let (ending, lines) = try Subprocess.run(
                Server.binary, Server.arguments(folder + "/nothing", port: 0, folder: folder))
            #expect(ending != .code(0))
            #expect(lines.contains { $0.contains(folder + "/nothing") && !$0.contains("server_args=") })
            #expect(Server.processes(of: folder + "/run") == [])
        }
    }
}
