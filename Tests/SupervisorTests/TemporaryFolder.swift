import Glibc

/// A fresh folder that goes with its owner.
final class TemporaryFolder {
    let path: String

    init() {
        var template = Array("/tmp/srt-test-XXXXXX".utf8CString)
        path = mkdtemp(&template).map { String(cString: $0) } ?? "/tmp"
    }

    deinit { run(["/bin/rm", "-rf", path]) }

    func exists(_ name: String) -> Bool { access(path + "/" + name, F_OK) == 0 }

    func mode(_ name: String = "") -> mode_t {
        var info = stat()
        stat(path + (name.isEmpty ? "" : "/" + name), &info)
        return info.st_mode & 0o777
    }

    func put(_ name: String, _ text: String = "x") {
        guard let file = fopen(path + "/" + name, "w") else { return }
        fputs(text, file)
        fclose(file)
    }

    /// Runs a program to its end.
    private func run(_ words: [String]) {
        var pid = pid_t()
        var arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        guard posix_spawn(&pid, words[0], nil, nil, &arguments, nil) == 0 else { return }
        waitpid(pid, nil, 0)
    }
}
