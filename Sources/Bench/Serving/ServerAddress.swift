import ArgumentParser

/// Where a running server is: an address and a port, or both in one URL.
package struct ServerAddress: ParsableArguments {
    @Option(help: "Name or address of the server (default: 127.0.0.1).")
    var host: String?

    @Option(help: "Its port (default: 30000).")
    var port: Int?

    @Option(help: "Both in one, http://HOST:PORT, with what precedes the paths of a server behind another.")
    var url: String?

    /// For the command line parser.
    package init() {}

    /// Refuses what names no server, or two.
    package func validate() throws { _ = try target(apiKey: nil) }

    /// Where requests go, with the token that they carry.
    package func target(apiKey: String?) throws -> Target {
        if let url {
            guard host == nil, port == nil else {
                throw ValidationError("--url names host and port already; leave out --host and --port")
            }
            guard let target = Target(url: url, apiKey: apiKey) else {
                throw ValidationError("--url is http://HOST:PORT, not `\(url)`")
            }
            return target
        }
        let (host, port) = (host ?? "127.0.0.1", port ?? 30000)
        guard (1...65535).contains(port) else { throw ValidationError("--port is 1 ... 65535, not \(port)") }
        let name = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        guard !host.contains("/"), let target = Target(url: "http://\(name):\(port)", apiKey: apiKey) else {
            throw ValidationError("--host is a name or an address, not `\(host)`")
        }
        return target
    }
}
