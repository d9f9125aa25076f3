import Foundation
import Glibc
import JSON
import TestSupport
import Testing

extension EndToEndTests {
    /// Answers whose ends were on their way when a process died, and whose weights are gone.
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(5))) struct LostEndTests {
        private static let endless: JSONObject = [
            "text": "The keeper climbed",
            "sampling_params": ["temperature": 0, "max_new_tokens": 8000, "ignore_eos": true],
        ]
        private static let complaint =
            "The weights of the model were changed while this answer was interrupted: it cannot go on with others."

        /// A detokenizer that stands still keeps what the worker said last of two answers; other weights come, and it dies.
        @Test func whoCannotGoOnWithOtherWeightsIsToldSo() throws {
            let other = CheckpointVariants(of: Workload.model)
            let path = try other.negating("layers.1.mlp")
            try withServer(Workload.model, Workload.flags) { server in
                let plain = started(1) { _ in try server.request("/generate", .object(Self.endless)) }
                try poll("the first request does not run") {
                    try server.load()["num_running_reqs"] == 1 ? () : nil
                }
                // When a later one has frames, the front has some ids of the first, too.
                let frames = EventBoard(0)
                let stream = started(1) { _ in
                    try server.streamed(Self.endless, incremental: true) { count in frames.update { $0 = count } }
                        .outcome
                }
                #expect(frames.wait { $0 > 2 ? () : nil } != nil)
                let victim = try server.incarnation(of: Title.detokenizer)
                try server.halt(victim)
                let update = try server.updateWeights(path, ["abort_all_requests": true])
                #expect(update.status == 200)
                try server.kill([victim])

                let finish = try stream.results()[0].finish
                #expect(finish["type"] == "abort" && finish["status_code"] == 503)
                #expect(finish["message"] == .string(Self.complaint))
                let answer = try plain.results()[0]
                #expect(answer.status == 503)
                #expect(try answer.json()["message"] == .string(Self.complaint))
                #expect(try server.servedWeights().path == path)
                try server.awaitIdleness()
            }
        }
    }
}
