package import Values

/// Settings that are made from what an operator decided, for one kind of process. Each process is handed its own and no
/// others: secrets reach nobody but the front, and what a process may depend on is what stands here.
///
/// Fields are called as in `ServerSettings`, where they are explained.
package protocol RoleSettings: Sendable, Codable, Equatable {
    /// What of the settings concerns the role.
    init(_ settings: ServerSettings)
}

/// What the tokenizer manager and the detokenizer are told.
package struct TextSettings: RoleSettings {
    package var tokenizerPath: String
    package var chatTemplate, chatTemplateName: String?
    package var skipTokenizerInit, allowAutoTruncate: Bool
    package var poolingRule: PoolingRule
    package var logLevel: LogLevel

    /// See `RoleSettings`.
    package init(_ settings: ServerSettings = ServerSettings()) {
        poolingRule = settings.poolingRule
        tokenizerPath = settings.tokenizerPath
        (chatTemplate, chatTemplateName) = (settings.chatTemplate, settings.chatTemplateName)
        (skipTokenizerInit, allowAutoTruncate) = (settings.skipTokenizerInit, settings.allowAutoTruncate)
        logLevel = settings.logLevel
    }
}

/// What the HTTP front is told.
package struct FrontSettings: RoleSettings {
    // What the server is, for those who ask.
    package var modelPath, tokenizerPath, servedModelName, weightVersion, launchCommand: String
    package var loadFormat: LoadFormat
    package var contextLength: Int?
    package var tensorParallelSize: Int
    /// All arguments by SGLang's names as the text of a JSON object, secrets blanked.
    package var arguments: String

    // Who may ask for what.
    package var apiKey, adminAPIKey: String?
    package var tls: TLSFiles
    package var maxBodySize, maxConnections: Int
    package var maxBodyMemory, maxRunningRequests, maxQueuedRequests: Int?
    package var requestTimeout: Double?
    package var keepAliveTimeout, healthCheckTimeout: Double

    // How requests are understood and answered.
    package var isEmbedding: Bool
    package var skipTokenizerInit, allowAutoTruncate, incrementalStreamingOutput, enableCacheReport: Bool
    package var enableResponseStore: Bool
    package var responseStoreCount, responseStoreBytes: Int
    package var responseStoreAge: Double
    package var samplingDefaults: ServerSettings.SamplingDefaults
    package var preferredSamplingParams: String?
    package var grammarBackend: ServerSettings.GrammarBackend
    package var streamInterval, randomSeed: Int
    /// Which hidden states requests may ask for; nil: none.
    package var hiddenStates: HiddenStateChoice?
    /// Prefixes are kept, and no prompt may be vectors.
    package var keepsPrefixes: Bool

    // What operators may ask for.
    package var enableMemorySaver: Bool
    package var chatTemplate, chatTemplateName, defaultChatTemplateKwargs, toolCallParser, reasoningParser: String?
    package var trustRequestChatTemplate, streamsUsage, returnInputIDs, returnOutputIDs: Bool

    // What is told about it all.
    package var logLevel: LogLevel
    package var logLevelHTTP: LogLevel?
    package var accessLogExcludePrefixes: [String]
    package var requestLog: RequestLogChoices
    package var profileFolder, predictionPath: String
    package var servesDescription: Bool
    package var enableMetrics: Bool
    package var bucketTimeToFirstToken, bucketInterTokenLatency, bucketEndToEndLatency: BucketBounds?
    package var promptTokensBuckets, generationTokensBuckets: BucketRule?
    package var extraMetricLabels: MetricLabels?
    package var enablePriorityScheduling: Bool
    package var defaultPriorityValue: Int?
    package var expertRecorderMode: ServerSettings.ExpertRecorderMode?
    package var enableReturnRoutedExperts: Bool

    /// See `RoleSettings`.
    package init(_ settings: ServerSettings = ServerSettings()) {
        (modelPath, tokenizerPath) = (settings.modelPath, settings.tokenizerPath)
        (servedModelName, weightVersion) = (settings.servedModelName, settings.weightVersion)
        (launchCommand, loadFormat) = (settings.launchCommand, settings.loadFormat)
        (contextLength, tensorParallelSize) = (settings.contextLength, settings.tensorParallelSize)
        arguments = settings.argumentsText
        (apiKey, adminAPIKey, tls) = (settings.apiKey, settings.adminAPIKey, settings.tls)
        (maxBodySize, maxBodyMemory) = (settings.maxBodySize, settings.maxBodyMemory)
        maxConnections = settings.maxConnections
        (maxRunningRequests, maxQueuedRequests) = (settings.maxRunningRequests, settings.maxQueuedRequests)
        requestTimeout = settings.requestTimeout
        (keepAliveTimeout, healthCheckTimeout) = (settings.keepAliveTimeout, settings.healthCheckTimeout)
        isEmbedding = settings.isEmbedding
        (skipTokenizerInit, allowAutoTruncate) = (settings.skipTokenizerInit, settings.allowAutoTruncate)
        incrementalStreamingOutput = settings.incrementalStreamingOutput
        enableCacheReport = settings.enableCacheReport
        enableResponseStore = settings.enableResponseStore
        (responseStoreCount, responseStoreBytes) = (settings.responseStoreCount, settings.responseStoreBytes)
        responseStoreAge = settings.responseStoreAge
        samplingDefaults = settings.samplingDefaults
        preferredSamplingParams = settings.preferredSamplingParams
        grammarBackend = settings.grammarBackend
        hiddenStates = settings.returnHiddenStatesMode ?? (settings.enableReturnHiddenStates ? .full : nil)
        (keepsPrefixes, enableMemorySaver) = (!settings.disableRadixCache, settings.enableMemorySaver)
        (streamInterval, randomSeed) = (settings.streamInterval, settings.randomSeed)
        (chatTemplate, chatTemplateName) = (settings.chatTemplate, settings.chatTemplateName)
        defaultChatTemplateKwargs = settings.defaultChatTemplateKwargs
        (toolCallParser, reasoningParser) = (settings.toolCallParser, settings.reasoningParser)
        (trustRequestChatTemplate, streamsUsage) = (settings.trustRequestChatTemplate, settings.streamsUsage)
        (returnInputIDs, returnOutputIDs) = (settings.returnInputIDs, settings.returnOutputIDs)
        (logLevel, logLevelHTTP) = (settings.logLevel, settings.logLevelHTTP)
        (accessLogExcludePrefixes, requestLog) = (settings.accessLogExcludePrefixes, settings.requestLog)
        (profileFolder, predictionPath) = (settings.profileFolder, settings.predictionPath)
        servesDescription = settings.servesDescription
        enableMetrics = settings.enableMetrics
        bucketTimeToFirstToken = settings.bucketTimeToFirstToken
        bucketInterTokenLatency = settings.bucketInterTokenLatency
        bucketEndToEndLatency = settings.bucketEndToEndLatency
        promptTokensBuckets = settings.promptTokensBuckets
        generationTokensBuckets = settings.generationTokensBuckets
        extraMetricLabels = settings.extraMetricLabels
        enablePriorityScheduling = settings.enablePriorityScheduling
        defaultPriorityValue = settings.defaultPriorityValue
        expertRecorderMode = settings.expertRecorderMode
        enableReturnRoutedExperts = settings.enableReturnRoutedExperts
    }

    /// The level of access lines: their own, or that of all lines.
    package var effectiveLogLevelHTTP: LogLevel { logLevelHTTP ?? logLevel }
}

