package import Foundation
internal import Glibc

/// A fresh folder that goes with its owner; its path is short, since sockets in it must have short names.
package final class TemporaryFolder {
    /// Where it is.
    package let path: String

    /// Makes the folder.
    package init() {
        var template = Array("/tmp/srt-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("mkdtemp: \(String(cString: strerror(errno)))") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and returns its path.
    @discardableResult
    package func write(_ name: String, _ bytes: [UInt8]) -> String {
        let file = path + "/" + name
        try! Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }

    /// Writes a text file and returns its path.
    @discardableResult
    package func write(_ name: String, text: String = "x") -> String { write(name, Array(text.utf8)) }

    /// Whether something of this name lies there.
    package func exists(_ name: String) -> Bool { access(path + "/" + name, F_OK) == 0 }

    /// Permissions of the folder, or of what lies in it.
    package func mode(_ name: String = "") -> mode_t {
        var info = stat()
        stat(path + (name.isEmpty ? "" : "/" + name), &info)
        return info.st_mode & 0o777
    }
}
