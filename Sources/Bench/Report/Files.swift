import Glibc

/// Writes a file anew; an error names it.
func writeFile(_ path: String, _ text: String) throws {
    guard let file = fopen(path, "w") else { throw fault(path) }
    var text = text + "\n"
    let written = text.withUTF8 { fwrite($0.baseAddress, 1, $0.count, file) == $0.count }
    guard fclose(file) == 0, written else { throw fault(path) }
}

/// A file's text; an error names it.
func readFile(_ path: String) throws -> String {
    guard let file = fopen(path, "r") else { throw fault(path) }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
    guard ferror(file) == 0 else { throw fault(path) }
    return String(decoding: bytes, as: UTF8.self)
}

/// The system's last complaint, about a file.
private func fault(_ path: String) -> BenchFailure {
    BenchFailure("\(path): \(String(cString: strerror(errno)))")
}
