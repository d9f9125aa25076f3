import ChildRuntime
import Glibc
import HTTPFront
import Ledger
import Logging
import Messages
import PipeStages
import ServerSettings
import Transport

/// A front with real sockets on both sides, and a fake pipe behind it.
struct RunningFront {
    let front: Front
    let pipe: FakePipe
    let port: UInt16
    private let directory: String

    init(
        _ settings: FrontSettings = .served(), ready: Bool = true, limits: HTTPServer.Limits = .init(connections: 512),
        patience: RequestLedger.Patience? = nil, clock: @escaping @Sendable () -> Double = wallClockSeconds
    ) async throws {
        var template = Array("/tmp/srtfront.XXXXXX\0".utf8CString)
        directory = String(cString: mkdtemp(&template))
        let context = Context()
        let commands = try CommandPipe(connecting: Endpoint(.tokenizer, in: directory), in: context)
        let front = Front(
            settings: settings, generation: 1, log: .quiet, accessLog: .quiet, patience: patience, clock: clock,
            send: commands.send)
        pipe = try FakePipe(in: directory, context: context)
        try ReplyReader(
            binding: Endpoint(front: 1, in: directory), in: context, stamp: ProgressStamp(), log: .quiet,
            handle: front.handle,
            tick: {
                commands.retry()
                front.tick()
            }
        ).start()
        let listener = makeListener()
        port = listener.port
        self.front = front
        _ = try await HTTPServer(front, limits: limits, threads: 1)
            .serve(listener: listener.descriptor)
        if ready { front.handle(Topology.ready()) }
    }

    /// Ends the fake pipe and removes the socket files.
    func stop() {
        pipe.stop()
        for name in ["front-1.ipc", "tokenizer.ipc"] { unlink(directory + "/" + name) }
        rmdir(directory)
    }

    func client(receiveBuffer: Int32? = nil) -> LoopbackClient {
        LoopbackClient(port: port, receiveBuffer: receiveBuffer)
    }
}

extension FrontSettings {
    /// Settings as the recordings were made with.
    static func served() -> FrontSettings {
        var settings = ServerSettings()
        settings.modelPath = "SmolLM2-135M-Instruct"
        settings.tokenizerPath = "SmolLM2-135M-Instruct"
        settings.servedModelName = "m"
        settings.grammarBackend = .none
        settings.randomSeed = 1
        return FrontSettings(settings)
    }
}

extension Logger {
    /// A logger that says nothing.
    static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}
