import Foundation
import Messages
import Testing
import Transport

/// A private folder for sockets that goes away with the test.
private struct SocketFolder: ~Copyable {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "srt-" + UUID().uuidString.prefix(8)
        try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

@Suite(.timeLimit(.minutes(1))) struct SocketTests {
    private func abort(_ id: UInt64) -> WorkerCommand {
        .make { $0.abort = .make { $0.key = .make { $0.id = id } } }
    }

    @Test func messagesArriveInOrder() throws {
        let folder = SocketFolder()
        let context = Context()
        let endpoint = Endpoint(.scheduler, in: folder.path)
        let pull = try PullSocket<WorkerCommand>(binding: endpoint, in: context)
        let push = try PushSocket<WorkerCommand>(connecting: endpoint, in: context)
        for id in 1...100 { try push.send(abort(UInt64(id))) }
        for id in 1...100 {
            let message = try pull.receive(within: .seconds(10))
            #expect(message == abort(UInt64(id)))
        }
    }

    @Test func nothingIsQueuedForAConsumerThatIsNotThere() throws {
        let folder = SocketFolder()
        let context = Context()
        let push = try PushSocket<WorkerCommand>(connecting: Endpoint(.scheduler, in: folder.path), in: context)
        #expect(throws: TransportError.self) { try push.send(abort(1), within: .milliseconds(1)) }
    }

    @Test func aRestartedConsumerIsFoundAgainAndGetsNoOldMail() throws {
        let folder = SocketFolder()
        let context = Context()
        let endpoint = Endpoint(.scheduler, in: folder.path)
        let push = try PushSocket<WorkerCommand>(connecting: endpoint, in: context)
        do {
            let first = try PullSocket<WorkerCommand>(binding: endpoint, in: context)
            try push.send(abort(1), within: .seconds(10))
            let message = try first.receive(within: .seconds(10))
            #expect(message == abort(1))
        }
        let second = try PullSocket<WorkerCommand>(binding: endpoint, in: context)
        var delivered: WorkerCommand?
        // The first tries may still go to the closed end.
        for _ in 0..<100 where delivered == nil {
            try? push.send(abort(2), within: .milliseconds(100))
            delivered = try second.receive(within: .milliseconds(100))
        }
        #expect(delivered == abort(2))
    }

    @Test func aReceiveWithoutMailEndsAtItsDeadline() throws {
        let folder = SocketFolder()
        let pull = try PullSocket<WorkerCommand>(binding: Endpoint(.scheduler, in: folder.path), in: Context())
        let message = try pull.receive(within: .milliseconds(1))
        #expect(message == nil)
    }

    @Test func aPathThatIsTooLongIsRefusedByName() {
        let folder = "/tmp/" + String(repeating: "x", count: 120)
        #expect(throws: TransportError.pathTooLong(folder + "/scheduler.ipc")) {
            _ = try PullSocket<WorkerCommand>(binding: Endpoint(.scheduler, in: folder), in: Context())
        }
    }
}
