package import Values

/// Everything an operator decides about one server, as typed values; `RoleSettings` are what each process is told
/// of it.
///
/// The names follow SGLang's launch flags. A value that is `nil` was left to the part that knows best (the KV pool's
/// size to the worker that has measured memory, for example). Values are already checked: see `parse`.
package struct ServerSettings: Sendable, Equatable {
    // MARK: Model

    /// Folder of the checkpoint, or a GGUF file (`--model-path`).
    package var modelPath = ""
    /// Folder or file with the vocabulary (`--tokenizer-path`); `modelPath` unless given.
    package var tokenizerPath = ""
    /// How the weights are stored (`--load-format`).
    package var loadFormat = LoadFormat.auto
    /// Longest sequence in tokens, prompt and output together (`--context-length`); nil: what the model was trained for.
    package var contextLength: Int?
    /// Type in which the model computes and keeps its KV cache (`--dtype`).
    package var dtype = ModelDType.auto
    /// JSON object text whose entries replace those of config.json (`--json-model-override-args`).
    package var jsonModelOverrideArgs = "{}"
    /// Tensors of a checkpoint that the model has no place for are errors (`--strict-weights`); else they are warnings.
    package var strictWeights = false
    /// How weights are quantized when they are loaded (`--quantization`); nil: they are not.
    package var quantization: QuantizationMethod?
    /// Weights that share a scale with int4 (`--int4-group-size`).
    package var int4GroupSize = 32
    /// Bits of the output head's weights with int4 (`--int4-head-bits`).
    package var int4HeadBits = 8
    /// Type of the KV cache (`--kv-cache-dtype`).
    package var kvCacheDType = KVCacheDType.auto

    /// The model makes vectors of texts (`--is-embedding`); those that can do nothing else do so without the flag.
    package var isEmbedding = false
    /// Which rows of a text make its vector (`--pooler-type`, only in srt).
    package var poolerType = PoolerType.auto
    /// Whose rule of pooling counts (`--pooling-compat`, only in srt).
    package var poolingRule = PoolingRule.checkpoint
    /// The file in the model's folder with the head of sparse vectors; nil: vectors are dense.
    package var sparseHead: String?

    // MARK: Serving

    /// Address to listen on (`--host`); empty: all addresses of both families.
    package var host = "127.0.0.1"
    /// TCP port to listen on (`--port`); 0 asks the system for a free one.
    package var port = 30000
    /// Name that clients use for the model (`--served-model-name`); `modelPath` unless given.
    package var servedModelName = ""
    /// Label of the weights, returned with every answer (`--weight-version`).
    package var weightVersion = "default"
    /// Secret that ordinary requests must carry (`--api-key`).
    package var apiKey: String?
    /// Secret that operators' requests must carry (`--admin-api-key`).
    package var adminAPIKey: String?
    /// What clients that speak TLS are shown (`--ssl-certfile` and its neighbours).
    package var tls = TLSFiles()
    /// Requests and answers are token ids only; no tokenizer is loaded (`--skip-tokenizer-init`).
    package var skipTokenizerInit = false
    /// Ready as soon as the processes are, without a first request (`--skip-server-warmup`).
    package var skipServerWarmup = false
    /// Where sampling parameters that a request leaves out come from (`--sampling-defaults`).
    package var samplingDefaults = SamplingDefaults.model
    /// JSON object text with sampling parameters used where a request names none (`--preferred-sampling-params`).
    package var preferredSamplingParams: String?
    /// A stream sends a frame every so many tokens (`--stream-interval`).
    package var streamInterval = 1
    /// Stream frames of /generate hold only what is new (`--incremental-streaming-output`).
    package var incrementalStreamingOutput = false
    /// Name of a built-in chat template, or path of a file with one (`--chat-template`); nil: the model's own.
    package var chatTemplate: String?
    /// Which of a model's chat templates is used (`--hf-chat-template-name`).
    package var chatTemplateName: String?
    /// Clients may bring a chat template of their own (`--trust-request-chat-template`).
    package var trustRequestChatTemplate = false
    /// JSON object text with variables that every chat template gets (`--default-chat-template-kwargs`).
    package var defaultChatTemplateKwargs: String?
    /// Format of tool calls (`--tool-call-parser`), or `auto`; nil: calls are not looked for.
    package var toolCallParser: String?
    /// Format of thoughts (`--reasoning-parser`), or `auto`; nil: they are part of the answer.
    package var reasoningParser: String?
    /// Streams end with a usage chunk, asked for or not (`--stream-response-default-include-usage`).
    package var streamsUsage = false
    /// Chat answers hold the prompt's ids, or those of the output (`--return-input-ids`, `--return-output-ids`).
    package var returnInputIDs = false
    package var returnOutputIDs = false
    /// Answers of /v1/responses can be asked for again (`--enable-response-store`).
    package var enableResponseStore = false
    /// How many of them are kept, in how many bytes, and for how many seconds (`--response-store-count`,
    /// `--response-store-bytes`, `--response-store-age`).
    package var responseStoreCount = 1024
    package var responseStoreBytes = 64 << 20
    package var responseStoreAge = 86400.0
    /// Usage objects tell how many prompt tokens came from the cache (`--enable-cache-report`).
    package var enableCacheReport = false
    /// /release_memory_occupation gives memory back (`--enable-memory-saver`).
    package var enableMemorySaver = false
    /// Requests may ask for hidden states (`--enable-return-hidden-states`).
    package var enableReturnHiddenStates = false
    /// The same, and of which rows of a prompt (`--return-hidden-states-mode`).
    package var returnHiddenStatesMode: HiddenStateChoice?
    /// Prompts that are too long are cut instead of refused (`--allow-auto-truncate`).
    package var allowAutoTruncate = false

    // MARK: Scheduling and memory

    /// Number of ranks that share one model (`--tp-size`).
    package var tensorParallelSize = 1
    /// Share of the memory for weights and KV pool together (`--mem-fraction-static`); nil: derived by the worker.
    package var memFractionStatic: Double?
    /// Slots of the layers with a window for each of the others' (`--swa-full-tokens-ratio`).
    package var swaFullTokensRatio = 0.8
    /// Layers with a window keep every position (`--disable-hybrid-swa-memory`).
    package var disableHybridSWAMemory = false
    /// Most requests in one decode batch (`--max-running-requests`); nil: derived from the KV pool.
    package var maxRunningRequests: Int?
    /// Most requests waiting for the scheduler (`--max-queued-requests`); nil: no limit but the front's own.
    package var maxQueuedRequests: Int?
    /// Most prompt tokens waiting for the scheduler together (`--max-queued-tokens`, only in srt); nil: no limit.
    package var maxQueuedTokens: Int?
    /// Size of the KV pool in tokens (`--max-total-tokens`); nil: derived from memory.
    package var maxTotalTokens: Int?
    /// Longest piece of a prompt in one step, in tokens (`--chunked-prefill-size`); nil: prompts are never cut.
    package var chunkedPrefillSize: Int? = 512
    /// Most prompt tokens in one prefill batch (`--max-prefill-tokens`); the context length counts where it is larger.
    package var maxPrefillTokens = 16384
    /// Longest step in milliseconds while somebody streams (`--target-itl-ms`): pieces of prompts are sized by it.
    package var targetInterTokenMilliseconds = 100
    /// Most requests in one prefill batch (`--prefill-max-requests`).
    package var prefillMaxRequests: Int?
    /// Order in which waiting requests are admitted (`--schedule-policy`).
    package var schedulePolicy = SchedulePolicy.fcfs
    /// Priorities of requests count (`--enable-priority-scheduling`); only with the policies fcfs and lof.
    package var enablePriorityScheduling = false
    /// Smaller priorities go first (`--schedule-low-priority-values-first`).
    package var scheduleLowPriorityValuesFirst = false
    /// Priority of requests that name none (`--default-priority-value`); nil: lower than any.
    package var defaultPriorityValue: Int?
    /// A running request gives way to one whose priority is higher by so much (`--priority-scheduling-preemption-threshold`).
    package var priorityPreemptionThreshold = 10
    /// Running requests give way to none (`--disable-priority-preemption`).
    package var disablePriorityPreemption = false
    /// Without priority scheduling a request that names a priority is refused (`--abort-on-priority-when-disabled`).
    package var abortOnPriorityWhenDisabled = false
    /// Who loses its KV slots first when the pool is full (`--retraction-policy`).
    package var retractionPolicy = RetractionPolicy.length
    /// Above 1 the scheduler reserves more room for outputs and retracts less often (`--schedule-conservativeness`).
    package var scheduleConservativeness = 1.0
    /// No prefix is kept for reuse (`--disable-radix-cache`).
    package var disableRadixCache = false
    /// Tokens in one page of the KV pool (`--page-size`); divides `chunkedPrefillSize`.
    package var pageSize = 1

    // MARK: Device and watching

    /// Seed of all sampling that names no seed of its own (`--random-seed`), 0 ... 2³⁰; drawn at start unless given.
    package var randomSeed = 0
    /// Longest time for one step of the model in seconds (`--watchdog-timeout`).
    package var watchdogTimeout = 300.0
    /// Least important log lines that are written (`--log-level`).
    package var logLevel = LogLevel.info
    /// The same for access lines (`--log-level-http`); nil: `logLevel`.
    package var logLevelHTTP: LogLevel?
    /// Paths that begin so have no access lines (`--uvicorn-access-log-exclude-prefixes`).
    package var accessLogExcludePrefixes: [String] = []
    /// Lines about single requests (`--log-requests` and its neighbours).
    package var requestLog = RequestLogChoices()
    /// Where profiles go that name no folder (SGLANG_TORCH_PROFILER_DIR).
    package var profileFolder = "/tmp"
    /// /openapi.json and /docs are served (unless DISABLE_OPENAPI_DOC is set).
    package var servesDescription = true
    /// Where prompts in Vertex AI's manner come in (AIP_PREDICT_ROUTE).
    package var predictionPath = "/vertex_generate"
    /// Decode steps between two lines about them (`--decode-log-interval`).
    package var decodeLogInterval = 40
    /// /metrics is served, and answers carry extra times in their meta_info (`--enable-metrics`).
    package var enableMetrics = false
    /// Bounds of histograms; nil: SGLang's own (`--bucket-time-to-first-token` and its neighbours).
    package var bucketTimeToFirstToken: BucketBounds?
    package var bucketInterTokenLatency: BucketBounds?
    package var bucketEndToEndLatency: BucketBounds?
    package var promptTokensBuckets: BucketRule?
    package var generationTokensBuckets: BucketRule?
    /// Labels of all metrics (`--extra-metric-labels`).
    package var extraMetricLabels: MetricLabels?
    /// What is recorded of the experts that rows take (`--expert-distribution-recorder-mode`); nil: nothing can be.
    package var expertRecorderMode: ExpertRecorderMode?
    /// Most passes of the model that the recorder keeps, the last ones (`--expert-distribution-recorder-buffer-size`); nil:
    /// all.
    package var expertRecorderBufferSize: Int? = 1000
    /// Folder that the recorder writes to (SGLANG_EXPERT_DISTRIBUTION_RECORDER_DIR).
    package var expertRecorderDirectory = "/tmp"
    /// Requests may ask for the experts that their tokens took (`--enable-return-routed-experts`).
    package var enableReturnRoutedExperts = false
    /// Which grammar engine SGLang would use (`--grammar-backend`).
    package var grammarBackend = GrammarBackend.xgrammar
    /// What stands between the parts of constrained JSON: one space behind commas and colons and nothing else
    /// (`--constrained-json-disable-any-whitespace`), what an expression matches (`--constrained-json-whitespace-pattern`), up to
    /// so many characters (`--constrained-json-max-whitespace-cnt`).
    package var disableAnyWhitespace = false
    package var whitespacePattern: String?
    package var maxWhitespaceCount: Int?
    /// The model is asked for each token of constrained text, those too that must come (`--disable-jump-forward`).
    package var disableJumpForward = false

    // MARK: Flags that only srt has

    /// Threads that compute in each rank (`--cpu-threads-per-rank`); nil: the cores shared out evenly.
    package var cpuThreadsPerRank: Int?
    /// Cores of each rank (`--cpu-bind`, or SGLANG_CPU_OMP_THREADS_BIND), as many lists as ranks; nil: all cores, shared out.
    package var cpuBind: CoreGroups?
    /// Most capable kernels that may be used (`--kernel-isa`, or SRT_KERNEL_ISA); nil: whatever the machine has.
    package var kernelISA: KernelISA?
    /// Folder for sockets and process state (`--run-dir`); nil: the launcher chooses a private one.
    package var runDirectory: String?
    /// Folder of the packed weights (`--weight-cache-dir`); nil: none are kept on disk.
    package var weightCacheDirectory: String?
    /// Largest request body in bytes (`--max-body-size`).
    package var maxBodySize = 32 << 20
    /// Bytes of request bodies that may be in work together (`--max-body-memory`); nil: an eighth of the memory there is.
    package var maxBodyMemory: Int?
    /// Longest time for a request in seconds, its waiting included (`--request-timeout`); nil: no limit.
    package var requestTimeout: Double?
    /// Seconds that a request may wait for its first step (SGLANG_REQ_WAITING_TIMEOUT); nil: no limit.
    package var requestWaitingTimeout: Double?
    /// Seconds that a request may run after its first step (SGLANG_REQ_RUNNING_TIMEOUT); nil: no limit.
    package var requestRunningTimeout: Double?
    /// Seconds that a probe of the server's health may take (SGLANG_HEALTH_CHECK_TIMEOUT).
    package var healthCheckTimeout = 20.0
    /// Seconds that an idle connection is kept (`--keep-alive-timeout`, or SGLANG_TIMEOUT_KEEP_ALIVE).
    package var keepAliveTimeout = 5.0
    /// Most client connections at one time (`--max-connections`).
    package var maxConnections = 4096
    /// What the launcher does when a process of the server dies (`--on-child-failure`).
    package var onChildFailure = ChildFailurePolicy.restart
    /// Restarts of one process within ten minutes after which it counts as failed (`--max-restarts`).
    package var maxRestarts = 5
    /// Seconds that running requests get to finish after SIGTERM (`--drain-timeout`).
    package var drainTimeout = 30.0

    // MARK: Origin

    /// How fast the rungs of kernels are on this machine, as the launcher found; nil where `kernelISA` decides, or there is
    /// one rung only. No flag: one launcher's children all get the same.
    package var kernelRates: KernelRates?
    /// The arguments as they were typed, secrets blanked; for /server_info.
    package var launchCommand = ""

    /// The defaults, which name no model yet.
    package init() {}
}