/// What each rank of the model is told.
package struct WorkerSettings: RoleSettings {
    // The model and what it is made into.
    package var modelPath, tokenizerPath, jsonModelOverrideArgs: String
    package var loadFormat: LoadFormat
    package var dtype: ModelDType
    package var quantization: QuantizationMethod?
    package var int4GroupSize, int4HeadBits: Int
    package var kvCacheDType: KVCacheDType
    package var contextLength: Int?
    package var skipTokenizerInit, strictWeights, isEmbedding: Bool
    package var poolerType: PoolerType
    package var poolingRule: PoolingRule
    package var sparseHead: String?
    package var weightCacheDirectory: String?

    // Memory and order of work.
    package var memFractionStatic: Double?
    package var swaFullTokensRatio: Double
    package var disableHybridSWAMemory: Bool
    package var maxTotalTokens, maxRunningRequests, maxQueuedRequests, maxQueuedTokens: Int?
    package var chunkedPrefillSize, prefillMaxRequests, defaultPriorityValue: Int?
    package var maxPrefillTokens, pageSize, priorityPreemptionThreshold, targetInterTokenMilliseconds: Int
    package var schedulePolicy: SchedulePolicy
    package var retractionPolicy: ServerSettings.RetractionPolicy
    package var enablePriorityScheduling, scheduleLowPriorityValuesFirst, disablePriorityPreemption: Bool
    package var abortOnPriorityWhenDisabled, disableRadixCache: Bool
    package var scheduleConservativeness: Double
    package var requestWaitingTimeout, requestRunningTimeout: Double?
    package var randomSeed: Int

    // The machine, and what is told.
    package var cpuThreadsPerRank: Int?
    package var cpuBind: CoreGroups?
    package var kernelISA: KernelISA?
    package var kernelRates: KernelRates?
    package var watchdogTimeout: Double
    package var logLevel: LogLevel
    package var decodeLogInterval: Int

    // What is told of experts.
    package var expertRecorderMode: ServerSettings.ExpertRecorderMode?
    package var expertRecorderBufferSize: Int?
    package var expertRecorderDirectory: String
    package var enableReturnRoutedExperts: Bool

    // How grammars are read.
    package var grammarBackend: ServerSettings.GrammarBackend
    package var disableAnyWhitespace, disableJumpForward: Bool
    package var whitespacePattern: String?
    package var maxWhitespaceCount: Int?

    /// See `RoleSettings`.
    package init(_ settings: ServerSettings = ServerSettings()) {
        (grammarBackend, disableAnyWhitespace) = (settings.grammarBackend, settings.disableAnyWhitespace)
        disableJumpForward = settings.disableJumpForward
        (whitespacePattern, maxWhitespaceCount) = (settings.whitespacePattern, settings.maxWhitespaceCount)
        (modelPath, tokenizerPath) = (settings.modelPath, settings.tokenizerPath)
        jsonModelOverrideArgs = settings.jsonModelOverrideArgs
        (loadFormat, dtype, quantization) = (settings.loadFormat, settings.dtype, settings.quantization)
        (int4GroupSize, int4HeadBits) = (settings.int4GroupSize, settings.int4HeadBits)
        (kvCacheDType, contextLength) = (settings.kvCacheDType, settings.contextLength)
        (skipTokenizerInit, strictWeights) = (settings.skipTokenizerInit, settings.strictWeights)
        isEmbedding = settings.isEmbedding
        (poolerType, poolingRule, sparseHead) = (settings.poolerType, settings.poolingRule, settings.sparseHead)
        weightCacheDirectory = settings.weightCacheDirectory
        (memFractionStatic, maxTotalTokens) = (settings.memFractionStatic, settings.maxTotalTokens)
        (swaFullTokensRatio, disableHybridSWAMemory) = (settings.swaFullTokensRatio, settings.disableHybridSWAMemory)
        maxRunningRequests = settings.maxRunningRequests
        (maxQueuedRequests, maxQueuedTokens) = (settings.maxQueuedRequests, settings.maxQueuedTokens)
        (chunkedPrefillSize, prefillMaxRequests) = (settings.chunkedPrefillSize, settings.prefillMaxRequests)
        defaultPriorityValue = settings.defaultPriorityValue
        (maxPrefillTokens, pageSize) = (settings.maxPrefillTokens, settings.pageSize)
        priorityPreemptionThreshold = settings.priorityPreemptionThreshold
        targetInterTokenMilliseconds = settings.targetInterTokenMilliseconds
        (schedulePolicy, retractionPolicy) = (settings.schedulePolicy, settings.retractionPolicy)
        enablePriorityScheduling = settings.enablePriorityScheduling
        scheduleLowPriorityValuesFirst = settings.scheduleLowPriorityValuesFirst
        disablePriorityPreemption = settings.disablePriorityPreemption
        abortOnPriorityWhenDisabled = settings.abortOnPriorityWhenDisabled
        disableRadixCache = settings.disableRadixCache
        scheduleConservativeness = settings.scheduleConservativeness
        requestWaitingTimeout = settings.requestWaitingTimeout
        requestRunningTimeout = settings.requestRunningTimeout
        randomSeed = settings.randomSeed
        (cpuThreadsPerRank, cpuBind) = (settings.cpuThreadsPerRank, settings.cpuBind)
        (kernelISA, kernelRates) = (settings.kernelISA, settings.kernelRates)
        watchdogTimeout = settings.watchdogTimeout
        (logLevel, decodeLogInterval) = (settings.logLevel, settings.decodeLogInterval)
        expertRecorderMode = settings.expertRecorderMode
        expertRecorderBufferSize = settings.expertRecorderBufferSize
        expertRecorderDirectory = settings.expertRecorderDirectory
        enableReturnRoutedExperts = settings.enableReturnRoutedExperts
    }
}

