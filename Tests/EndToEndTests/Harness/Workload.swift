import Foundation
import JSON
import TestSupport

/// Requests that run long enough for something to happen meanwhile: six streams and two plain ones.
///
/// A server for them has `Workload.flags`: room for long outputs, and streams of deltas, which show lost and doubled pieces.
enum Workload {
    /// The fixture it runs on.
    static let model = "llama-tied"

    /// Flags for outputs longer than the fixtures' own context.
    static let longContext = ["--json-model-override-args", #"{"max_position_embeddings": 8192}"#]

    /// Flags of a server for it.
    static let flags = ["--incremental-streaming-output"] + longContext

    /// Ids that the longest of them makes.
    static let tokens = 600

    /// Greedy and seeded ones, with penalties that depend on all ids so far, some with log probabilities.
    static let requests: [JSONObject] = (0..<8).map { index in
        var sampling: JSONObject = ["max_new_tokens": .int(Int64(tokens - index * 7)), "ignore_eos": true]
        if index % 2 == 1 {
            sampling["temperature"] = 1.0
            sampling["sampling_seed"] = .int(Int64(77 + index))
        } else {
            sampling["temperature"] = 0
        }
        if index % 4 >= 2 { sampling["frequency_penalty"] = 0.4 }
        return [
            "text": .string("The keeper's day \(index) began with rain, 水位は上がった, and "),
            "sampling_params": .object(sampling), "return_logprob": .bool(index % 3 != 2),
            "top_logprobs_num": .int(index == 4 ? 2 : 0), "logprob_start_len": .int(index == 3 ? 0 : -1),
        ]
    }

    /// Which of them are streams.
    static let streams = 0..<6

    /// The workload under way on a server.
    struct Run {
        /// The clients' threads.
        let crew: Crew<Generated>
        /// Frames that have arrived, by request.
        let frames: EventBoard<[Int: Int]>

        /// Waits until every stream has at least so many frames.
        func haveFrames(_ count: Int) throws {
            let found: Void? = frames.wait { seen in
                streams.allSatisfy { (seen[$0] ?? 0) >= count } || crew.ended > 0 ? () : nil
            }
            guard found != nil, crew.ended == 0 else {
                throw HarnessError(
                    "\(crew.ended) requests ended before all streams had \(count) frames; failed: \(crew.failures), frames: \(frames.now)"
                )
            }
        }

        /// What all gave, when all are over.
        func outcomes() throws -> [Outcome] { try crew.results().map(\.outcome) }
    }

    /// What all give on a server where nothing happens.
    static let undisturbed = Result { try withServer(model, flags) { try start(on: $0).outcomes() } }

    /// Sends all requests at once.
    static func start(on server: Server) -> Run {
        let frames = EventBoard([Int: Int]())
        let crew = started(requests.count) { index in
            guard streams.contains(index) else { return try server.single(requests[index]) }
            return try server.streamed(requests[index], incremental: true) { count in
                frames.update { $0[index] = count }
            }
        }
        return Run(crew: crew, frames: frames)
    }
}
