internal import APICore
internal import JSON
internal import Ledger
internal import Messages
internal import ServerSettings
internal import Values

/// What clients may see of the model's inside, and put into it, as the operator's flags say.
struct ModelSight: Sendable {
    /// Which hidden states they may ask for; nil: none.
    var hiddenStates: HiddenStateChoice?
    /// Prefixes are kept by their ids, so that no prompt may be vectors.
    var keepsPrefixes = true

    init() {}

    init(_ settings: FrontSettings) {
        hiddenStates = settings.hiddenStates
        keepsPrefixes = settings.keepsPrefixes
    }

    /// - Throws: where nobody may ask for hidden states.
    func checkHiddenStates() throws(RequestFailure) {
        if hiddenStates == nil { throw .noHiddenStates }
    }

    /// Reads `input_embeds`: the vectors of a prompt, or a list of these.
    func vectors(_ fields: RequestFields) throws(RequestFailure) -> (GenerateRequest.Prompts, isList: Bool) {
        guard !keepsPrefixes else {
            throw .invalid(
                "input_embeds is provided while disable_radix_cache is False. Please add `--disable-radix-cache` when you "
                    + "launch the server if you want to use input_embeds as inputs.")
        }
        let value = fields["input_embeds"] ?? .null
        let isList = value.arrayValue?.first?.arrayValue?.first?.arrayValue != nil
        let prompts = isList ? value.arrayValue ?? [] : [value]
        var read: [PromptVectors] = []
        for prompt in prompts { read.append(try Self.vectors(prompt)) }
        return (.vectors(read), isList)
    }

    private static func vectors(_ prompt: JSONValue) throws(RequestFailure) -> PromptVectors {
        guard let rows = prompt.arrayValue, !rows.isEmpty else { throw wrongKind }
        var numbers: [Float] = []
        let width = rows[0].arrayValue?.count ?? 0
        for row in rows {
            guard let elements = row.arrayValue, !elements.isEmpty else { throw wrongKind }
            guard elements.count == width else {
                throw .invalid("The vectors of input_embeds must have the same length.")
            }
            for element in elements {
                guard let number = element.doubleValue.map(Float.init), number.isFinite else { throw wrongKind }
                numbers.append(number)
            }
        }
        return PromptVectors(numbers, width: width)
    }

    private static let wrongKind = RequestFailure.malformed(
        "body.input_embeds: Input should be a valid list of vectors, or a list of such lists")
}
