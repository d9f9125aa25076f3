package import APICore
package import ChatAPI
internal import HTTPTypes
internal import Hummingbird
internal import JSON
internal import Ledger
internal import Messages

/// Ollama's interface: chats, completions, and what the model is.
package struct OllamaAPI: Sendable {
    private let planner: ChatPlanner
    private let servedName: String
    /// Seconds since 1970 at which this front began.
    private let started: Double

    /// - Parameter servedName: what the server calls its model.
    package init(_ planner: ChatPlanner, servedName: String) {
        self.planner = planner
        self.servedName = servedName
        started = planner.generation.clock()
    }

    /// Every endpoint of the interface.
    package var routes: [Route] {
        [
            Route([.post], "/api/chat", in: OllamaDialect()) { [self] in try await chat($0, $1) },
            Route([.post], "/api/generate", in: OllamaDialect()) { [self] in try await generate($0, $1) },
            Route([.post], "/api/show", in: OllamaDialect()) { [self] in try await show($0, $1) },
            Route([.get], "/api/tags", in: OllamaDialect()) { [self] _, _ in .json(["models": [.object(card())]]) },
            Route([.get], "/api/ps", in: OllamaDialect()) { [self] _, _ in .json(["models": [.object(running())]]) },
            // Clients compare it with what they need; the interface is that of about this one.
            Route([.get], "/api/version", in: OllamaDialect()) { _, _ in .json(["version": "0.6.0"]) },
        ]
    }

    private func chat(_ request: Request, _ context: RouteContext) async throws -> Response {
        let headers = try planner.generation.headers(request, needsJSON: false)
        let (asked, chat) = try await request.reading(context) { fields in
            let asked = try OllamaRequest(chat: fields)
            return (asked, try planner.plan(RequestFields(asked.body), headers))
        }
        var order = chat.order
        order.form = .lines
        return try await planner.generation.answering.answer(
            order, with: OllamaWriter(model: asked.model, isChat: true, chat.parts), for: context.client)
    }

    private func generate(_ request: Request, _ context: RouteContext) async throws -> Response {
        let headers = try planner.generation.headers(request, needsJSON: false)
        let asked = try OllamaRequest(generate: try await request.fields(context))
        let writer = OllamaWriter(model: asked.model, isChat: false, AnswerParts())
        let now = planner.generation.clock()
        guard let prompt = asked.body["prompt"]?.stringValue, !prompt.isEmpty else {
            return .json(bytes: writer.empty(now: now))
        }
        let body = RequestFields(asked.body)
        var fields = try GenerationFields(body, planner.rules.defaults.withoutProposals)
        fields.sampling["max_new_tokens"] = asked.body["max_tokens"]
        let openings = try GenerationPlan([.text(prompt)], fields).openings(
            try planner.generation.rules(headers), serial: planner.generation.numbers.next())
        var order = Answering.Order(openings, isStreamed: asked.isStreamed)
        order.tellsEarlyFailures = true
        order.form = .lines
        return try await planner.generation.answering.answer(order, with: writer, for: context.client)
    }

    // MARK: What the model is

    private func card() -> JSONObject {
        [
            "name": .string(servedName), "model": .string(servedName),
            "modified_at": .string(OllamaTime.text(started)), "size": 0,
            "digest": .string("sha256:sglang" + String(repeating: "0", count: 58)),
            "details": ["format": "sglang", "family": .string(servedName), "parameter_size": "unknown"],
        ]
    }

    private func running() -> JSONObject {
        var card = card()
        card["modified_at"] = nil
        card["expires_at"] = .string(OllamaTime.text(started + 100 * 365 * 86400))
        card["size_vram"] = 0
        return card
    }

    private func show(_ request: Request, _ context: RouteContext) async throws -> Response {
        let fields = try await request.fields(context)
        let (model, oldName) = (try fields.string("model"), try fields.string("name"))
        let name = model ?? oldName ?? servedName
        let length = Int64(planner.generation.board.view.model?.contextLength ?? 0)
        return .json([
            "license": "", "modelfile": .string("FROM \(name)\nPARAMETER num_ctx \(length)\n"),
            "parameters": .string("num_ctx \(length)"), "template": "",
            "modified_at": .string(OllamaTime.text(started)),
            "details": [
                "parent_model": "", "format": "sglang", "family": .string(name), "families": [.string(name)],
                "parameter_size": "unknown", "quantization_level": "",
            ],
            "model_info": .object(
                JSONObject([
                    ("general.architecture", .string(name)), ("general.name", .string(name)),
                    ("general.parameter_count", 0), ("\(name).context_length", .int(length)),
                    ("\(name).block_count", 0), ("\(name).embedding_length", 0), ("\(name).attention.head_count", 0),
                ])),
            "capabilities": ["completion"],
        ])
    }
}
