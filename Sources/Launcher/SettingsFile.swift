internal import ChildRuntime
internal import FoundationEssentials
internal import JSON
package import ServerSettings
internal import Supervisor
internal import Values

/// The file by which the launcher hands its settings to the children.
package enum SettingsFile {
    /// Why the file is of no use.
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

    /// The content for these settings.
    package static func bytes(_ settings: ServerSettings) throws -> [UInt8] {
        Array(try JSONEncoder().encode(settings))
    }

    /// The settings in a run directory.
    package static func read(in runDirectory: String) throws(Failure) -> ServerSettings {
        let path = runDirectory + "/" + ChildIdentity.settingsFile
        guard let bytes = readWholeFile(path) else { throw .unreadable(path) }
        do throws(JSONError) { return try JSON.decode(ServerSettings.self, from: bytes) } catch {
            throw .malformed(path, reason: error.description)
        }
    }
}
