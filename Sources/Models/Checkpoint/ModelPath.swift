/// What a path that names a model or a tokenizer stands for: the one answer for configuration, weights and vocabulary.
///
/// Files are judged by what they hold and not by what they are called: Ollama's `sha256-…`, an unfinished `.gguf.part` and
/// `MODEL.GGUF` are what they begin with. A folder may be a model's, a hub's snapshot of links, or a hub's repository
/// (`models--org--name`), which stands for its newest snapshot.
package struct ModelPath: Sendable, Equatable {
    /// What kind of thing is there.
    package enum Kind: Sendable, Equatable {
        /// A folder of files.
        case folder
        /// A file that begins as GGUF does, or claims to by its ending.
        case gguf
        /// A file that begins as safetensors do, or claims to by its ending.
        case safetensors
        /// A file that begins with a JSON object.
        case json
        /// A file of another kind.
        case other
    }

    /// The path to open: as it was given, but for a hub's repository.
    package let path: String
    /// What kind of thing is there.
    package let kind: Kind
    /// The folder whose other files (config.json, tokenizer.json, …) belong to it.
    package let folder: String

    /// Looks at a path; throws when nothing is there, or a repository without a snapshot.
    package init(_ path: String) throws(CheckpointError) {
        guard fileExists(path) else { throw .unreadable(path: path, reason: "no such file or folder") }
        guard isFolder(path) else {
            self.path = path
            kind = try ModelPath.kind(ofFile: path)
            folder = folderPart(path)
            return
        }
        self.path = try ModelPath.snapshot(ofRepository: path) ?? path
        kind = .folder
        folder = self.path
    }

    /// Whether there is anything at a path.
    package static func isThere(_ path: String) -> Bool { fileExists(path) }

    /// The GGUF file that this is or that stands for the folder: its only one, or a part of its only split one; nil when
    /// there is none.
    package func gguf() throws(CheckpointError) -> String? {
        guard kind == .folder else { return kind == .gguf ? path : nil }
        let visible = try folderEntries(path).filter { !$0.hasPrefix(".") && !$0.hasPrefix("mmproj") }
        var names = visible.filter { ModelPath.hasEnding($0, ".gguf") }
        if names.isEmpty {
            let others = [".json", ".safetensors", ".txt", ".model", ".bin", ".md", ".jinja"]
            names = visible.filter { name in
                !others.contains { ModelPath.hasEnding(name, $0) } && ModelPath.isGGUF(joinedPath(path, name))
            }
        }
        let heads = names.filter { name in GGUFSplitName(name).map { $0.number == 1 } ?? true }
        guard heads.count <= 1 else {
            throw .unsupported(
                file: path, place: "folder", reason: "\(heads.count) GGUF models; give the path of one file")
        }
        return (heads.first ?? names.first).map { joinedPath(path, $0) }
    }

    /// Whether the folder has a file of this name; throws when that is a pointer to one that was not fetched.
    package func hasFile(_ name: String) throws(CheckpointError) -> Bool {
        let file = joinedPath(folder, name)
        guard fileExists(file) else { return false }
        _ = try MappedFile(path: file)
        return true
    }

    /// Whether a file begins with the magic of GGUF.
    private static func isGGUF(_ path: String) -> Bool {
        guard !isFolder(path), let file = try? MappedFile(path: path) else { return false }
        return file.starts(with: "GGUF".utf8)
    }

    private static func kind(ofFile path: String) throws(CheckpointError) -> Kind {
        let file = try MappedFile(path: path)
        if file.starts(with: "GGUF".utf8) || hasEnding(path, ".gguf") { return .gguf }
        // A safetensors file: the length of its header, whose upper bytes are zero, then the header's brace.
        let start = file.bytes.prefix(9)
        let isHeader = start.count == 9 && start[8] == UInt8(ascii: "{") && start[4..<8].allSatisfy { $0 == 0 }
        if isHeader || hasEnding(path, ".safetensors") { return .safetensors }
        let first = file.bytes.first { !" \t\r\n".utf8.contains($0) }
        return first == UInt8(ascii: "{") || hasEnding(path, ".json") ? .json : .other
    }

    /// The snapshot that a hub's repository folder stands for: the one that `refs/main` names, else its only one; nil for
    /// other folders.
    private static func snapshot(ofRepository folder: String) throws(CheckpointError) -> String? {
        let snapshots = joinedPath(folder, "snapshots")
        guard isFolder(snapshots), isFolder(joinedPath(folder, "blobs")) || isFolder(joinedPath(folder, "refs")) else {
            return nil
        }
        let names = try folderEntries(snapshots).filter { isFolder(joinedPath(snapshots, $0)) }
        let main = joinedPath(folder, "refs/main")
        if fileExists(main) {
            let file = try MappedFile(path: main)
            let named = String(decoding: file.bytes.prefix(200).filter { $0 > 0x20 }, as: UTF8.self)
            if names.contains(named) { return joinedPath(snapshots, named) }
        }
        guard names.count == 1 else {
            let reason = names.isEmpty ? "holds no snapshot" : "holds \(names.count) snapshots; give the path of one"
            throw .unsupported(file: folder, place: "repository", reason: reason)
        }
        return joinedPath(snapshots, names[0])
    }

    /// Whether a name ends so, in letters of either case.
    private static func hasEnding(_ name: String, _ ending: String) -> Bool {
        name.utf8.suffix(ending.utf8.count).elementsEqual(ending.utf8) { byte, wanted in
            byte == wanted || (65...90).contains(byte) && byte | 0x20 == wanted
        }
    }
}
