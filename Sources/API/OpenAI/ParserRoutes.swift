internal import APICore
internal import ChatAPI
internal import Hummingbird
internal import JSON
internal import Ledger
internal import OutputParsers

/// Takes texts apart that clients bring: /parse_function_call and /separate_reasoning.
struct ParserRoutes: Sendable {
    var routes: [Route] {
        [
            Route([.post, .put], "/parse_function_call", in: OpenAIDialect()) { try await parse($0, $1) },
            Route([.post, .put], "/separate_reasoning", in: OpenAIDialect()) { try await separate($0, $1) },
        ]
    }

    private func parse(_ request: Request, _ context: RouteContext) async throws -> Response {
        let fields = try await request.fields(context)
        let text = try fields.required("text", fields.string)
        let tools = try ChatTools(fields).definitions
        let name = try fields.required("tool_call_parser", fields.string)
        let answer: ToolCallAnswer
        do throws(UnknownParser) { answer = try ToolCallParser.named(name, tools: tools).parse(text) } catch {
            throw RequestFailure.invalid("\(error)")
        }
        return .json([
            "normal_text": .string(answer.content),
            "calls": .array(
                answer.calls.map { call in
                    [
                        "tool_index": .int(Int64(call.toolIndex)), "name": .string(call.name),
                        "parameters": .string(call.arguments),
                    ]
                }),
        ])
    }

    private func separate(_ request: Request, _ context: RouteContext) async throws -> Response {
        let fields = try await request.fields(context)
        let text = try fields.required("text", fields.string)
        let name = try fields.required("reasoning_parser", fields.string)
        let parser: ReasoningParser
        do throws(UnknownParser) { parser = try ReasoningParser.named(name) } catch {
            throw RequestFailure.invalid("\(error)")
        }
        let answer = parser.parse(text)
        var object: JSONObject = ["reasoning_text": .string(answer.reasoning), "text": .string(answer.content)]
        if try fields.bool("return_blocks") {
            let parts = parser.blocks(of: text).map { block in
                switch block {
                case .reasoning(let text): ("reasoning", text)
                case .content(let text): ("text", text)
                }
            }
            for kind in ["reasoning", "text"] {
                object[kind + "_blocks"] = .array(parts.filter { $0.0 == kind }.map { .string($0.1) })
            }
            object["blocks"] = .array(parts.map { ["type": .string($0.0), "text": .string($0.1)] })
        }
        return .json(.object(object))
    }
}
