import ChatTemplates
import Foundation
import JSON
import Testing
import Values

/// A moment in 2026, the one of the goldens.
let someTime = CalendarTime(utc: 1_790_000_000)

/// What transformers rendered: conversations, options and results, as make_template_goldens.py writes them.
struct TemplateGoldens {
    /// One rendering.
    struct Case {
        let label: String
        let conversation: ChatConversation
        /// The text; nil where transformers failed.
        let text: String?
        /// What the template said when it refused.
        let refusal: String?
        /// The template nested deeper than Python goes.
        let isTooDeep: Bool
    }

    let json: JSONValue

    init(_ path: String) throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        json = try JSON.parse(Array(bytes), maximumDepth: 200)
    }

    /// The names of the templates' files.
    var templates: [String] { json["results"]?.objectValue?.keys ?? [] }

    func cases(of template: String) throws -> [Case] {
        let results = try #require(json["results"]?[template]?.arrayValue)
        return try results.map { result in
            let name = try #require(result["conversation"]?.stringValue)
            let option = try #require(result["options"]?.stringValue)
            let full = result["same"]?.intValue.map { results[$0] } ?? result
            return Case(
                label: "\(template), \(name), \(option)", conversation: try conversation(name, option),
                text: full["text"]?.stringValue, refusal: full["raised"]?.stringValue,
                isTooDeep: full["error"]?.stringValue?.hasPrefix("RecursionError") ?? false)
        }
    }

    private func conversation(_ name: String, _ option: String) throws -> ChatConversation {
        let messages = try #require(json["conversations"]?[name]?.arrayValue)
        var options = try #require(json["options"]?[option]?.objectValue)
        var conversation = ChatConversation(messages: messages.compactMap(\.objectValue))
        conversation.tools = options["tools"]?.arrayValue
        conversation.documents = options["documents"]?.arrayValue
        conversation.addsGenerationPrompt = options["add_generation_prompt"]?.boolValue ?? false
        conversation.continuesFinalMessage = options["continue_final_message"]?.boolValue ?? false
        for key in ["tools", "documents", "add_generation_prompt", "continue_final_message"] { options[key] = nil }
        conversation.variables = try #require(json["special"]?.objectValue)
        for (key, value) in options { conversation.variables[key] = value }
        return conversation
    }

    /// What is different from the goldens when the templates of a folder are rendered here; and how many were.
    func differences(in folder: String) throws -> (differences: [String], count: Int) {
        var differences: [String] = []
        var count = 0
        for file in templates {
            let source = String(
                decoding: try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(file)")), as: UTF8.self)
            let template = Result { () throws(TemplateError) in try ChatTemplate(source) }
            for expected in try cases(of: file) {
                count += 1
                let result = template.flatMap { template in
                    Result { () throws(TemplateError) in
                        try expected.conversation.rendered(with: template, at: someTime)
                    }
                }
                if let difference = Self.difference(result, expected) { differences.append(difference) }
            }
        }
        return (differences, count)
    }

    private static func difference(_ result: Result<String, TemplateError>, _ expected: Case) -> String? {
        switch result {
        case .success(let text):
            guard let wanted = expected.text else { return "\(expected.label): an error was expected, got \(text)" }
            return text.utf8.elementsEqual(wanted.utf8) ? nil : "\(expected.label):\n\(wanted)\n--- got\n\(text)"
        case .failure(let error):
            if let wanted = expected.text { return "\(expected.label):\n\(wanted)\n--- got\n\(error)" }
            if let refusal = expected.refusal, !(error.kind == .raised && error.reason == refusal) {
                return "\(expected.label): refused with \(refusal), got \(error)"
            }
            return error.kind == .limit && !expected.isTooDeep ? "\(expected.label): \(error)" : nil
        }
    }
}

@Suite struct GoldenTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path

    @Test func ourTemplatesRenderAsTransformersDoes() throws {
        let goldens = try TemplateGoldens(Self.folder + "/Goldens/goldens.json")
        let (differences, count) = try goldens.differences(in: Self.folder + "/Templates")
        #expect(count >= 900)
        #expect(differences.isEmpty, "\(differences.prefix(3).joined(separator: "\n\n"))")
    }

    /// Published templates are not ours to keep here: SRT_TEMPLATE_CACHE names a folder with them and their goldens.json.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["SRT_TEMPLATE_CACHE"] != nil))
    func publishedTemplatesRenderAsTransformersDoes() throws {
        let folder = try #require(ProcessInfo.processInfo.environment["SRT_TEMPLATE_CACHE"])
        let goldens = try TemplateGoldens(folder + "/goldens.json")
        let (differences, count) = try goldens.differences(in: folder)
        print("\(goldens.templates.count) published templates, \(count) renderings, \(differences.count) differences")
        #expect(differences.isEmpty, "\(differences.prefix(3).joined(separator: "\n\n"))")
    }
}
