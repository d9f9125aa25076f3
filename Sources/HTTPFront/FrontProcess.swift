internal import ChatAPI
internal import ChatTemplates
package import ChildRuntime
internal import Logging
internal import Messages
internal import NIOCore
package import ServerSettings
internal import TokenizerSource
internal import Transport

/// Runs the HTTP front until the launcher ends it: clients on the inherited listening socket, the other processes on ZeroMQ.
///
/// - Throws: when the sockets cannot be set up; after that the process ends by order or with its launcher.
package func runHTTPFront(identity: ChildIdentity, settings: FrontSettings) async throws -> Never {
    let log = LineLogHandler.logger(label: "http", level: settings.logLevel)
    let access = LineLogHandler.logger(label: "access", level: settings.effectiveLogLevelHTTP)
    let context = Context()
    let stamp = ProgressStamp()
    let pipe = try CommandPipe(connecting: Endpoint(.tokenizer, in: identity.runDirectory), in: context)
    let front = Front(
        settings: settings, model: ServedModel(settings), generation: identity.generation, log: log, accessLog: access,
        sessions: ChildIdentity.sessionsDescriptor, weights: ChildIdentity.weightsDescriptor, send: pipe.send)
    let orders = OrderBook(front: front, pipe: pipe)
    let line = try SupervisionLine(identity, context: context, stamp: stamp, onOrder: orders.obey)
    try ReplyReader(
        binding: Endpoint(front: identity.generation, in: identity.runDirectory), in: context, stamp: stamp, log: log,
        handle: front.handle,
        tick: {
            pipe.retry()
            front.tick()
            stamp.load(queued: 0, running: front.openRequests)
            if orders.isDrained() { line.leave("drained", code: 0) }
        }
    ).start()
    var slowClients = SlowClientLimits()
    slowClients.keepAlive = .seconds(settings.keepAliveTimeout)
    let limits = HTTPServer.Limits(connections: settings.maxConnections, slowClients: slowClients)
    let server = try HTTPServer(front, limits: limits, threads: HTTPServer.sensibleThreadCount)
    let listener = try await server.serve(listener: ChildIdentity.listenerDescriptor)
    if settings.tls.areGiven {
        // The launcher's warm-up speaks no TLS; nobody else enters the run directory.
        _ = try await server.servePlain(path: identity.runDirectory + "/" + ChildIdentity.plainSocketName)
    }
    // Descriptors are the launcher's; closing this one only ends accepting here.
    front.onHandOver(
        .init(close: { listener.close(promise: nil) }, connections: { server.connectionCount }))
    line.ready()
    try await listener.closeFuture.get()
    // The next front accepts from now on; the reader's thread ends this process when the last answer is out.
    guard front.isHandingOver else { line.leave("the listening socket was closed", code: 70) }
    while true { try await Task.sleep(for: .seconds(3600)) }
}

extension ServedModel {
    /// Reads the model's files. What is wrong with them is for the processes to tell that cannot work without.
    fileprivate init(_ settings: FrontSettings) {
        self.init()
        proposedSampling = TokenizerSource.proposedSampling(modelPath: settings.modelPath)
        stops = settings.chatTemplate.flatMap(BuiltinTemplate.named)?.stops ?? []
        let template = try? openTemplates(settings).template(hasTools: false)
        let source = template?.source ?? ""
        judges = Self.asksForYesOrNo(source)
        parsers.thinking = template.map { TemplateThinking($0) } ?? .unknown
        parsers.tools = settings.toolCallParser.flatMap { $0 == "auto" ? ChatParsers.toolsShown(by: source) : $0 }
        parsers.reasoning = settings.reasoningParser.flatMap {
            $0 == "auto" ? ChatParsers.reasoningShown(by: source) : $0
        }
    }
}
