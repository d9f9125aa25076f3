import Glibc
import Values

/// Writes a file anew; an error names it.
func writeFile(_ path: String, _ text: String) throws {
    guard let file = fopen(path, "w") else { throw fault(path) }
    var text = text + "\n"
    let written = text.withUTF8 { fwrite($0.baseAddress, 1, $0.count, file) == $0.count }
    guard fclose(file) == 0, written else { throw fault(path) }
}

/// A file's text; an error names it.
func readFile(_ path: String) throws -> String {
    do throws(SmallFile.Fault) {
        return String(decoding: try SmallFile.bytes(path), as: UTF8.self)
    } catch {
        throw BenchFailure("\(path): \(error.reason)")
    }
}

/// The system's last complaint, about a file.
private func fault(_ path: String) -> BenchFailure {
    BenchFailure("\(path): \(String(cString: strerror(errno)))")
}
