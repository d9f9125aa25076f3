/// Who reaches the server how, and what is written about requests.
extension FlagCatalog {
    private static let path = FlagKind.text(valueName: "PATH")

    /// TLS.
    static let encryption: [Flag] = [
        Flag(
            name: "ssl-certfile", kind: path, standing: .honoured(FlagBinding(\.tls.certificates)), section: .serving,
            help: "PEM file with the server's certificate, for HTTPS"),
        Flag(
            name: "ssl-keyfile", kind: path, standing: .honoured(FlagBinding(\.tls.key)), section: .serving,
            help: "PEM file with its private key"),
        Flag(
            name: "ssl-keyfile-password", kind: .text(valueName: "PASSWORD"),
            standing: .honoured(FlagBinding(\.tls.keyPassword)), section: .serving,
            help: "what decrypts the private key", isSecret: true),
        Flag(
            name: "ssl-ca-certs", kind: path, standing: .honoured(FlagBinding(\.tls.authorities)), section: .serving,
            help: "PEM file with authorities that complete the certificate's chain"),
        Flag(
            name: "enable-ssl-refresh", kind: .toggle, standing: .inherent(.bool(true)), section: .serving,
            help: "always so: changed files are read anew"),
    ]

    /// Lines about requests.
    static let requestLines: [Flag] = [
        Flag(
            name: "uvicorn-access-log-exclude-prefixes", kind: .list(atLeast: 0),
            standing: .honoured(FlagBinding(\.accessLogExcludePrefixes)), section: .observability,
            help: "paths that begin so have no access lines"),
        Flag(
            name: "log-requests", kind: .toggle, standing: .honoured(FlagBinding(\.requestLog.isOn)),
            section: .observability, help: "write a line when a request comes and one when it is answered"),
        Flag(
            name: "log-requests-level", kind: .integer(RequestLogChoices.levels),
            standing: .honoured(FlagBinding(\.requestLog.level)), section: .observability,
            help: "0 to 3: how much of a request they hold"),
        Flag(
            name: "log-requests-format", kind: .choice(RequestLogChoices.Format.allCases.map(\.rawValue)),
            standing: .honoured(FlagBinding(\.requestLog.format)), section: .observability,
            help: "form of these lines"),
        Flag(
            name: "log-requests-target", kind: .list(atLeast: 1),
            standing: .honoured(FlagBinding(\.requestLog.targets)), section: .observability,
            help: "stdout (the server's log) or folders for them (stdout)"),
    ]
}
