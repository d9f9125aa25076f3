internal import Values

/// Reads small files whole.
enum FileBytes {
    /// Longest file that is read; the biggest published vocabularies take about 40 MB.
    static let limit = 512 << 20

    /// The bytes of a file, or nil if there is none.
    static func read(_ file: String) throws(TokenizerError) -> [UInt8]? {
        do throws(SmallFile.Fault) {
            return try SmallFile.bytes(file, limit: limit, onlyRegular: true)
        } catch {
            if error.isMissing { return nil }
            throw .unreadable(file: file, reason: error.reason)
        }
    }
}
