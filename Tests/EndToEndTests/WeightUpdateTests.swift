import Foundation
import Glibc
import JSON
import TestSupport
import Testing

extension Server {
    /// Asks for other weights.
    func updateWeights(_ path: String, _ more: JSONObject = [:]) throws -> (status: Int, body: JSONValue) {
        var body = more
        body["model_path"] = .string(path)
        let answer = try request("/update_weights_from_disk", .object(body))
        return (answer.status, try answer.json())
    }

    /// Where the weights lie, and what they are called.
    func servedWeights() throws -> (path: String, version: String) {
        let info = try request("/model_info").json()
        return (info["model_path"]?.stringValue ?? "", info["weight_version"]?.stringValue ?? "")
    }
}

extension EndToEndTests {
    /// Other weights for a running server.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(5))) struct WeightUpdateTests {
        private static let model = "llama-tied"
        private static let success = "Succeeded to update model weights."

        private static let question: JSONObject = [
            "text": "The keeper climbed",
            "sampling_params": ["temperature": 0, "max_new_tokens": 24, "ignore_eos": true],
        ]

        private func answer(of model: String) throws -> Outcome {
            try withServer(model) { try $0.single(Self.question).outcome }
        }

        @Test func theNewWeightsAnswerAsAServerThatBeganWithThem() throws {
            let variants = CheckpointVariants(of: Self.model)
            let other = try variants.negating("layers.1.mlp")
            let expected = try answer(of: other)
            try withServer(Self.model) { server in
                let old = try server.single(Self.question).outcome
                #expect(old.ids != expected.ids)
                let update = try server.updateWeights(other)
                #expect(update.status == 200)
                #expect(update.body == ["success": true, "message": .string(Self.success), "num_paused_requests": 0])
                for line in [
                    "Start update_weights. Load format=auto",
                    "Update engine weights online from disk begin. avail mem=",
                    "Update weights end.", "Cache flushed successfully!",
                ] { try server.process.line(with: line) }
                #expect(try server.single(Self.question).outcome == expected)
                #expect(try server.servedWeights() == (other, "default"))
                #expect(try server.request("/get_model_info").json()["model_path"] == .string(other))
                let name: JSONValue = ["name": "model.layers.1.mlp.up_proj.weight", "truncate_size": 1]
                let row = try server.request("/get_weights_by_name", name).json()
                // The old name of the route, the old weights, and a name for them.
                let back = try server.request(
                    "/update_weights", ["model_path": .string(Fixtures.path(Self.model)), "weight_version": "v1"])
                #expect(
                    try back.json()["message"] == .string(Self.success + " Weight version updated to v1."))
                let again = try server.generate(Self.question)
                #expect(try Generated(again).outcome == old)
                #expect(again["meta_info"]?["weight_version"] == "v1")
                #expect(again["meta_info"]?["weight_versions"] == [["version": "v1", "start": 0, "end": 24]])
                let numbers = try server.request("/get_weights_by_name", name).json()[0]?.arrayValue ?? []
                #expect(
                    !numbers.isEmpty
                        && numbers.map { -($0.doubleValue ?? 0) } == row[0]?.arrayValue?.map { $0.doubleValue ?? 0 })
            }
        }

        @Test func whatIsWrongChangesNothing() throws {
            let variants = CheckpointVariants(of: Self.model)
            try withServer(Self.model, ["--tp", "2"]) { server in
                let before = try server.single(Self.question).outcome
                let sums = try server.request("/weights_checker", ["action": "checksum"]).json()
                #expect(sums["ranks"]?.arrayValue?.count == 2 && sums["success"] == true)
                let wrong = "qwen/qwen2.5-0.5b-instruct-wrong"
                let missing = try server.updateWeights(wrong)
                #expect(missing.status == 400)
                #expect(
                    missing.body == [
                        "success": false, "num_paused_requests": 0,
                        "message": .string("Failed to get weights iterator: \(wrong) (repository not found)."),
                    ])
                for damage in CheckpointVariants.Damage.allCases {
                    let update = try server.updateWeights(try variants.broken(damage), ["abort_all_requests": true])
                    let message = update.body["message"]?.stringValue ?? ""
                    #expect(update.status == 400 && update.body["success"] == false)
                    #expect(
                        message.hasPrefix("Failed to get weights iterator: ")
                            || message.hasPrefix("Failed to get model loader: ")
                            || message.hasPrefix("Failed to update weights: ")
                                && message.hasSuffix(".\nRolling back to original weights."),
                        "\(damage): \(message)")
                }
                for other in ["qwen2-tied", "llama-untied"] {
                    #expect(try server.updateWeights(Fixtures.path(other)).status == 400)
                }
                #expect(try server.updateWeights(Fixtures.path(Self.model), ["load_format": "pickle"]).status == 400)
                #expect(try server.single(Self.question).outcome == before)
                #expect(try server.servedWeights().path == Fixtures.path(Self.model))
                #expect(try server.request("/weights_checker", ["action": "checksum"]).json() == sums)
            }
        }

        @Test func whoeverBeganEndsWithTheOldWeightsAndTheRestWaits() throws {
            let other = CheckpointVariants(of: Self.model)
            let path = try other.negating("layers.1.mlp")
            let expected = try answer(of: path)
            let flags = Workload.flags
            try withServer(Self.model, flags) { server in
                let undisturbed = try server.streamed(Workload.requests[0], incremental: true).outcome
                let frames = EventBoard(0)
                let stream = started(1) { _ in
                    try server.streamed(Workload.requests[0], incremental: true) { count in frames.update { $0 = count }
                    }
                    .outcome
                }
                #expect(frames.wait { $0 > 2 ? () : nil } != nil)
                let update = started(1) { _ in try server.updateWeights(path).status }
                #expect(try update.results() == [200])
                // It came back when the stream was over, which had never met the new weights.
                #expect(try stream.results() == [undisturbed])
                #expect(try server.single(Self.question).outcome == expected)
            }
        }

        @Test func whoeverIsPausedGoesOnWithTheNewWeightsAndIsToldSo() throws {
            let variants = CheckpointVariants(of: Self.model)
            let other = try variants.negating("layers.1.mlp")
            for mode in ["in_place", "retract"] {
                try withServer(Self.model, Workload.flags) { server in
                    let completion = started(1) { _ in
                        try server.request(
                            "/v1/completions",
                            ["model": "m", "prompt": "The keeper", "max_tokens": 8000, "ignore_eos": true]
                        ).json()
                    }
                    try poll("the completion does not run") {
                        try server.load()["num_running_reqs"] == 1 ? () : nil
                    }
                    let frames = EventBoard(0)
                    let last = EventBoard(JSONValue.null)
                    let stream = started(1) { _ in
                        // Longer than any machine needs to come to the order: it ends when it is told to.
                        var body = Self.endless
                        body["stream"] = true
                        let connection = try HTTPConnection(port: server.port)
                        try connection.send("/generate", .object(body))
                        _ = try connection.head()
                        _ = try connection.events { event in
                            frames.update { $0 += 1 }
                            last.update { $0 = event }
                            return true
                        }
                    }
                    #expect(frames.wait { $0 > 2 ? () : nil } != nil)
                    #expect(try server.request("/pause_generation", ["mode": .string(mode)]).status == 200)
                    let update = try server.updateWeights(other, ["weight_version": "v2"])
                    // What runs keeps its part of the cache; what was retracted has none.
                    #expect(update.status == (mode == "retract" ? 200 : 400))
                    #expect(try server.servedWeights() == (other, "v2"))
                    let before = frames.now
                    #expect(try server.request("/continue_generation", [:]).status == 200)
                    #expect(frames.wait { $0 > before + 20 ? () : nil } != nil)
                    _ = try server.request("/abort_request", ["abort_all": true])
                    _ = try stream.results()
                    let info = last.now["meta_info"]
                    let spans = info?["weight_versions"]?.arrayValue ?? []
                    #expect(spans.map { $0["version"] } == ["default", "v2"])
                    #expect(
                        spans.first?["end"] == spans.last?["start"] && spans.last?["end"] == info?["completion_tokens"])
                    let metadata = try completion.results()[0]["metadata"]
                    #expect(metadata?["weight_version"] == "v2")
                    #expect(metadata?["weight_versions"]?.arrayValue?.map { $0["version"] } == ["default", "v2"])
                    // A death afterwards is nobody's business: the mixture was asked for.
                    try server.kill([try server.incarnation(of: Title.worker)])
                    #expect(try server.servedWeights() == (other, "v2"))
                }
            }
        }

        private static let endless: JSONObject = [
            "text": "The keeper", "sampling_params": ["temperature": 0, "max_new_tokens": 8000, "ignore_eos": true],
        ]

        @Test func abortedRequestsEndAtOnceWithWhatTheyHave() throws {
            let variants = CheckpointVariants(of: Self.model)
            let other = try variants.negating("layers.1.mlp")
            try withServer(Self.model, Workload.flags) { server in
                let frames = EventBoard(0)
                let stream = started(1) { _ in
                    try server.streamed(Self.endless, incremental: true) { count in frames.update { $0 = count } }
                        .outcome
                }
                #expect(frames.wait { $0 > 2 ? () : nil } != nil)
                let update = try server.updateWeights(other, ["abort_all_requests": true])
                #expect(update.status == 200)
                #expect(try stream.results()[0].finish["type"] == "abort")
                #expect(try server.servedWeights().path == other)
            }
        }
    }
}
