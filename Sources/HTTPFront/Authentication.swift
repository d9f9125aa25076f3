internal import APICore

/// Who may call what: the API key for ordinary routes, the admin key for operators' routes.
struct Authentication: Sendable {
    let apiKey: String?
    let adminKey: String?

    /// Paths that answer without a key, since machines poll them.
    private static let openPrefixes = ["/health", "/ready", "/metrics"]

    /// Whether a request may pass.
    ///
    /// - Parameter authorization: the header's value.
    func allows(path: String, access: Route.Access, authorization: String?) -> Bool {
        if Self.openPrefixes.contains(where: path.hasPrefix) { return true }
        let required =
            switch access {
            case .client: apiKey
            case .admin: adminKey ?? apiKey
            }
        guard let required else { return true }
        guard let token = Self.bearerToken(authorization) else { return false }
        return Self.areEqual(Array(token.utf8), Array(required.utf8))
    }

    private static func bearerToken(_ header: String?) -> Substring? {
        guard let header, let space = header.firstIndex(of: " "), header[..<space].lowercased() == "bearer" else {
            return nil
        }
        return header[header.index(after: space)...]
    }

    /// Compares in a time that depends on the length of `given` only.
    private static func areEqual(_ given: [UInt8], _ secret: [UInt8]) -> Bool {
        var difference: UInt8 = given.count == secret.count ? 0 : 1
        for (index, byte) in given.enumerated() {
            difference |= byte ^ (secret.isEmpty ? 0 : secret[index % secret.count])
        }
        return difference == 0
    }
}
