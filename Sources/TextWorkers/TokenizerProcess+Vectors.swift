internal import Messages

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
        var request = EmbedIDs()
        request.key = embed.key
        request.dimensions = embed.dimensions
        request.options = embed.options
        switch embed.input {
        case .ids(let list):
            request.prompt = list.ids
            if embed.allowTruncate, let longest = model?.longestText, list.ids.count > longest {
                request.prompt.removeLast(list.ids.count - longest)
            }
        case .text(let text):
            try texts().tokenize(text, nil, model, allowTruncate: embed.allowTruncate, into: &request)
        case .pair(let pair):
            try texts().tokenize(
                pair.first, pair.second, model, allowTruncate: embed.allowTruncate, into: &request)
        case nil: break
        }
        try PromptChecks.check(request, model)
        return request
    }

    /// How texts become ids, which needs a tokenizer.
    private func texts() throws(PromptChecks.Refusal) -> InputTexts {
        guard let inputs else {
            _ = try present()
            throw PromptChecks.Refusal(message: "There is no tokenizer.")
        }
        return inputs
    }
}
