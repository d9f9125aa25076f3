internal import ChildRuntime
internal import FoundationEssentials
package import ServerSettings
internal import Values

/// The files by which the launcher hands each kind of process its settings.
package enum SettingsFile {
    /// Why a file is of no use.
    package enum Failure: Error, CustomStringConvertible {
        case unreadable(String)
        case malformed(String, reason: String)

        package var description: String {
            switch self {
            case .unreadable(let path): "cannot read \(path)"
            case .malformed(let path, let reason): "\(path): \(reason)"
            }
        }
    }

    /// All files for these settings by name; the keys are in the front's alone.
    package static func all(_ settings: ServerSettings) throws -> [String: [UInt8]] {
        let contents = [
            try bytes(FrontSettings(settings)), try bytes(TextSettings(settings)), try bytes(WorkerSettings(settings)),
        ]
        return Dictionary(uniqueKeysWithValues: zip(ChildIdentity.settingsFiles, contents))
    }

    private static func bytes(_ settings: some RoleSettings) throws -> [UInt8] {
        Array(try JSONEncoder().encode(settings))
    }

    /// The settings at a path.
    package static func read<Settings: RoleSettings>(
        _ type: Settings.Type = Settings.self, at path: String
    ) throws(Failure) -> Settings {
        guard let bytes = readWholeFile(path) else { throw .unreadable(path) }
        do { return try JSONDecoder().decode(type, from: Data(bytes)) } catch {
            throw .malformed(path, reason: "\(error)")
        }
    }
}
