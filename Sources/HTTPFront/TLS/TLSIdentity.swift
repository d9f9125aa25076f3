internal import NIOSSL
internal import ServerSettings
internal import Values

/// What a server shows its clients: a certificate with those that lead to an authority, and the key that proves it.
struct TLSIdentity {
    private let chain: [NIOSSLCertificate]
    private let key: NIOSSLPrivateKey
    private let files: TLSFiles

    /// Reads the files.
    init(_ files: TLSFiles) throws(TLSFileError) {
        let certificates = try Self.certificates(files.certificates ?? "")
        // As OpenSSL does: a chain that the file itself holds stays as it is.
        if certificates.count == 1, let path = files.authorities {
            chain = Self.completed(certificates[0], from: try Self.certificates(path))
        } else {
            if let path = files.authorities { _ = try Self.certificates(path) }
            chain = certificates
        }
        key = try Self.key(files)
        self.files = files
    }

    /// What new connections are made with. Clients are not asked for certificates.
    func context() throws(TLSFileError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.applicationProtocols = ["http/1.1"]
        // Nobody's certificate is checked: the system's list of authorities need not be read.
        configuration.trustRoots = .certificates([])
        do { return try NIOSSLContext(configuration: configuration) } catch {
            throw .mismatch(certificates: files.certificates ?? "", key: files.key ?? "")
        }
    }

    private static func bytes(_ path: String) throws(TLSFileError) -> [UInt8] {
        do { return try SmallFile.bytes(path, limit: 16 << 20, onlyRegular: true) } catch {
            throw .unreadable(path: path, reason: error.reason)
        }
    }

    private static func certificates(_ path: String) throws(TLSFileError) -> [NIOSSLCertificate] {
        let bytes = try bytes(path)
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty else {
            throw .noCertificate(path: path)
        }
        return certificates
    }

    private static func key(_ files: TLSFiles) throws(TLSFileError) -> NIOSSLPrivateKey {
        let (path, password) = (files.key ?? "", files.keyPassword ?? "")
        let bytes = try bytes(path)
        do {
            return try NIOSSLPrivateKey(bytes: bytes, format: .pem) { setter in setter(Array(password.utf8)) }
        } catch { throw .noKey(path: path) }
    }

    /// A certificate with those of the authorities between it and the one that signed itself.
    private static func completed(_ leaf: NIOSSLCertificate, from authorities: [NIOSSLCertificate])
        -> [NIOSSLCertificate]
    {
        var chain = [leaf]
        while let last = chain.last,
            let issuer = authorities.first(where: { $0.subjectName == last.issuerName && !chain.contains($0) }),
            issuer.subjectName != issuer.issuerName
        {
            chain.append(issuer)
        }
        return chain
    }
}
