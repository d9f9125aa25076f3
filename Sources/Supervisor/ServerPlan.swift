/// What the supervisor is to run, apart from its policy: everything that comes from the settings.
package struct ServerPlan: Sendable {
    package var host = "127.0.0.1"
    package var port = 30000
    /// Where sockets and state go; nil for a fresh private folder.
    package var runDirectory: String?
    /// What the files of `ChildIdentity.settingsFiles` hold, by name, once the real port and run directory are known.
    package var settingsFiles: SettingsFiles
    package var policy = SupervisorPolicy()
    /// Shown to operators.
    package var modelName = ""
    /// The warm-up request.
    package var warmupPath = "/generate"
    package var warmupBody = ""
    package var apiKey: String?
    /// Clients speak TLS; the launcher itself asks on `ChildIdentity.plainSocketName`.
    package var isSecure = false
    /// Lines below this level are not written.
    package var quietestLevel = LogLine.Level.info
    /// Lines to log before anything else, with their levels: warnings about flags, and the line of all arguments.
    package var openingLines: [LogLine] = []

    /// Makes the files of settings.
    package typealias SettingsFiles = @Sendable (_ port: Int, _ runDirectory: String) throws -> [String: [UInt8]]

    package init(settingsFiles: @escaping SettingsFiles) { self.settingsFiles = settingsFiles }
}
