internal import CPlatform
internal import ChildRuntime
internal import Glibc
internal import HTTPFront
internal import Messages
internal import ModelWorker
internal import ServerSettings
internal import TextWorkers

/// What a child does with its life.
enum Roles {
    /// Shows in `ps` who this is; to be called on the main thread, whose name that is.
    static func takeTitle(_ identity: ChildIdentity) {
        platform_set_title(CommandLine.argc, CommandLine.unsafeArgv, identity.title)
    }

    /// Plays any role but the front's until the process ends.
    static func run(_ identity: ChildIdentity) -> Never {
        do {
            let file = identity.settingsFile
            switch identity.role {
            case .tokenizerManager: try runTokenizerManager(identity: identity, settings: SettingsFile.read(at: file))
            case .scheduler: try runModelWorker(identity: identity, settings: SettingsFile.read(at: file))
            case .detokenizer: try runDetokenizer(identity: identity, settings: SettingsFile.read(at: file))
            case .http, .launcher, .UNRECOGNIZED: throw UnknownRole(number: identity.role.rawValue)
            }
            exit(0)
        } catch {
            fail(error)
        }
    }

    /// Plays the front's role until the process ends.
    static func runFront(_ identity: ChildIdentity) async -> Never {
        do {
            try await runHTTPFront(identity: identity, settings: SettingsFile.read(at: identity.settingsFile))
        } catch {
            fail(error)
        }
    }

    /// Tells the launcher what went wrong, which puts it into the log, and ends the process.
    private static func fail(_ error: any Error) -> Never {
        LastWords.leave("\(error)")
        exit(1)
    }
}

/// A child was told to be something that this version does not know.
private struct UnknownRole: Error, CustomStringConvertible {
    let number: Int

    var description: String { "role \(number) is unknown" }
}
