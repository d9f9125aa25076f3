package import Ledger

/// What an interface is made from; each of its routes takes only what it needs.
package struct FrontServices: Sendable {
    /// Which incarnation of the front this is.
    package let generation: UInt64
    package let board: HealthBoard
    package let requests: OpenRequests
    package let answering: Answering
    package let questions: PipeQuestions
    /// What outlives the front.
    package let keepsake: FrontKeepsake
    package let requestLog: RequestLog
    package let numbers: RequestNumbers
    /// Seconds since 1970.
    package let clock: @Sendable () -> Double

    package init(
        generation: UInt64, board: HealthBoard, requests: OpenRequests, answering: Answering, questions: PipeQuestions,
        keepsake: FrontKeepsake, requestLog: RequestLog, numbers: RequestNumbers,
        clock: @escaping @Sendable () -> Double
    ) {
        self.generation = generation
        self.board = board
        self.requests = requests
        self.answering = answering
        self.questions = questions
        self.keepsake = keepsake
        self.requestLog = requestLog
        self.numbers = numbers
        self.clock = clock
    }
}
