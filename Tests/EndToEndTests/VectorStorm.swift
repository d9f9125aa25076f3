import Foundation
import Glibc
import JSON
import TestSupport
import Values

/// Clients that ask for vectors or scores while processes die; every answer is compared with an undisturbed one, bit by bit.
struct VectorStorm: Sendable {
    /// One request, and what of its answer counts.
    struct Question: Sendable {
        let path: String
        let body: JSONObject
        /// The numbers of an answer.
        let numbers: @Sendable (JSONValue) -> [String]
    }

    /// What came of it.
    struct Report: Sendable {
        var requests = 0
        var different = 0
        var failures: [String] = []
    }

    let server: Server
    let questions: [Question]

    /// Texts of many lengths, numbered.
    private static func texts(_ count: Int, _ seed: Int) -> [String] {
        (0..<count).map { number in
            let words = String(repeating: "the river bends ", count: (number * 7 + seed) % 11)
            return "Day \(seed * 1000 + number): " + words
        }
    }

    /// Vectors of one text and of many, by both interfaces.
    static func embeddings(_ server: Server) -> VectorStorm {
        let natively: @Sendable (JSONValue) -> [String] = { answer in
            (answer.arrayValue ?? [answer]).map { JSON.encodeToString($0["embedding"] ?? .null) }
        }
        let openAI: @Sendable (JSONValue) -> [String] = { answer in
            (answer["data"]?.arrayValue ?? []).map { JSON.encodeToString($0["embedding"] ?? .null) }
        }
        let questions = (0..<8).map { kind in
            let texts = texts([1, 64, 200, 3][kind % 4], kind)
            let list = JSONValue.array(texts.map { .string($0) })
            return kind % 2 == 0
                ? Question(path: "/encode", body: ["text": kind == 0 ? .string(texts[0]) : list], numbers: natively)
                : Question(
                    path: "/v1/embeddings",
                    body: ["input": list, "encoding_format": kind % 3 == 0 ? "base64" : "float"], numbers: openAI)
        }
        return VectorStorm(server: server, questions: questions)
    }

    /// Documents in their order.
    static func reranks(_ server: Server) -> VectorStorm {
        let questions = (0..<6).map { kind in
            Question(
                path: "/v1/rerank",
                body: [
                    "query": .string("Which day was number \(kind)?"),
                    "documents": .array(texts([2, 40, 150][kind % 3], kind).map { .string($0) }),
                ],
                numbers: { answer in
                    (answer.arrayValue ?? []).map {
                        JSON.encodeToString([$0["score"] ?? .null, $0["index"] ?? .null, $0["document"] ?? .null])
                    }
                })
        }
        return VectorStorm(server: server, questions: questions)
    }

    private func ask(_ question: Question) throws -> [String] {
        let answer = try server.request(question.path, .object(question.body))
        guard answer.status == 200 else { throw HarnessError("status \(answer.status): \(answer.text.prefix(300))") }
        let numbers = question.numbers(try answer.json())
        guard !numbers.isEmpty else { throw HarnessError("an empty answer") }
        return numbers
    }

    /// What one kind of question gives.
    func outcome(of kind: Int) throws -> Outcome {
        Outcome(
            text: try ask(questions[kind]).joined(separator: "\n"), ids: [], finish: .null, promptTokens: 0,
            completionTokens: 0, logprobs: [:])
    }

    /// What every question gives when nothing happens.
    func undisturbed() throws -> [[String]] { try questions.map { try ask($0) } }

    /// Lets clients ask until each process was killed so often, all of them in turn, with questions under way.
    func run(comparingWith expected: [[String]], titles: [String], times: Int, clients: Int = 6) throws -> Report {
        let board = EventBoard(Report())
        let isOver = EventBoard(false)
        let crew = started(clients) { client in
            var kind = client
            while !isOver.now {
                kind = (kind + 1) % questions.count
                do {
                    let found = try ask(questions[kind])
                    board.update { report in
                        report.requests += 1
                        if found != expected[kind] { report.different += 1 }
                    }
                } catch { board.update { $0.failures.append("question \(kind): \(error)") } }
            }
        }
        defer { isOver.update { $0 = true } }
        for _ in 0..<times {
            for title in titles {
                let seen = board.now.requests
                let more: Void? = board.wait { $0.requests > seen + clients || !$0.failures.isEmpty ? () : nil }
                guard more != nil else { throw HarnessError("no answers come") }
                try server.kill([try server.incarnation(of: title)])
            }
        }
        let seen = board.now.requests
        let more: Void? = board.wait { $0.requests > seen + 2 * clients || !$0.failures.isEmpty ? () : nil }
        guard more != nil else { throw HarnessError("no answers come after the last death") }
        isOver.update { $0 = true }
        _ = try crew.results()
        return board.now
    }
}
