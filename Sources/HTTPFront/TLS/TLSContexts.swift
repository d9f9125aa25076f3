internal import Logging
internal import NIOSSL
internal import ServerSettings
internal import Synchronization
internal import Values

/// What new TLS connections are made with: follows the files when they change, and stays with what it has where they make no
/// sense.
final class TLSContexts: Sendable {
    private struct State {
        var context: NIOSSLContext
        /// The files as they were last read, whether or not that went well.
        var stamps: [FileStamp]
    }

    private let files: TLSFiles
    private let log: Logger
    private let state: Mutex<State>

    /// Reads the files.
    init(_ files: TLSFiles, log: Logger) throws(TLSFileError) {
        self.files = files
        self.log = log
        // The stamps first: what is written while the files are read shows later.
        let stamps = Self.stamps(files)
        state = Mutex(State(context: try TLSIdentity(files).context(), stamps: stamps))
    }

    /// For a connection that begins now.
    var current: NIOSSLContext {
        state.withLock { state in
            let stamps = Self.stamps(files)
            guard stamps != state.stamps else { return state.context }
            state.stamps = stamps
            do {
                state.context = try TLSIdentity(files).context()
                log.info("The TLS certificate was read anew from \(files.certificates ?? "")")
            } catch {
                log.error("The TLS certificate stays as it was: \(error)")
            }
            return state.context
        }
    }

    private static func stamps(_ files: TLSFiles) -> [FileStamp] {
        [files.certificates, files.key, files.authorities].compactMap { $0 }.map { FileStamp(path: $0) }
    }
}
