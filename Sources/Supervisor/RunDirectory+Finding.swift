internal import ChildRuntime
internal import Glibc
internal import Values

/// Folders of servers that live, and of those that died.
extension RunDirectory {
    /// `$XDG_RUNTIME_DIR/srt`, or `/tmp/srt-UID` where there is none.
    package static var defaultBase: String {
        if let raw = getenv("XDG_RUNTIME_DIR") {
            let folder = String(cString: raw)
            if folder.hasPrefix("/"), folder.utf8.count < 60, access(folder, W_OK) == 0 { return folder + "/srt" }
        }
        return "/tmp/srt-\(getuid())"
    }

    /// The folders of servers that live, under the places where they are by default.
    package static func living(bases: [String] = [defaultBase, "/tmp/srt-\(getuid())"]) -> [String] {
        var found: [String] = []
        for base in bases {
            for name in entries(of: base) where isLocked(base + "/" + name) && !found.contains(base + "/" + name) {
                found.append(base + "/" + name)
            }
        }
        return found.sorted()
    }

    /// Whether a launcher holds the folder.
    package static func isLocked(_ path: String) -> Bool {
        let descriptor = open(path + "/" + lockFile, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0
    }

    /// The launcher's pid as its file tells it.
    package static func pid(in path: String) -> Int32? {
        guard let text = readWholeFile(path + "/" + lockFile) else { return nil }
        return Int32(String(decoding: text, as: UTF8.self).filter(\.isNumber))
    }

    /// Removes a folder whose launcher is dead.
    static func removeIfStale(_ path: String) {
        let descriptor = open(path + "/" + lockFile, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        if descriptor >= 0 {
            defer { close(descriptor) }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return }
            for name in serverFiles(in: path) { unlink(path + "/" + name) }
        } else if errno == ENOENT {
            // Its owner removed the lock last but one thing, or left state.json behind.
            for name in serverFiles(in: path) { unlink(path + "/" + name) }
        } else {
            return
        }
        rmdir(path)
    }

    /// The files that a server makes, and no others: a folder given by hand may hold more.
    static func serverFiles(in path: String) -> [String] {
        entries(of: path).filter { name in
            [".ipc", ".pid", ".new"].contains { name.hasSuffix($0) } || name == stateFile
                || ChildIdentity.settingsFiles.contains(name) || name == logFile || name == logFile + ".1"
        }
    }

    /// What lies in a folder.
    static func entries(of path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
