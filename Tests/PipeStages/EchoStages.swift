internal import JSON
package import Messages

/// The answers of a pipe that echoes prompts, a character for each token.
///
/// A prompt that begins with `hold` gets one token and then nothing until it is aborted; `refuse` is refused.
package enum EchoStages {
    /// What the pipe says to a command.
    package static func answer(_ command: TokenizerCommand) -> [FrontReply] {
        switch command.command {
        case .generate(let generate)?: echo(generate)
        case .embeds(let list)?: list.requests.flatMap(echo)
        case .abort(let abort)?: abort.wantsAnswer ? [aborted(abort)] : []
        case .encode(let encode)?:
            [
                .make {
                    $0.encoded = .make {
                        $0.call = encode.call
                        let texts = encode.hasConversation ? [text(encode.conversation)] : encode.texts
                        $0.lists = texts.map { text in .make { $0.ids = text.utf8.map(Int32.init) } }
                    }
                }
            ]
        case .decode(let decode)?:
            [
                .make {
                    $0.decoded = .make {
                        $0.call = decode.call
                        $0.texts = decode.lists.map { text($0.ids) }
                    }
                }
            ]
        case .control(let call)?: [.make { $0.control = control(call) }]
        case .livingFronts?, .abortMatching?, nil: []
        }
    }

    private static func text(_ ids: [Int32]) -> String {
        String(decoding: ids.map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
    }

    /// What all messages say, which is how this pipe's template renders them.
    private static func text(_ conversation: Conversation) -> String {
        let messages = (try? JSON.parse(conversation.messages))?.arrayValue ?? []
        return messages.compactMap { $0["content"]?.stringValue }.joined()
    }

    private static func control(_ call: ControlCall) -> ControlReply {
        .make {
            $0.call = call.call
            $0.success = true
            switch call.kind {
            case .weight(let weight)?:
                $0.success = weight.name == "model.norm.weight"
                $0.values = [1.5, 2.5, 3.5, 4.5]
                $0.shape = [2, 2]
            case .updateWeights(let update)? where !update.path.hasPrefix("/weights"):
                $0.success = false
                $0.message = "Failed to get weights iterator: \(update.path) (repository not found)."
            case .updateWeights?: $0.message = "Succeeded to update model weights."
            case .weightChecksums?: $0.texts = ["00ff", "11aa"]
            case .experts(let order)?:
                if order.action == .dump { $0.message = "/tmp/expert_distribution_recorder_1.5.pt" }
            case .internalState?:
                $0.state = .make {
                    $0.slotsTotal = 100
                    $0.slotsHeld = 10
                    $0.maxRunning = 16
                }
            default: break
            }
        }
    }

    private static func echo(_ generate: Generate) -> [FrontReply] {
        let prompt: String
        switch generate.prompt {
        case .text(let text)?: prompt = text
        case .ids(let list)?: prompt = text(list.ids)
        case .vectors(let vectors)?: prompt = String(repeating: "v", count: vectors.count)
        case .conversation(let conversation)?: prompt = text(conversation)
        case nil: prompt = ""
        }
        if prompt.hasPrefix("refuse") { return [refusal(generate.key, fromWorker: prompt.hasSuffix("worker"))] }
        let holds = prompt.hasPrefix("hold")
        let limit = generate.sampling.maxNewTokens < 0 ? Int.max : Int(generate.sampling.maxNewTokens)
        let characters = Array(prompt.utf8.prefix(holds ? 1 : limit))
        let step = generate.options.stream ? 1 : max(1, characters.count)
        var replies = stride(from: 0, to: characters.count, by: step).map { start in
            let ids = characters[start..<min(characters.count, start + step)]
            let isLast = start + step >= characters.count && !holds
            return frame(
                generate.key, offset: start, Array(ids),
                finish: isLast ? .make { $0.length = Int32(characters.count) } : .init())
        }
        if characters.isEmpty { replies = [frame(generate.key, offset: 0, [], finish: .make { $0.length = 0 })] }
        if generate.wantsPromptIds {
            replies.insert(
                .make {
                    $0.promptIds = .make {
                        $0.key = generate.key
                        $0.ids = generate.history + prompt.utf8.map(Int32.init)
                    }
                }, at: 0)
        }
        return replies
    }

    /// The bytes of a text, of two their lengths; "refuse…" is refused and "hold…" waits.
    private static func echo(_ embed: Embed) -> [FrontReply] {
        let (values, count): ([Float], Int)
        switch embed.input {
        case .text(let text)?:
            if text.hasPrefix("refuse") { return [refusal(embed.key, fromWorker: false)] }
            if text.hasPrefix("hold") { return [] }
            (values, count) = (text.utf8.map { Float($0) / 128 }, text.utf8.count)
        case .pair(let pair)?:
            count = pair.first.utf8.count + pair.second.utf8.count
            values = [Float(pair.second.utf8.count), Float(pair.first.utf8.count)]
        case .ids(let list)?: (values, count) = (list.ids.map { Float($0) / 128 }, list.ids.count)
        case nil: (values, count) = ([], 0)
        }
        var batch = vectors([embed.key], [values])
        batch.promptTokens = [UInt32(count)]
        let answer = FrontReply.make { $0.vectors = batch }
        guard embed.wantsPromptIds else { return [answer] }
        let ids = FrontReply.make {
            $0.promptIds = .make {
                $0.key = embed.key
                $0.ids = embed.ids.ids.isEmpty ? embed.text.utf8.map(Int32.init) : embed.ids.ids
            }
        }
        return [ids, answer]
    }

    /// A frame of vectors, of three tokens each.
    package static func vectors(_ keys: [RequestKey], _ values: [[Float]]) -> VectorBatch {
        .make {
            $0.requestIds = keys.map(\.id)
            $0.attempts = keys.map(\.attempt)
            $0.counts = values.map { UInt32($0.count) }
            $0.values = values.flatMap { $0 }
            $0.promptTokens = keys.map { _ in 3 }
            $0.cachedTokens = keys.map { _ in 0 }
            $0.retractions = keys.map { _ in 0 }
        }
    }

    private static func refusal(_ key: RequestKey, fromWorker: Bool) -> FrontReply {
        .make {
            $0.failure = .make {
                $0.key = key
                $0.message = "refused"
                $0.statusCode = 400
                $0.fromWorker = fromWorker
            }
        }
    }

    private static func aborted(_ abort: Abort) -> FrontReply {
        frame(abort.key, offset: 0, [], finish: .make { $0.aborted = .make { $0.message = abort.message } })
    }

    /// A frame of one request whose ids are its text's bytes.
    package static func frame(_ key: RequestKey, offset: Int, _ ids: [UInt8], finish: FinishReason = .init())
        -> FrontReply
    {
        .make { $0.text = batch(key, offset: offset, ids, finish: finish) }
    }

    /// The same without its envelope.
    package static func batch(_ key: RequestKey, offset: Int, _ ids: [UInt8], finish: FinishReason = .init())
        -> TextBatch
    {
        .make {
            $0.requestIds = [key.id]
            $0.attempts = [key.attempt]
            $0.offsets = [UInt32(offset)]
            $0.counts = [UInt32(ids.count)]
            $0.ids = ids.map(Int32.init)
            $0.textOffsets = [UInt32(offset)]
            $0.texts = [String(decoding: ids, as: UTF8.self)]
            $0.finish = [finish]
            $0.promptTokens = [3]
            $0.cachedTokens = [0]
            $0.retractions = [0]
        }
    }
}
