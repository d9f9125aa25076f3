internal import Glibc

/// Why a process ends by itself, told to the launcher on a pipe of its own, so that nobody has to look for it in the log. What was
/// written is there for the launcher, however fast the process ends after it.
package enum LastWords {
    /// Bytes that are taken; a pipe holds more, so writing never waits.
    package static let limit = 16384

    /// Leaves them; the process is to end now.
    package static func leave(_ text: String) {
        let bytes = Array(text.utf8.prefix(limit))
        _ = write(ChildIdentity.wordsDescriptor, bytes, bytes.count)
    }
}
