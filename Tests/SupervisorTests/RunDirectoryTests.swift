import Glibc
import Supervisor
import TestSupport
import Testing
import Values

@Suite struct RunDirectoryTests {
    let folder = TemporaryFolder()

    @Test func makesAPrivateFolderNamedAfterThePort() throws {
        let directory = try RunDirectory(at: nil, port: 30123, base: folder.path + "/base")
        #expect(directory.path == "\(folder.path)/base/30123-\(getpid())")
        #expect(folder.mode("base") == 0o700)
        #expect(folder.mode("base/30123-\(getpid())") == 0o700)
        #expect(RunDirectory.isLocked(directory.path))
        #expect(RunDirectory.pid(in: directory.path) == getpid())
        #expect(RunDirectory.living(bases: [folder.path + "/base"]) == [directory.path])
        directory.removeFiles()
        #expect(!folder.exists("base/30123-\(getpid())"))
    }

    @Test func refusesAFolderWhoseServerLives() throws {
        let path = folder.path + "/run"
        let owner = try RunDirectory(at: path, port: 1)
        owner.write("state.json")
        #expect(throws: RunDirectoryError.inUse(path: path, pid: getpid())) {
            _ = try RunDirectory(at: path, port: 1).path
        }
        #expect(folder.exists("run/state.json"))
    }

    @Test func takesOverAFolderWhoseServerDied() throws {
        let path = folder.path + "/run"
        mkdir(path, 0o755)
        for name in ["launcher.pid", "front.ipc", "http.pid", "state.json", "settings.http.json", "notes.txt"] {
            folder.write("run/" + name)
        }
        let directory = try RunDirectory(at: path, port: 1)
        #expect(folder.mode("run") == 0o700)
        #expect(!folder.exists("run/front.ipc") && !folder.exists("run/http.pid") && !folder.exists("run/state.json"))
        #expect(folder.exists("run/notes.txt"))
        directory.removeFiles()
        #expect(folder.exists("run/notes.txt") && !folder.exists("run/launcher.pid"))
    }

    @Test func sweepsAwayTheDeadAndSparesTheLiving() throws {
        let base = folder.path + "/base"
        mkdir(base, 0o700)
        let living = try RunDirectory(at: base + "/1-1", port: 1)
        mkdir(base + "/2-2", 0o700)
        folder.write("base/2-2/launcher.pid", text: "999999\n")
        folder.write("base/2-2/front.ipc")
        mkdir(base + "/3-3", 0o700)
        folder.write("base/3-3/state.json")
        let directory = try RunDirectory(at: nil, port: 4, base: base)
        #expect(folder.exists("base/1-1/launcher.pid"))
        #expect(!folder.exists("base/2-2") && !folder.exists("base/3-3"))
        #expect(RunDirectory.living(bases: [base]).count == 2)
        directory.removeFiles()
        living.removeFiles()
    }

    @Test func aFileIsReplacedInOnePieceAndIsPrivate() throws {
        let directory = try RunDirectory(at: folder.path + "/run", port: 1)
        try directory.write("settings.http.json", Array("{}".utf8))
        try directory.write("settings.http.json", Array("{\"a\":1}".utf8))
        #expect(readWholeFile(directory.path + "/settings.http.json") == Array("{\"a\":1}".utf8))
        #expect(folder.mode("run/settings.http.json") == 0o600)
        #expect(!folder.exists("run/settings.http.json.new"))
    }

    @Test func notesAndForgetsPids() throws {
        let directory = try RunDirectory(at: folder.path + "/run", port: 1)
        directory.notePid(42, of: "sglang::scheduler_TP1")
        #expect(readWholeFile(directory.path + "/scheduler_TP1.pid") == Array("42\n".utf8))
        directory.notePid(nil, of: "sglang::scheduler_TP1")
        #expect(!folder.exists("run/scheduler_TP1.pid"))
    }

    @Test func keepsTheStateWhenAsked() throws {
        let directory = try RunDirectory(at: nil, port: 5, base: folder.path)
        directory.write("state.json")
        directory.removeFiles(keepingState: true)
        #expect(readWholeFile(directory.path + "/state.json") != nil)
        #expect(readWholeFile(directory.path + "/launcher.pid") == nil)
    }

    @Test func aNameTooLongForSocketsIsRefused() {
        let path = "/tmp/" + String(repeating: "a", count: 100)
        #expect(throws: RunDirectoryError.pathTooLong(path)) { _ = try RunDirectory(at: path, port: 1).path }
    }

    @Test func aLinkInPlaceOfTheFolderIsRefused() {
        let path = folder.path + "/link"
        symlink("/tmp", path)
        #expect(throws: RunDirectoryError.notOurs(path)) { _ = try RunDirectory(at: path, port: 1).path }
    }
}

extension RunDirectory {
    fileprivate func write(_ name: String) { try? write(name, [120]) }
}