/// What the launcher needs besides what it hands on.
package struct LauncherSettings: RoleSettings {
    package var host, servedModelName: String
    package var port, tensorParallelSize, maxRestarts: Int
    package var runDirectory, apiKey: String?
    package var onChildFailure: ServerSettings.ChildFailurePolicy
    package var watchdogTimeout, drainTimeout: Double
    package var skipServerWarmup, skipTokenizerInit: Bool
    /// Clients speak TLS.
    package var isSecure: Bool
    package var logLevel: LogLevel
    /// The line that tools grep for single arguments.
    package var argumentLine: String

    /// See `RoleSettings`.
    package init(_ settings: ServerSettings = ServerSettings()) {
        (host, port, servedModelName) = (settings.host, settings.port, settings.servedModelName)
        (tensorParallelSize, maxRestarts) = (settings.tensorParallelSize, settings.maxRestarts)
        (runDirectory, apiKey) = (settings.runDirectory, settings.apiKey)
        onChildFailure = settings.onChildFailure
        (watchdogTimeout, drainTimeout) = (settings.watchdogTimeout, settings.drainTimeout)
        (skipServerWarmup, skipTokenizerInit) = (settings.skipServerWarmup, settings.skipTokenizerInit)
        isSecure = settings.tls.areGiven
        (logLevel, argumentLine) = (settings.logLevel, settings.argumentLine)
    }
}

/// What a process must know to open the tokenizer.
package protocol TokenizerChoice {
    /// Folder or file with the vocabulary.
    var tokenizerPath: String { get }
    /// No tokenizer is loaded.
    var skipTokenizerInit: Bool { get }
}

/// What a process must know to find the chat templates.
package protocol TemplateChoice {
    /// Folder or file with the vocabulary, and the templates beside it.
    var tokenizerPath: String { get }
    /// Name of a built-in template, or path of a file, in place of the model's.
    var chatTemplate: String? { get }
    /// Which of several templates is used.
    var chatTemplateName: String? { get }
}

extension TextSettings: TokenizerChoice, TemplateChoice {}

extension FrontSettings: TemplateChoice {}

extension WorkerSettings: TokenizerChoice {}
