internal import Messages
internal import Tokenizers

/// Requests for vectors.
extension TokenizerProcess {
    /// Ids that go to the worker in one message, about: so many that a step is full, so few that it need not wait for all.
    private static let idsPerMessage = 8192

    /// Tokenizes and hands over what can run.
    func accept(_ list: Embeds) {
        var ready = EmbedIDsList()
        var count = 0
        for embed in list.requests {
            do throws(PromptChecks.Refusal) {
                let request = try ids(of: embed)
                if embed.wantsPromptIds {
                    send(
                        .make {
                            $0.promptIds = .make {
                                $0.key = embed.key; $0.ids = request.prompt
                            }
                        })
                }
                count += request.prompt.count
                ready.requests.append(request)
            } catch { refuse(embed.key, error) }
            if count >= Self.idsPerMessage {
                send(.make { $0.embeds = ready })
                (ready.requests, count) = ([], 0)
            }
        }
        if !ready.requests.isEmpty { send(.make { $0.embeds = ready }) }
    }

    private func ids(of embed: Embed) throws(PromptChecks.Refusal) -> EmbedIDs {
        let model = facts.model
        let longest = model?.longestText
        var request = EmbedIDs()
        request.key = embed.key
        request.dimensions = embed.dimensions
        request.options = embed.options
        switch embed.input {
        case .ids(let list):
            request.prompt = list.ids
            if embed.allowTruncate, let longest, list.ids.count > longest {
                request.prompt.removeLast(list.ids.count - longest)
            }
        case .text(let text): try tokenize(text, nil, embed.allowTruncate ? longest : nil, into: &request)
        case .pair(let pair):
            try tokenize(pair.first, pair.second, embed.allowTruncate ? longest : nil, into: &request)
        case nil: break
        }
        try PromptChecks.check(request, model)
        return request
    }

    private func tokenize(
        _ first: String, _ second: String?, _ limit: Int?, into request: inout EmbedIDs
    ) throws(PromptChecks.Refusal) {
        let tokenizer = try present()
        let input: TokenizedInput
        do throws(Truncation.TooShort) {
            input = try tokenizer.encode(
                first, second, addSpecialTokens: true, truncation: limit.map { Truncation(limit: $0) })
        } catch { throw PromptChecks.Refusal(message: "The text cannot be cut to \(limit ?? 0) tokens.") }
        request.prompt = input.ids
        request.setTypes(input.types)
    }
}

extension ModelFacts {
    /// To how many tokens a text is cut where that is allowed.
    fileprivate var longestText: Int? {
        let limits = [Int(contextLength), Int(task.maxTokens)].filter { $0 > 0 }
        return limits.min()
    }
}
