internal import HTTPTypes
package import Hummingbird
internal import JSON
internal import ServerSettings

/// What the log of requests tells of an HTTP exchange beside its rows: headers, and what OpenAI's routes were sent.
struct LoggedExchange: Sendable {
    /// That of the request whose handler runs; nil: nothing is logged.
    @TaskLocal static var current: LoggedExchange?

    /// Headers that are told, by their names in lower case.
    let headers: JSONObject
    /// Is told the request's body; nil: the body is not told.
    fileprivate let log: RequestLog?

    /// The request's body is here.
    func received(_ body: [UInt8]) async {
        guard let log else { return }
        let value = try? await reading(body) { (bytes: [UInt8]) throws(JSONError) in try JSON.parse(bytes) }
        guard let value else { return }
        log.received(body: value, headers: headers)
    }
}

extension RequestLog {
    /// Runs a request's handler, whose lines tell the request's headers.
    ///
    /// - Parameter tellsBody: the body as it was sent has a line of its own.
    package func following(
        _ request: Request, tellsBody: Bool, _ handle: () async throws -> Response
    ) async throws -> Response {
        let lines = choices.lines
        guard lines.isOn else { return try await handle() }
        var headers = JSONObject()
        for name in lines.headers {
            guard let field = HTTPField.Name(name), let value = request.headers[field], !value.isEmpty else { continue }
            headers[name] = .string(value)
        }
        let exchange = LoggedExchange(headers: headers, log: tellsBody && lines.level >= 2 ? self : nil)
        return try await LoggedExchange.$current.withValue(exchange) { try await handle() }
    }
}

extension RequestRecord {
    /// A body as the log shows it: without nulls, and without the middle of what is long.
    static func shown(_ value: JSONValue, _ level: Int) -> JSONValue {
        switch value {
        case .string(let text): return shortened(text, level)
        case .array(let elements):
            let all = elements.map { shown($0, level) }
            guard level < 3, all.count > longest else { return .array(all) }
            return .array(all.prefix(longest / 2) + ["..."] + all.suffix(longest / 2))
        case .object(let members):
            var object = JSONObject()
            for (name, member) in members where !member.isNull { object[name] = shown(member, level) }
            return .object(object)
        default: return value
        }
    }
}
