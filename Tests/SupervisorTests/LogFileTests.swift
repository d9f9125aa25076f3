import Supervisor
import TestSupport
import Testing
import Values

/// The log in the run directory.
@Suite struct LogFileTests {
    private func lines(_ path: String) -> [String] {
        String(decoding: readWholeFile(path) ?? [], as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test func keepsTheNewestLinesInTwoFiles() throws {
        let folder = TemporaryFolder()
        let log = LogFile(directory: folder.path, limit: 1000)
        for number in 0..<1000 { log.write("line \(number)") }
        let (old, new) = (lines(folder.path + "/server.log.1"), lines(folder.path + "/server.log"))
        let kept = old + new
        #expect(kept == (1000 - kept.count..<1000).map { "line \($0)" })
        #expect(old.joined(separator: "\n").utf8.count >= 990 && old.joined(separator: "\n").utf8.count < 1100)
    }

    @Test func aFolderThatIsNotThereCostsNothing() {
        let log = LogFile(directory: "/nonexistent/folder")
        log.write("a line")
    }
}
