internal import HTTPTypes
package import JSON

/// The OpenAPI document of a set of routes, made from the routes themselves and their descriptions.
package struct OpenAPIDocument: Sendable {
    private let routes: [Route]
    private let descriptions: [String: RouteDescription]
    private let components: [(name: String, schema: Schema)]
    private let version: String

    /// - Parameters:
    ///   - components: schemas that descriptions refer to by name.
    ///   - version: of the interface.
    package init(
        _ routes: [Route], _ descriptions: [RouteDescription], components: [(name: String, schema: Schema)],
        version: String
    ) {
        self.routes = routes
        self.descriptions = Dictionary(descriptions.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        self.components = components + [("Failure", Self.failure)]
        self.version = version
    }

    /// The document.
    package var json: JSONValue {
        var paths = JSONObject()
        for route in routes {
            guard let description = descriptions[route.path] else { continue }
            let path = Self.template(description)
            var item = paths[path]?.objectValue ?? [:]
            for method in route.methods {
                item[method.rawValue.lowercased()] = operation(route, method, description)
            }
            paths[path] = .object(item)
        }
        let schemas = JSONObject(components.map { ($0.name, $0.schema.json) })
        return [
            "openapi": "3.1.0",
            "info": ["title": "SGLang", "version": .string(version), "description": .string(Self.introduction)],
            "tags": .array(
                RouteDescription.Group.allCases.map {
                    ["name": .string($0.rawValue), "description": .string($0.meaning)]
                }),
            "paths": .object(paths),
            "components": [
                "schemas": .object(schemas),
                "securitySchemes": ["key": ["type": "http", "scheme": "bearer"]],
            ],
        ]
    }

    private static let introduction =
        "The native interface of SGLang and the one in OpenAI's manner, served by srt. With --api-key or --admin-api-key "
        + "requests carry 'Authorization: Bearer KEY'."

    /// Failures in all the forms that the interfaces have.
    private static let failure = Schema.either([
        .object([
            .required("object", .word(["error"])), .required("message", .text), .required("type", .text),
            .required("param", .anything), .required("code", .nullable(.integer())),
        ]),
        .object([.required("error", .either([.text, .object([.required("message", .text)])]))]),
        .object([.required("detail", .text)]),
        .object([.required("type", .word(["error"])), .required("error", .object([.required("message", .text)]))]),
        .object([.required("success", .flag), .required("message", .text)]),
    ])

    /// The path with names for the parts that stand for any.
    private static func template(_ description: RouteDescription) -> String {
        let names = description.parameters.filter { $0.place == .path }.map(\.name)
        var rest = names[...]
        return "/"
            + description.path.split(separator: "/").map { part in
                if part.hasPrefix(":") { return "{\(part.dropFirst())}" }
                return part == "**" || part == "*" ? "{\(rest.popFirst() ?? "rest")}" : String(part)
            }.joined(separator: "/")
    }

    /// Parts of the path that stand for any and are not described: each takes a text.
    private static func unnamed(_ description: RouteDescription) -> [RouteDescription.Parameter] {
        let known = description.parameters.filter { $0.place == .path }.map(\.name)
        return description.path.split(separator: "/").filter { $0.hasPrefix(":") }.map { String($0.dropFirst()) }
            .filter { !known.contains($0) }.map { RouteDescription.Parameter($0, in: .path, .text, "Its \($0).") }
    }

    // MARK: Operations

    private func operation(
        _ route: Route, _ method: HTTPRequest.Method, _ description: RouteDescription
    ) -> JSONValue {
        var operation: JSONObject = [
            "tags": [.string(description.group.rawValue)], "summary": .string(description.summary),
            "operationId": .string(Self.name(method, Self.template(description))),
        ]
        let parameters = description.parameters + Self.unnamed(description)
        if !parameters.isEmpty { operation["parameters"] = .array(parameters.map(\.json)) }
        // A query with a body has no meaning that all tools share; what it says can be sent as a POST.
        let takesBody = method != .get && method != .head
        if takesBody { operation["requestBody"] = description.body.json }
        operation["responses"] = .object(responses(description, headOnly: method == .head))
        operation["security"] = [[:], ["key": []]]
        return .object(operation)
    }

    private static func name(_ method: HTTPRequest.Method, _ path: String) -> String {
        let words = path.split { !$0.isLetter && !$0.isNumber }.joined(separator: "_")
        return method.rawValue.lowercased() + "_" + (words.isEmpty ? "root" : words)
    }

    private func responses(_ description: RouteDescription, headOnly: Bool) -> JSONObject {
        var responses = JSONObject()
        for answer in description.answers { responses["\(answer.status)"] = answer.json(headOnly: headOnly) }
        for status in statuses(description).sorted() where responses["\(status)"] == nil {
            let answer = RouteDescription.Answer(
                status, Self.meanings[status]?.content ?? .json, .named("Failure"),
                Self.meanings[status]?.text ?? "A failure.")
            responses["\(status)"] = answer.json(headOnly: headOnly)
        }
        return responses
    }

    /// Statuses of all failures that a route may have.
    private func statuses(_ description: RouteDescription) -> Set<Int> {
        var statuses = Set(description.failures + [401])
        if case .none = description.body {} else { statuses.formUnion([400, 413, 415, 503]) }
        if !description.parameters.isEmpty { statuses.insert(400) }
        return statuses
    }

    private static let meanings: [Int: (text: String, content: RouteDescription.Content)] = [
        400: ("The request makes no sense; the text says why.", .json),
        401: ("No key, or a wrong one.", .json),
        404: ("There is no such thing.", .json),
        413: ("The body is larger than --max-body-size.", .json),
        415: ("The body is in a content coding, which this server does not read.", .json),
        500: ("The request was given up: processes died of it.", .json),
        501: ("This release does not have the feature.", .json),
        503: ("Not now: the server is full, not ready, or going down.", .json),
        504: ("A process did not answer in time.", .json),
    ]
}

extension RouteDescription.Parameter {
    fileprivate var json: JSONValue {
        [
            "name": .string(name), "in": .string(place.rawValue), "required": .bool(place == .path),
            "schema": schema.json, "description": .string(meaning),
        ]
    }
}

extension RouteDescription.Body {
    fileprivate var json: JSONValue? {
        switch self {
        case .none: nil
        case .required(let schema): Self.json(schema, isRequired: true)
        case .optional(let schema): Self.json(schema, isRequired: false)
        }
    }

    private static func json(_ schema: Schema, isRequired: Bool) -> JSONValue {
        ["required": .bool(isRequired), "content": ["application/json": ["schema": schema.json]]]
    }
}

extension RouteDescription.Answer {
    fileprivate func json(headOnly: Bool) -> JSONValue {
        var object: JSONObject = ["description": .string(meaning.isEmpty ? "As asked." : meaning)]
        var content = JSONObject()
        for (kind, schema) in self.content {
            guard let type = kind.mediaType else { continue }
            content[type] = ["schema": schema.json]
        }
        if !headOnly, !content.isEmpty { object["content"] = .object(content) }
        return .object(object)
    }
}
