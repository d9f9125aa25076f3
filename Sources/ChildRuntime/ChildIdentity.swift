internal import Glibc
package import Messages

/// Which process of a server this is: what the launcher tells a child it spawns, through the environment.
package struct ChildIdentity: Sendable, Equatable {
    /// Descriptor of the lifeline: a pipe whose writing end only the launcher holds, so that its end of file means "launcher gone".
    package static let lifelineDescriptor: Int32 = 3
    /// Descriptor of the listening HTTP socket, which the front alone inherits.
    package static let listenerDescriptor: Int32 = 4
    /// Descriptor of the memory that the ranks of a tensor-parallel group share; only they inherit it.
    package static let groupDescriptor: Int32 = 5
    /// Descriptor of the memory in which a tokenizer is kept for the next process that needs it; all but the front inherit it.
    package static let tokenizerDescriptor: Int32 = 6
    /// Descriptor of the memory in which fronts keep the clients' sessions for their successors; fronts alone inherit it.
    package static let sessionsDescriptor: Int32 = 5
    /// Descriptor of the pipe on which a process says why it ends by itself (`LastWords`).
    package static let wordsDescriptor: Int32 = 7
    /// Descriptor of the memory that says which weights are served; fronts and model workers inherit it.
    package static let weightsDescriptor: Int32 = 8
    /// Descriptor of the memory with a rank's keys and values; model workers inherit it.
    package static let cacheDescriptor: Int32 = 9
    /// Descriptor of the memory in which rank 0 writes down what the cache's slots hold; model workers inherit it.
    package static let slotsDescriptor: Int32 = 10
    /// Name of the socket in the run directory on which a front whose clients speak TLS takes plain HTTP from the launcher.
    package static let plainSocketName = "http.ipc"
    /// Exit code of a rank that ends because another one did not come to a meeting (EX_TEMPFAIL).
    package static let missingRankExit: Int32 = 75
    /// Names of the files in the run directory with what each kind of process is told.
    package static let settingsFiles = ["settings.http.json", "settings.text.json", "settings.scheduler.json"]

    package var role: Role
    /// Tensor-parallel rank; 0 for everything but model workers.
    package var rank: Int
    /// Number of tensor-parallel ranks.
    package var size: Int
    /// Which incarnation of this process it is, counted from 1 over the life of the launcher.
    package var generation: UInt64
    package var runDirectory: String
    package var launcher: Int32

    package init(role: Role, rank: Int, size: Int, generation: UInt64, runDirectory: String, launcher: Int32) {
        self.role = role
        self.rank = rank
        self.size = size
        self.generation = generation
        self.runDirectory = runDirectory
        self.launcher = launcher
    }

    /// What `ps` shows.
    package var title: String { Self.title(role, rank: rank, size: size) }

    /// The title of a role's process, with SGLang's suffix when there are several ranks.
    package static func title(_ role: Role, rank: Int, size: Int) -> String {
        switch role {
        case .launcher: "sglang::launcher"
        case .http: "sglang::http"
        case .tokenizerManager: "sglang::tokenizer_manager"
        case .scheduler: size > 1 ? "sglang::scheduler_TP\(rank)" : "sglang::scheduler"
        case .detokenizer: "sglang::detokenizer"
        case .UNRECOGNIZED(let number): "sglang::role_\(number)"
        }
    }

    /// The file in the run directory with what this process is told.
    package var settingsFile: String {
        let name =
            switch role {
            case .http: Self.settingsFiles[0]
            case .tokenizerManager, .detokenizer: Self.settingsFiles[1]
            case .scheduler: Self.settingsFiles[2]
            case .launcher, .UNRECOGNIZED: "no settings"
            }
        return runDirectory + "/" + name
    }

    /// The environment entry that carries the identity.
    package var environmentEntry: String {
        "SRT_CHILD=\(role.rawValue),\(rank),\(size),\(generation),\(launcher),\(runDirectory)"
    }

    /// The identity that the launcher gave this process; nil when a user started it.
    package static func current() -> ChildIdentity? {
        guard let raw = getenv("SRT_CHILD") else { return nil }
        return ChildIdentity(parsing: String(cString: raw))
    }

    /// Reads `role,rank,size,generation,launcher,runDirectory`.
    package init?(parsing text: String) {
        let parts = text.split(separator: ",", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, let number = Int(parts[0]), let role = Role(rawValue: number), let rank = Int(parts[1]),
            let size = Int(parts[2]), let generation = UInt64(parts[3]), let launcher = Int32(parts[4])
        else { return nil }
        self.init(
            role: role, rank: rank, size: size, generation: generation, runDirectory: String(parts[5]),
            launcher: launcher)
    }
}
