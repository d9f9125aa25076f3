package import JSON
package import ServerSettings

/// What the files of the model say that chats depend on.
package struct ServedModel: Sendable {
    /// Sampling parameters that its makers propose.
    package var proposedSampling: JSONObject = [:]
    /// Texts at which answers stop, where the template is a built-in one.
    package var stops: [String] = []
    package var parsers = ChatParsers()
    /// The template has the model judge a document by "yes" or "no".
    package var judges = false

    package init() {}

    /// How chats are read.
    package func chatRules(_ settings: FrontSettings) -> ChatRequest.Rules {
        var rules = ChatRequest.Rules()
        rules.defaults.preferred = Self.object(settings.preferredSamplingParams)
        rules.defaults.streamsUsage = settings.streamsUsage
        if settings.samplingDefaults == .model { rules.defaults.proposed = proposedSampling }
        rules.variables = Self.object(settings.defaultChatTemplateKwargs)
        rules.trustsTemplates = settings.trustRequestChatTemplate
        rules.stops = stops
        rules.contextLimit = settings.contextLength
        return rules
    }

    /// A template tells the model to answer with nothing but "yes" or "no".
    package static func asksForYesOrNo(_ template: String) -> Bool {
        template.replacing("\\", with: "").contains("answer can only be \"yes\" or \"no\"")
    }

    /// A flag's JSON object, which was checked when the flag was read.
    private static func object(_ text: String?) -> JSONObject {
        text.flatMap { try? JSON.parse($0).objectValue } ?? [:]
    }
}
