/// Why the files that TLS needs cannot be used.
enum TLSFileError: Error, Equatable, CustomStringConvertible {
    case unreadable(path: String, reason: String)
    /// No certificate stands in the file.
    case noCertificate(path: String)
    /// No key stands in the file, or its password is another.
    case noKey(path: String)
    /// The key is not that of the certificate.
    case mismatch(certificates: String, key: String)

    var description: String {
        switch self {
        case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
        case .noCertificate(let path): "\(path) holds no certificate in PEM form"
        case .noKey(let path): "\(path) holds no private key in PEM form, or --ssl-keyfile-password is not its password"
        case .mismatch(let certificates, let key): "the private key in \(key) does not belong to \(certificates)"
        }
    }
}
