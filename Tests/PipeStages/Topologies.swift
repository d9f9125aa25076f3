package import Messages

extension Topology {
    /// A table in which every process of these generations is ready.
    package static func ready(worker: UInt64 = 1, tokenizer: UInt64 = 1, detokenizer: UInt64 = 1, serving: Bool = true)
        -> Topology
    {
        .make {
            $0.processes = [
                .stage(.tokenizerManager, tokenizer), .stage(.scheduler, worker), .stage(.detokenizer, detokenizer),
            ]
            $0.serving = serving
            $0.model = .make {
                $0.contextLength = 2048
                $0.vocabularySize = 49152
                $0.maxTotalTokens = 16384
                $0.maxRequestInput = 2042
                $0.maxRunning = 16
                $0.modelType = "llama"
                $0.architectures = ["LlamaForCausalLM"]
            }
        }
    }

    /// A table of a server whose model is for this.
    package static func ready(task: TaskFacts) -> Topology {
        var topology = ready()
        topology.model.task = task
        return topology
    }

    /// The same with the worker away.
    package static func withoutWorker(generation: UInt64) -> Topology {
        .make {
            $0.processes = [
                .stage(.tokenizerManager, 1), .stage(.scheduler, generation, .loading), .stage(.detokenizer, 1),
            ]
        }
    }
}

extension ProcessInfo {
    package static func stage(_ role: Role, _ generation: UInt64, _ state: ProcessState = .ready) -> ProcessInfo {
        .make {
            $0.role = role
            $0.generation = generation
            $0.state = state
        }
    }
}
