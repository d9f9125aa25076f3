package import ChatTemplates
package import JSON
internal import Models
package import ServerSettings
internal import Values

/// Finds and reads the chat templates that the settings name: a built-in one, one in a file, or those that the model brings.
///
/// - Throws: One line that names the file and the place, for a template that an operator named; what is wrong with one of the
///   model's own is told where it is used.
package func openTemplates(_ choice: some TemplateChoice) throws -> TemplateSet {
    if let named = choice.chatTemplate {
        var sources = TemplateSources()
        sources.override = try TemplateFiles.text(named)
        return TemplateSet(sources)
    }
    return TemplateSet(try TemplateFiles.sources(ModelPath(choice.tokenizerPath)), choosing: choice.chatTemplateName)
}

/// A template that an operator named cannot be used.
struct UnusableTemplate: Error, CustomStringConvertible {
    /// The file, or the word in its place.
    let name: String
    let reason: String

    var description: String { "--chat-template \(name): \(reason)" }
}

/// The files in which chat templates lie.
private enum TemplateFiles {
    /// More than any template needs.
    private static let limit = 8 << 20

    /// The text that `--chat-template` stands for, which must be a template.
    static func text(_ name: String) throws -> String {
        if let builtin = BuiltinTemplate.named(name) { return builtin.source }
        let file: String
        do { file = String(decoding: try SmallFile.bytes(name, limit: limit, onlyRegular: true), as: UTF8.self) } catch
        {
            let names = BuiltinTemplate.names.joined(separator: ", ")
            throw UnusableTemplate(
                name: name, reason: "\(error.reason); it is a file, or one of the built-in templates \(names)")
        }
        var text = file
        if name.hasSuffix(".json") {
            guard let json = try? JSON.parse(file), let inside = json.stringValue ?? json["chat_template"]?.stringValue
            else { throw UnusableTemplate(name: name, reason: "no JSON object with the text of a `chat_template`") }
            text = inside
        }
        text = trimmed(text)
        do { _ = try ChatTemplate(text) } catch { throw UnusableTemplate(name: name, reason: "\(error)") }
        return text
    }

    /// The text without the line ends around it, as the reference reads such files.
    private static func trimmed(_ text: String) -> String {
        let isLineEnd = { (byte: UInt8) in byte == UInt8(ascii: "\n") }
        let kept = text.utf8.drop(while: isLineEnd)
        guard let last = kept.lastIndex(where: { !isLineEnd($0) }) else { return "" }
        return String(decoding: kept[...last], as: UTF8.self)
    }

    /// What a model's folder, and its GGUF file, hold.
    static func sources(_ place: ModelPath) throws -> TemplateSources {
        let folder = place.folder
        var sources = TemplateSources()
        sources.file = try read("\(folder)/chat_template.jinja")
        for name in (try? folderEntries("\(folder)/additional_chat_templates"))?.sorted() ?? []
        where name.hasSuffix(".jinja") {
            guard let text = try read("\(folder)/additional_chat_templates/\(name)") else { continue }
            sources.furtherFiles.append((String(name.dropLast(".jinja".count)), text))
        }
        sources.tokenizerConfig = try json("\(folder)/tokenizer_config.json")?["chat_template"]
        sources.json = try json("\(folder)/chat_template.json")
        guard let gguf = try place.gguf() else { return sources }
        for (name, text) in try readStoredTemplates(path: gguf) {
            if let name { sources.furtherGGUF.append((name, text)) } else { sources.gguf = text }
        }
        return sources
    }

    private static func read(_ file: String) throws -> String? {
        do { return String(decoding: try SmallFile.bytes(file, limit: limit, onlyRegular: true), as: UTF8.self) } catch
        {
            if error.isMissing { return nil }
            throw UnreadableFile(path: file, reason: error.reason)
        }
    }

    /// The content of a JSON file; what is wrong with one of the tokenizer's own is for those to tell who read it for vocabulary.
    private static func json(_ file: String) throws -> JSONValue? {
        guard let text = try read(file) else { return nil }
        return try? JSON.parse(Array(text.utf8), dialect: .python)
    }
}

/// A file of a model that is there but cannot be read.
private struct UnreadableFile: Error, CustomStringConvertible {
    let path: String
    let reason: String

    var description: String { "\(path): \(reason)" }
}

/// The sampling parameters that the makers of a model propose in generation_config.json; none where there is no such file, or
/// none that can be read: the worker, which needs it, tells of that.
package func proposedSampling(modelPath: String) -> JSONObject {
    guard let folder = (try? ModelPath(modelPath))?.folder,
        let bytes = readWholeFile("\(folder)/generation_config.json"),
        let config = try? JSON.parse(bytes, dialect: .python)
    else { return [:] }
    let names = ["repetition_penalty", "temperature", "top_k", "top_p", "min_p"]
    return JSONObject(
        names.compactMap { name in
            guard let value = config[name], value.doubleValue?.isFinite == true else { return nil }
            return (name, value)
        })
}
