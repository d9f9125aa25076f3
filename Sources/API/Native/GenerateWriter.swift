internal import APICore
internal import JSON
internal import Ledger
internal import Messages
internal import NIOCore
internal import Values

/// Writes the answers of /generate: an object or a list of them, or the frames of a stream.
struct GenerateWriter: AnswerWriter {
    private let style: MetaInfo.Style
    /// Names of the rows, in the order of the answer.
    private let rids: [ClientName]
    private let dialect = NativeDialect()
    private var open: Int
    private var sent: [UInt64: RowCut] = [:]
    private var firstSent: [UInt64: Double] = [:]
    private var json = JSONWriter(reservingCapacity: 1024)
    private(set) var isOver = false
    /// The answer is a list.
    var isList = false
    var returnsPromptIDs = false

    init(_ style: MetaInfo.Style, rids: [ClientName]) {
        self.style = style
        self.rids = rids
        open = rids.count
    }

    private var answer: GenerateAnswer { GenerateAnswer(style: style, returnsPromptIDs: returnsPromptIDs) }

    // MARK: Whole answers

    mutating func whole(_ rows: [LedgerRow], now: Double) -> [UInt8] {
        if isList { json.beginArray() }
        for row in rows {
            answer.write(row, .init(to: row.output.end, finish: row.finish), now: now, to: &json)
        }
        if isList { json.endArray() }
        return json.bytes
    }

    // MARK: Streams

    mutating func frames(_ rows: [LedgerRow], now: Double) -> ByteBuffer {
        var buffer = ByteBuffer()
        for row in rows where !isOver {
            append(row, now: now, to: &buffer)
            if row.isEnded { open -= 1 }
            if open == 0 { isOver = true }
        }
        if isOver { buffer.writeBytes(EventStream.done) }
        return buffer
    }

    private mutating func append(_ row: LedgerRow, now: Double, to buffer: inout ByteBuffer) {
        var finish = row.finish
        if case .failed(let failure)? = row.ending {
            guard let reason = dialect.finishReason(of: failure) else {
                EventStream.append(dialect.frame(of: failure), to: &buffer)
                isOver = true
                return
            }
            finish = reason
        }
        var cuts = row.cuts
        if finish != nil, cuts.last != row.output.end { cuts.append(row.output.end) }
        for (number, cut) in cuts.enumerated() {
            var extent = MetaInfo.Extent(to: cut, finish: number == cuts.count - 1 ? finish : nil, isFrame: true)
            extent.firstSent = firstSent[row.key.id]
            if isList { extent.index = row.index }
            if style.isIncremental { extent.from = sent[row.key.id] ?? RowCut() }
            append(row, extent, now: now, to: &buffer)
        }
    }

    private mutating func append(
        _ row: LedgerRow, _ extent: MetaInfo.Extent, now: Double, to buffer: inout ByteBuffer
    ) {
        json.removeAll()
        answer.write(row, extent, now: now, to: &json)
        EventStream.append(json.bytes, to: &buffer)
        sent[row.key.id] = extent.to
        if extent.firstSent == nil { firstSent[row.key.id] = now }
    }

    func refusal(_ failure: RequestFailure, now: Double) -> ByteBuffer? {
        guard !dialect.hasStatusInStreams(failure) else { return nil }
        var buffer = ByteBuffer()
        if let reason = dialect.finishReason(of: failure) {
            let row = LedgerRow(refused: failure, rid: rids.first ?? ClientName(RequestNames.fresh()), now: now)
            var json = JSONWriter()
            GenerateAnswer(style: style).write(row, .init(to: row.output.end, finish: reason), now: now, to: &json)
            EventStream.append(json.bytes, to: &buffer)
        } else {
            EventStream.append(dialect.frame(of: failure), to: &buffer)
        }
        buffer.writeBytes(EventStream.done)
        return buffer
    }
}
