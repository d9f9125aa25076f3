import Foundation
import Glibc
import JSON
import TestSupport
import Testing

/// The calls of SGLang's page on its native API, one test each, with what its readers count on. S9 to S11 are in `VectorTests`.
extension EndToEndTests {
    /// S13: the server is started with `--host`, `--port` and `--tp` as the page starts it.
    @Suite(
        .serialized, .share(.half), .timeLimit(.minutes(3)), .server("llama-tied", ["--host", "0.0.0.0", "--tp", "2"]))
    struct SeedCaseTests {
        /// S1: the list of models is there as long as somebody listens, whatever the key that nobody asked for.
        @Test func modelsAreListedWhoeverAsksAndWhateverStandsStill() throws {
            let server = try Server.shared
            func list() throws -> HTTPAnswer {
                let connection = try server.connect()
                try connection.send("/v1/models", headers: [("Authorization", "Bearer None")])
                return try connection.answer()
            }
            #expect(try list().status == 200)
            let worker = try server.incarnation(of: Title.worker + "_TP0")
            try server.halt(worker)
            defer { Glibc.kill(worker.pid, SIGCONT) }
            let answer = try list()
            #expect(try answer.status == 200 && answer.json()["data"]?[0]?["id"]?.stringValue != nil)
        }

        /// S2
        @Test func aTextAloneIsContinuedByUpTo128Tokens() throws {
            let answer = try Server.shared.request("/generate", ["text": "What is the capital of France?"])
            #expect(try answer.status == 200 && answer.json()["text"]?.stringValue != nil)
            let count = try answer.json()["meta_info"]?["completion_tokens"]?.intValue ?? 0
            let reason = try answer.json()["meta_info"]?["finish_reason"]
            #expect(count == 128 && reason?["length"] == 128 || count < 128 && reason?["type"] == "stop")
        }

        /// S3
        @Test func theModelIsToldInFourKeys() throws {
            let server = try Server.shared
            let path = JSONValue.string(Fixtures.path("llama-tied"))
            #expect(
                try server.request("/get_model_info").json() == [
                    "model_path": path, "tokenizer_path": path, "is_generation": true,
                    "preferred_sampling_params": .null,
                ])
            #expect(try server.request("/model_info").json()["model_type"] == "llama")
        }

        /// S4
        @Test func theServerIsToldInOneObject() throws {
            let answer = try Server.shared.request("/get_server_info")
            let info = try answer.json()
            #expect(answer.status == 200 && info["max_total_num_tokens"]?.intValue ?? 0 > 0)
            #expect(info["tp_size"] == 2 && info["host"] == "0.0.0.0" && info["model_path"]?.stringValue != nil)
        }

        /// S5
        @Test func healthIsAnEmptyAnswerAndAPrefill() throws {
            let server = try Server.shared
            let start = server.process.lines.count
            for path in ["/health", "/health_generate"] {
                let answer = try server.request(path)
                #expect(answer.status == 200 && answer.text.isEmpty)
            }
            try server.process.line(from: start, with: "Prefill batch", "#new-token: 1")
        }

        /// S6
        @Test func theCacheIsFlushed() throws {
            let server = try Server.shared
            let start = server.process.lines.count
            let answer = try server.request("/flush_cache", method: "POST")
            #expect(answer.status == 200 && answer.text.hasPrefix("Cache flushed.\n"))
            try server.process.line(from: start, with: "Cache flushed successfully!")
        }

        /// S7 and S8
        @Test func weightsAreUpdatedFromAFolderAndNotFromNowhere() throws {
            let server = try Server.shared
            let update = try server.request(
                "/update_weights_from_disk", ["model_path": .string(Fixtures.path("llama-tied"))])
            #expect(try update.status == 200 && update.json()["success"] == true)
            #expect(try update.json()["message"] == "Succeeded to update model weights.")
            let wrong = "qwen/qwen2.5-0.5b-instruct-wrong"
            let refusal = try server.request("/update_weights_from_disk", ["model_path": .string(wrong)])
            #expect(try refusal.status == 400 && refusal.json()["success"] == false)
            #expect(
                try refusal.json()["message"]
                    == .string("Failed to get weights iterator: \(wrong) (repository not found)."))
        }

        /// S12
        @Test func expertsAreRecorded() throws {
            let folder = TemporaryFolder()
            let place = ["SGLANG_EXPERT_DISTRIBUTION_RECORDER_DIR": folder.path]
            try withServer("qwen2moe", ["--expert-distribution-recorder-mode", "stat"], environment: place) { server in
                let start = server.process.lines.count
                for (verb, text) in [
                    ("start", "Start recording the expert distribution.\n"), ("", ""),
                    ("stop", "Stop recording the expert distribution.\n"),
                    ("dump", "Dump expert distribution record.\n"),
                ] {
                    if verb.isEmpty {
                        #expect(try server.request("/generate", ["text": "The capital of France is"]).status == 200)
                    } else {
                        let answer = try server.request("/\(verb)_expert_distribution_record", method: "POST")
                        #expect(answer.status == 200 && answer.text == text)
                    }
                }
                let line = try server.process.line(from: start, with: "Write expert distribution to ")
                #expect(line.contains(folder.path + "/expert_distribution_recorder_") && line.hasSuffix(".pt"))
                let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
                #expect(files.contains { $0.hasSuffix(".pt") })
            }
        }
    }
}
