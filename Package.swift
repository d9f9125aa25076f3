// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: dynamic dispatch visible, imports narrow, no warning survives.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// Generated code keeps to its generator's habits.
let generated: [SwiftSetting] = [.enableUpcomingFeature("ExistentialAny")]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")

/// What answers HTTP requests.
let web: [Target.Dependency] = [
    .product(name: "Hummingbird", package: "hummingbird"),
    .product(name: "HTTPTypes", package: "swift-http-types"),
    .product(name: "NIOCore", package: "swift-nio"),
]

let package = Package(
    name: "srt",
    products: [
        .executable(name: "srt", targets: ["Launcher"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.30.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // The binary and its rooms, from the roof to the ground.
        .executableTarget(
            name: "Launcher",
            dependencies: [
                argumentParser, log, "Supervisor", "Operator", "HTTPFront", "TextWorkers", "ModelWorker",
                "ServerSettings",
                "ChildRuntime", "Messages", "JSON", "CPlatform", "Bench", "Tensors",
            ],
            swiftSettings: strict),
        .target(
            name: "Operator",
            dependencies: [argumentParser, "Supervisor", "JSON", "Transport", "Messages", "ChildRuntime", "CPlatform"],
            swiftSettings: strict),
        .target(
            name: "Bench",
            dependencies: [
                argumentParser, "Grammar", "Models", "Tensors", "TokenizerSource", "Tokenizers", "JSON",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .target(
            name: "Supervisor",
            dependencies: [log, "Transport", "Messages", "ChildRuntime", "ServerSettings", "CPlatform", "JSON"],
            swiftSettings: strict),
        .target(
            name: "HTTPFront",
            dependencies: [
                log, deque, "NativeAPI", "OpenAIAPI", "AnthropicAPI", "OllamaAPI", "ResponsesAPI", "OperatorAPI",
                "ChatAPI", "APICore", "WebPage",
                "Ledger", "Transport",
                "Messages", "TokenizerSource", "ChatTemplates", "JSON", "ServerSettings", "ChildRuntime", "CPlatform",
            ] + web + [
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .target(
            name: "NativeAPI",
            dependencies: ["ChatAPI", "APICore", "Ledger", "Messages", "JSON", "ServerSettings"] + web,
            path: "Sources/API/Native", swiftSettings: strict),
        .target(
            name: "OpenAIAPI",
            dependencies: [
                "ChatAPI", "APICore", "Ledger", "Messages", "OutputParsers", "JSON", "ServerSettings",
            ] + web,
            path: "Sources/API/OpenAI", swiftSettings: strict),
        .target(
            name: "AnthropicAPI",
            dependencies: ["ChatAPI", "APICore", "Ledger", "Messages", "OutputParsers", "JSON"] + web,
            path: "Sources/API/Anthropic", swiftSettings: strict),
        .target(
            name: "ResponsesAPI",
            dependencies: ["ChatAPI", "APICore", "Ledger", "Messages", "OutputParsers", "JSON"] + web,
            path: "Sources/API/Responses", swiftSettings: strict),
        .target(
            name: "OllamaAPI",
            dependencies: ["ChatAPI", "APICore", "Ledger", "Messages", "JSON"] + web,
            path: "Sources/API/Ollama", swiftSettings: strict),
        .target(
            name: "ChatAPI",
            dependencies: [
                "APICore", "Ledger", "Messages", "OutputParsers", "ChatTemplates", "JSON", "ServerSettings",
            ] + web,
            path: "Sources/API/Chat", swiftSettings: strict),
        .target(
            name: "OperatorAPI",
            dependencies: [
                log, "APICore", "Ledger", "Messages", "JSON", "ServerSettings", "ChildRuntime",
            ] + web,
            path: "Sources/API/Operators", swiftSettings: strict),
        .target(
            name: "WebPage", dependencies: ["APICore", "Ledger", "JSON", "CWebFiles"] + web,
            exclude: ["Embedded", "Site"],
            swiftSettings: strict),
        .target(
            name: "CWebFiles", path: "Sources/WebPage/Embedded",
            cSettings: [.unsafeFlags(["-std=c23", "-Wall", "-Werror"])]),
        .target(
            name: "APICore", dependencies: [log, "Ledger", "Messages", "JSON", "ServerSettings", "ChildRuntime"] + web,
            path: "Sources/API/Core",
            swiftSettings: strict),
        .target(
            name: "Ledger", dependencies: ["Messages", "ServerSettings", "ChildRuntime", "CPlatform"],
            swiftSettings: strict),
        .target(
            name: "TextWorkers",
            dependencies: [
                log, "Transport", "Messages", "Tokenizers", "ChatTemplates", "TokenizerSource", "ServerSettings",
                "ChildRuntime", "JSON",
            ],
            swiftSettings: strict),
        .target(
            name: "ModelWorker",
            dependencies: [
                log, "Transport", "Messages", "Scheduling", "KVCache", "Grammar", "Models", "Tensors", "Tokenizers",
                "TokenizerSource", "JSON",
                "ServerSettings", "ChildRuntime", "CPlatform",
            ],
            swiftSettings: strict),
        .target(
            name: "TokenizerSource", dependencies: ["Tokenizers", "ChatTemplates", "Models", "ServerSettings", "JSON"],
            swiftSettings: strict),
        .target(
            name: "ChildRuntime", dependencies: [log, "Transport", "Messages", "CPlatform"],
            swiftSettings: strict),
        .target(
            name: "ServerSettings", dependencies: ["OutputParsers", "JSON", .product(name: "Yams", package: "Yams")],
            swiftSettings: strict),
        .target(name: "Scheduling", dependencies: ["KVCache", deque], swiftSettings: strict),
        .target(name: "KVCache", dependencies: [heap], swiftSettings: strict),
        .target(name: "Grammar", dependencies: ["JSON"], swiftSettings: strict + [.strictMemorySafety()]),
        .target(name: "Models", dependencies: ["Tensors", "JSON"], swiftSettings: strict),
        .target(name: "Tensors", dependencies: ["CKernels", "CRanks"], swiftSettings: strict),
        .target(name: "Tokenizers", dependencies: ["JSON", "COniguruma", "CUtf8proc"], swiftSettings: strict),
        .target(name: "Transport", dependencies: ["Messages", "CZeroMQ", protobuf], swiftSettings: strict),
        .target(
            name: "Messages", dependencies: [protobuf], exclude: ["Protos"], swiftSettings: generated),
        .target(
            name: "ChatTemplates", dependencies: ["JSON"], swiftSettings: strict + [.strictMemorySafety()]),
        .target(
            name: "OutputParsers", dependencies: ["JSON"], swiftSettings: strict + [.strictMemorySafety()]),
        .target(name: "JSON", dependencies: ["CJSONC"], swiftSettings: strict),
        .target(name: "Values", swiftSettings: strict),
        .target(
            name: "CKernels",
            cSettings: [
                .headerSearchPath("runtime"), .headerSearchPath("codes"),
                .unsafeFlags(["-O3", "-Wall", "-Werror", "-fno-math-errno"]),
            ]),
        .target(name: "CRanks", cSettings: [.unsafeFlags(["-O3", "-Wall", "-Werror"])]),
        .target(name: "CPlatform", cSettings: [.unsafeFlags(["-Wall", "-Werror"])]),

        // Tests mirror the sources; what several of them need stands in Support.
        .target(
            name: "TestSupport",
            dependencies: [
                "JSON", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            path: "Tests/Support", swiftSettings: strict),
        .testTarget(name: "ValuesTests", swiftSettings: strict),
        .testTarget(name: "KVCacheTests", dependencies: ["KVCache"], swiftSettings: strict),
        .testTarget(
            name: "GrammarTests", dependencies: ["Grammar", "JSON", "Tokenizers", "TestSupport"],
            exclude: ["compare_schema_suite.py", "random_schemas.py", "schema_bombs.py"], swiftSettings: strict),
        .testTarget(name: "SchedulingTests", dependencies: ["Scheduling", "KVCache"], swiftSettings: strict),
        .testTarget(
            name: "TextWorkersTests",
            dependencies: ["TextWorkers", "Messages", "TokenizerSource", "Tokenizers", "ChildRuntime", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "ModelWorkerTests",
            dependencies: [
                log, "ModelWorker", "Messages", "Models", "Tensors", "Tokenizers", "Scheduling", "KVCache",
                "ServerSettings",
                "Grammar", "TestSupport",
            ],
            exclude: [
                "Experts/check_torch_files.py", "Experts/per_pass.pt", "Experts/per_token.pt", "Experts/stat.pt",
            ],
            swiftSettings: strict),
        .testTarget(name: "TransportTests", dependencies: ["Transport", "Messages"], swiftSettings: strict),
        .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: strict),
        .testTarget(
            name: "ChatTemplatesTests", dependencies: ["ChatTemplates", "JSON"],
            exclude: ["Goldens", "Templates", "fetch_templates.py", "make_template_goldens.py"], swiftSettings: strict),
        .testTarget(
            name: "OutputParsersTests", dependencies: ["OutputParsers", "JSON"],
            exclude: ["Goldens", "make_parser_goldens.py"], swiftSettings: strict),
        .testTarget(
            name: "TokenizersTests", dependencies: ["Tokenizers", "JSON", "TestSupport"],
            exclude: ["Fixtures", "make_tokenizer_goldens.py", "make_vocabulary_goldens.py"],
            swiftSettings: strict),
        .testTarget(
            name: "TensorsTests", dependencies: ["Tensors", "CKernels", "COpenBLAS"], swiftSettings: strict),
        .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
        .testTarget(
            name: "ModelsTests",
            dependencies: [
                "Models", "ModelWorker", "Messages", "Scheduling", "Tensors", "JSON", "CAllocationCounter",
                "TestSupport",
            ],
            exclude: [
                "Checkpoint/dequant_goldens.bin", "Checkpoint/dequant_goldens.json",
                "Checkpoint/make_dequant_goldens.py",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "TokenizerSourceTests", dependencies: ["TokenizerSource", "Tokenizers", "TestSupport"],
            swiftSettings: strict),
        .testTarget(name: "ServerSettingsTests", dependencies: ["ServerSettings", "JSON"], swiftSettings: strict),
        .testTarget(
            name: "SupervisorTests",
            dependencies: ["Supervisor", "Messages", "ChildRuntime", "JSON", "CPlatform", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "OperatorTests",
            dependencies: [
                argumentParser, "Operator", "Supervisor", "Transport", "Messages", "ChildRuntime", "JSON",
                "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "LauncherTests",
            dependencies: [
                "Launcher", "Supervisor", "Operator", "ServerSettings", "ChildRuntime", "Messages", "JSON", "Tensors",
                "TestSupport",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "HTTPFrontTests",
            dependencies: [
                log, "HTTPFront", "ChatAPI", "APICore", "Ledger", "Transport", "Messages", "JSON", "ServerSettings",
                "ChildRuntime", "PipeStages", "TestSupport",
            ],
            exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "APICoreTests",
            dependencies: [
                "APICore", "Ledger", "Messages", "JSON", .product(name: "Hummingbird", package: "hummingbird"),
            ], swiftSettings: strict),
        .testTarget(
            name: "LedgerTests", dependencies: ["Ledger", "Messages", "PipeStages"], swiftSettings: strict),
        .target(
            name: "PipeStages", dependencies: ["Messages", "JSON"], path: "Tests/PipeStages", swiftSettings: strict),
        .testTarget(
            name: "BenchTests",
            dependencies: [argumentParser, "Bench", "Grammar", "Models", "Tensors", "TokenizerSource", "JSON"],
            swiftSettings: strict),

        .testTarget(
            name: "EndToEndTests", dependencies: ["JSON", "TestSupport"],
            exclude: ["running_server.py", "walk_native_api.py"],
            swiftSettings: strict),

        // Libraries of the system.
        .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
        .systemLibrary(name: "CJSONC", providers: [.apt(["libjson-c-dev"])]),
        .systemLibrary(name: "COniguruma", providers: [.apt(["libonig-dev"])]),
        .systemLibrary(name: "CUtf8proc", providers: [.apt(["libutf8proc-dev"])]),
        .systemLibrary(name: "COpenBLAS", providers: [.apt(["libopenblas-dev"])]),
    ]
)

// Values lies at the bottom of the house: every Swift target may use it.
for target in package.targets where target.swiftSettings != nil && target.name != "Values" {
    target.dependencies.append("Values")
}
