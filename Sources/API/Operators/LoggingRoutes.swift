internal import APICore
internal import Hummingbird
internal import JSON
internal import Ledger
internal import Messages
internal import ServerSettings

/// What is written about requests, changed while the server runs: /configure_logging.
struct LoggingRoutes: Sendable {
    let requestLog: RequestLog
    let keepsake: FrontKeepsake

    var routes: [Route] {
        [Route([.get, .post], "/configure_logging", .admin) { [self] in try await configure($0, $1) }]
    }

    /// Fields that only a start can set, and the flags that do.
    private static let fixed = [("log_level", "--log-level"), ("crash_dump_folder", "--crash-dump-folder")]

    private func configure(_ request: Request, _ context: RouteContext) async throws -> Response {
        let fields = try await request.optionalFields(context)
        for (name, flag) in Self.fixed {
            guard let value = try fields.string(name), !value.isEmpty else { continue }
            throw RequestFailure.invalid(
                name == "log_level"
                    ? "\(name) cannot be changed while the server runs; start it with \(flag)."
                    : "\(name) is not supported: a crash loses no request. Use dump_requests_folder.")
        }
        var choices = requestLog.choices
        try Self.read(fields, &choices.lines)
        try Self.read(fields, &choices.dump)
        try requestLog.set(choices)
        keepsake.order { $0.requestLog = RequestLogOrders(choices) }
        return .empty()
    }

    private static func read(_ fields: RequestFields, _ lines: inout RequestLogChoices) throws(RequestFailure) {
        lines.isOn = try fields.bool("log_requests", or: lines.isOn)
        if let level = try fields.int("log_requests_level") {
            guard RequestLogChoices.levels.contains(level) else {
                throw .malformed("body.log_requests_level: Input should be from 0 to 3, got \(level)")
            }
            lines.level = level
        }
        if let word = try fields.string("log_requests_format") {
            guard let format = RequestLogChoices.Format(rawValue: word) else {
                throw .malformed("body.log_requests_format: Input should be 'text' or 'json'")
            }
            lines.format = format
        }
    }

    private static func read(_ fields: RequestFields, _ dump: inout RequestDump.Choices) throws(RequestFailure) {
        dump.folder = try fields.string("dump_requests_folder") ?? dump.folder
        if let threshold = try fields.int("dump_requests_threshold") {
            guard (1...Int(Int32.max)).contains(threshold) else {
                throw .malformed("body.dump_requests_threshold: Input should be greater than 0, got \(threshold)")
            }
            dump.threshold = threshold
        }
        let keys = try fields.oneOrMany("dump_requests_exclude_meta_keys", "a valid string", \.stringValue)
        dump.excludedKeys = keys?.all ?? dump.excludedKeys
    }
}

extension RequestLogOrders {
    /// What the fronts after this one need to know.
    fileprivate init(_ choices: RequestLog.Choices) {
        self = .make {
            ($0.isOn, $0.level) = (choices.lines.isOn, UInt32(choices.lines.level))
            $0.asJson = choices.lines.format == .json
            ($0.dumpFolder, $0.dumpThreshold) = (choices.dump.folder, UInt32(choices.dump.threshold))
            $0.dumpExcludedKeys = choices.dump.excludedKeys
        }
    }
}
