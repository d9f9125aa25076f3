import Ledger
import Messages
import PipeStages
import Testing
import Values

/// Tens of thousands of events in random orders; after each the ledger must be in order.
@Suite struct RequestLedgerScheduleTests {
    @Test(arguments: 0..<40) func everyRowEndsOnceWithItsText(seed: Int) throws {
        var schedule = LedgerSchedule(seed: UInt64(seed))
        for _ in 0..<1000 { try schedule.step() }
        try schedule.finish()
        #expect(schedule.opened > 50)
        #expect(schedule.opened == schedule.ended)
    }
}

/// A ledger and a world around it that loses, repeats and reorders messages.
private struct LedgerSchedule {
    private var ledger = RequestLedger(generation: 1, patience: .make { $0.crowd = 3 })
    private var random: SplitMix64
    private var worker: UInt64 = 1
    private var tokenizer: UInt64 = 1
    private var now = 1.0
    private var groups: [UInt64] = []
    private var endedRows: Set<UInt64> = []
    /// The latest attempt that was submitted for each row, with the ids it resumed from.
    private var submitted: [UInt64: Generate] = [:]
    /// The same of rows that end with a vector.
    private var embeds: [UInt64: RequestKey] = [:]
    private(set) var opened = 0
    private(set) var ended = 0

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        _ = ledger.pipeChanged(to: .ready(worker: 1), now: now)
    }

    /// What a row's output is, wherever it is computed.
    private static func truth(_ id: UInt64, _ range: Range<Int>) -> [UInt8] {
        range.map { UInt8(97 + (id &* 31 &+ UInt64($0) &* 7) % 26) }
    }

    private static func length(_ id: UInt64) -> Int { Int(id % 17) + 1 }

    mutating func step() throws {
        now += 0.01
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<15: try open()
        case 15..<65: deliver()
        case 65..<70: deliverVectors()
        case 70..<75: fail()
        case 75..<80: resubmit()
        case 80..<83: away()
        case 83..<90: restart()
        case 90..<93: perform(ledger.abort(prefix: "g\(Int.random(in: 0..<50, using: &random))", now: now))
        case 93..<95: if let group = groups.randomElement(using: &random) { perform(ledger.parkUnread(group)) }
        case 95..<97: if let group = groups.randomElement(using: &random) { perform(ledger.reads(group, now: now)) }
        case 97..<99: if let group = groups.randomElement(using: &random) { close(group) }
        default: perform(ledger.tick(now: now))
        }
        try check()
    }

    /// Ends everything.
    mutating func finish() throws {
        restart()
        for group in groups { perform(ledger.reads(group, now: now)) }
        try check()
        #expect(ledger.parkedCount == 0)
        for group in groups { close(group) }
        #expect(ledger.rows.isEmpty)
        #expect(ledger.openCount == 0)
    }

    private mutating func open() throws {
        let count = Int.random(in: 1...4, using: &random)
        let openings = (0..<count).map { number in
            let errand: Errand =
                number == 3 ? .embed(Embed()) : .generate(.make { $0.options.stream = number % 2 == 0 })
            return RequestLedger.Opening(errand, rid: "g\(opened)_\(number)")
        }
        let (group, effects) = try ledger.open(openings, now: now)
        groups.append(group)
        opened += count
        perform(effects)
    }

    /// A frame of some attempt of some row: the next ids, or ids that are there already, or ids after a gap.
    private mutating func deliver() {
        guard let (id, request) = submitted.randomElement(using: &random) else { return }
        let have = ledger.rows[id]?.output.ids.count ?? 0
        let length = Self.length(id)
        let start = max(0, min(length, have + [0, 0, 0, 0, -1, -3, 2].randomElement(using: &random)!))
        let end = min(length, start + Int.random(in: 0...3, using: &random))
        let isLast = end == length && Bool.random(using: &random)
        var key = request.key
        if key.attempt > 0, Int.random(in: 0..<10, using: &random) == 0 { key.attempt -= 1 }
        let batch = EchoStages.batch(
            key, offset: start, Self.truth(id, start..<max(start, end)),
            finish: isLast ? .make { $0.length = Int32(length) } : .init())
        for _ in 0...(Int.random(in: 0..<10, using: &random) / 9) { perform(ledger.receive(batch, now: now)) }
    }

    /// Vectors of some rows, of older attempts too.
    private mutating func deliverVectors() {
        let keys = embeds.values.shuffled(using: &random).prefix(3).map { key in
            RequestKey.make {
                $0.id = key.id
                $0.attempt = key.attempt > 0 && Bool.random(using: &random) ? key.attempt - 1 : key.attempt
            }
        }
        perform(ledger.receive(EchoStages.vectors(keys, keys.map { [Float($0.id), Float($0.attempt)] }), now: now))
    }

    private mutating func fail() {
        guard let (_, request) = submitted.randomElement(using: &random), Int.random(in: 0..<4, using: &random) == 0
        else { return }
        perform(
            ledger.receive(
                Failure.make {
                    $0.key = request.key; $0.message = "no"
                }, now: now))
    }

    private mutating func resubmit() {
        let keys = submitted.values.shuffled(using: &random).prefix(3).map(\.key)
        perform(ledger.receive(Resubmit.make { $0.keys = keys }, now: now))
    }

    private mutating func away() { perform(ledger.pipeChanged(to: .away(worker: worker), now: now)) }

    private mutating func restart() {
        if Bool.random(using: &random) { worker += 1 } else { tokenizer += 1 }
        perform(ledger.pipeChanged(to: .ready(worker: worker, tokenizer: tokenizer), now: now))
    }

    private mutating func close(_ group: UInt64) {
        let open = ledger.rows(of: group).filter { !$0.isEnded }
        let effects = ledger.close(group)
        #expect(Set(effects.commands.map(\.abort.key.id)) == Set(open.map(\.key.id)))
        ended += open.count
        groups.removeAll { $0 == group }
        perform(effects)
    }

    private mutating func perform(_ effects: [RequestLedger.Effect]) {
        for effect in effects {
            guard case .send(let command) = effect else { continue }
            for embed in command.embeds.requests {
                #expect(embeds[embed.key.id].map { $0.attempt < embed.key.attempt } ?? (embed.key.attempt == 0))
                #expect(ledger.rows[embed.key.id]?.isEnded == false)
                embeds[embed.key.id] = embed.key
            }
            guard case .generate(let request)? = command.command else { continue }
            let id = request.key.id
            if let last = submitted[id] {
                #expect(request.key.attempt > last.key.attempt)
            } else {
                #expect(request.key.attempt == 0)
            }
            #expect(request.resumedIds == (ledger.rows[id]?.output.ids ?? []))
            #expect(ledger.rows[id]?.isEnded == false)
            submitted[id] = request
        }
    }

    private mutating func check() throws {
        var (open, parked) = (0, 0)
        var isInOrder = true
        for (id, row) in ledger.rows {
            let text = Self.truth(id, 0..<row.output.ids.count)
            if row.output.text != text || row.output.ids != text.map(Int32.init) { isInOrder = false }
            // A vector is that of the row's last attempt, and ends it.
            let vector = row.output.vector
            if !vector.isEmpty, !row.isEnded || vector != [Float(id), Float(row.key.attempt)] { isInOrder = false }
            if row.isEnded {
                if endedRows.insert(id).inserted { ended += 1 }
            } else {
                if endedRows.contains(id) { isInOrder = false }
                open += 1
                if row.isParked { parked += 1 }
            }
        }
        try #require(isInOrder, "a row has foreign text, or goes on after its end")
        try #require(ledger.openCount == open && ledger.parkedCount == parked)
    }
}

extension RequestLedger.Patience {
    /// The usual limits with changes.
    static func make(_ change: (inout Self) -> Void) -> Self {
        var patience = Self()
        change(&patience)
        return patience
    }
}
