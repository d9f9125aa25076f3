import Foundation
import TestSupport
import Testing

extension EndToEndTests {
    /// SGLang's page on its native endpoints, walked by a script that anybody can run against real models, too (`make walk`).
    @Suite(.serialized, .share(.half), .timeLimit(.minutes(5))) struct NativePageTests {
        private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("walk_native_api.py").path

        @Test(arguments: ["generation", "other", "embedding", "reranker", "reward", "experts"])
        func everyExampleOfThePageIsAnswered(_ part: String) throws {
            let (ending, lines) = try Subprocess.run(
                "/usr/bin/env", ["python3", Self.script, "--srt", Server.binary, "--only", part])
            #expect(ending == .code(0), "\(lines.joined(separator: "\n"))")
        }
    }
}
