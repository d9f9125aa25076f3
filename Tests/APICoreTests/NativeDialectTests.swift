import APICore
import Hummingbird
import JSON
import Ledger
import Messages
import Testing

/// What SGLang's clients see of each failure.
@Suite struct NativeDialectTests {
    /// A failure, its status, and its body as text.
    static let bodies: [(RequestFailure, Int, String)] = [
        (.malformed("m"), 400, #"{"object":"error","message":"m","type":"Bad Request","param":null,"code":400}"#),
        (.offSchema("m"), 400, #"{"error":"m"}"#), (.invalid("m"), 400, #"{"error":{"message":"m"}}"#),
        (.refused("m"), 400, #"{"error":{"message":"m"}}"#), (.notBuilt("m"), 501, #"{"error":{"message":"m"}}"#),
        (.unauthorized, 401, #"{"error":"Unauthorized"}"#), (.unknownPath, 404, #"{"detail":"Not Found"}"#),
        (.wrongMethod(allowed: "GET"), 405, #"{"detail":"Method Not Allowed"}"#),
        (
            .unknownModel("x"), 404,
            #"{"error":{"message":"The model 'x' does not exist","type":"invalid_request_error","param":"model","code":"model_not_found"}}"#
        ),
        (
            .bodyTooLarge(limit: 7), 413,
            #"{"error":{"message":"The request body is larger than 7 bytes (--max-body-size)."}}"#
        ),
        (
            .queueFull, 503,
            #"{"object":"error","message":"The request queue is full.","type":"503","param":null,"code":503}"#
        ),
        (
            .stuck, 500,
            #"{"object":"error","message":"The request was given up: it was restarted several times without any progress.","type":"InternalServerError","param":null,"code":500}"#
        ),
        (
            .stage(.make(500, "m", type: "T")), 500,
            #"{"object":"error","message":"m","type":"T","param":null,"code":500}"#
        ),
        (.stage(.make(503, "m")), 503, #"{"object":"error","message":"m","type":"503","param":null,"code":503}"#),
        (.stage(.make(0, "m", type: "T")), 400, #"{"error":{"message":"m"}}"#),
    ]

    @Test(arguments: bodies) func hasStatusAndBody(failure: RequestFailure, status: Int, body: String) {
        #expect(NativeDialect().status(of: failure) == status)
        #expect(NativeDialect().body(of: failure) == .json(Array(body.utf8)))
    }

    @Test func aFaultOfItsOwnIsText() {
        #expect(NativeDialect().body(of: .unexpected) == .text("Internal Server Error"))
        #expect(NativeDialect().response(to: .unexpected).headers[.contentType] == "text/plain; charset=utf-8")
    }

    @Test func headersTellWhatToDo() {
        let waits: [(RequestFailure, String?)] = [
            (.queueFull, "1"), (.bodiesFull, "1"), (.waitedTooLong, "1"), (.draining, "5"), (.notReady, "5"),
            (.givenUp("x"), "30"), (.stage(.make(503, "m")), "1"), (.ranTooLong, nil), (.noAnswer, nil),
            (.neverFits(rows: 9, limit: 1), nil),
        ]
        for (failure, seconds) in waits {
            #expect(NativeDialect().response(to: failure).headers[.retryAfter] == seconds, "\(failure)")
        }
        #expect(NativeDialect().response(to: .wrongMethod(allowed: "GET, PUT")).headers[.allow] == "GET, PUT")
        #expect(NativeDialect().response(to: .bodyTooLarge(limit: 1)).headers[.connection] == "close")
    }

    @Test func framesSayWhoIsToBlameAndWhetherToTryAgain() {
        let frames = [RequestFailure.invalid("m"), .poisonous, .notReady].map {
            try! JSON.parse(NativeDialect().frame(of: $0))["error"]!
        }
        #expect(
            frames.map { $0["type"] } == ["invalid_request_error", "internal_server_error", "internal_server_error"])
        #expect(frames.map { $0["code"] } == [400, 500, 503])
        #expect(frames.map { $0["retryable"] } == [false, false, true])
    }

    @Test func whatTheSchedulerRefusesIsAFinishReason() {
        let reasons = [
            RequestFailure.refused("m"), .queueFull, .ranTooLong, .stage(.make(400, "m", type: "T", isWorkers: true)),
        ].map { NativeDialect().finishReason(of: $0)?.aborted }
        #expect(reasons.map { $0?.statusCode } == [400, 503, 503, 400])
        #expect(reasons.map { $0?.errorType } == ["BadRequestError", "", "", "T"])
        for failure in [RequestFailure.invalid("m"), .stage(.make(400, "m")), .notReady] {
            #expect(NativeDialect().finishReason(of: failure) == nil)
        }
    }
}

extension StageRefusal {
    /// As a stage sends it.
    static func make(_ status: Int32, _ message: String, type: String = "", isWorkers: Bool = false) -> StageRefusal {
        StageRefusal(
            .make {
                $0.statusCode = status
                $0.message = message
                $0.errorType = type
                $0.fromWorker = isWorkers
            })
    }
}
