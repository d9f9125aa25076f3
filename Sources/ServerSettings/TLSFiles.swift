/// Where the server finds what it shows clients that want TLS (`--ssl-…`); paths as the operator wrote them.
package struct TLSFiles: Sendable, Codable, Equatable {
    /// PEM with the server's certificate and those that lead to an authority (`--ssl-certfile`); nil: plain HTTP.
    package var certificates: String?
    /// PEM with the certificate's private key (`--ssl-keyfile`).
    package var key: String?
    /// What decrypts the key (`--ssl-keyfile-password`).
    package var keyPassword: String?
    /// PEM with authorities (`--ssl-ca-certs`) out of which a chain is completed that the certificate file leaves open.
    package var authorities: String?

    /// Plain HTTP.
    package init() {}

    /// Clients speak TLS.
    package var areGiven: Bool { certificates != nil }
}
