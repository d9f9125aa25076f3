internal import JSON
internal import Messages
internal import NIOCore

/// Turns news of rows into the frames of one stream.
struct GenerateStream {
    private let writer: GenerateAnswer
    private let isList: Bool
    private var open: Int
    private var sent: [UInt64: RowCut] = [:]
    private var firstSent: [UInt64: Double] = [:]
    private var json = JSONWriter(reservingCapacity: 1024)
    /// The last frame was written.
    private(set) var isOver = false

    init(_ writer: GenerateAnswer, rows: Int, isList: Bool) {
        self.writer = writer
        self.isList = isList
        open = rows
    }

    /// The frames for some rows, in one buffer; with the last row's end comes the end of the stream.
    mutating func write(_ rows: [LedgerRow], now: Double) -> ByteBuffer {
        var buffer = ByteBuffer()
        for row in rows where !isOver {
            append(row, now: now, to: &buffer)
            if row.isEnded { open -= 1 }
            if open == 0 { isOver = true }
        }
        if isOver { buffer.writeBytes(SSEWriter.done) }
        return buffer
    }

    private mutating func append(_ row: LedgerRow, now: Double, to buffer: inout ByteBuffer) {
        var finish = row.finish
        if case .ended(.failed(let failure)) = row.phase {
            guard failure.fromWorker else {
                SSEWriter.append(FailureResponse.frame(failure), to: &buffer)
                isOver = true
                return
            }
            finish = FailureResponse.finishReason(failure)
        }
        let end = RowCut(ids: row.output.ids.count, textBytes: row.output.text.count)
        var cuts = row.cuts
        if finish != nil, cuts.last != end { cuts.append(end) }
        for (number, cut) in cuts.enumerated() {
            appendFrame(row, to: cut, finish: number == cuts.count - 1 ? finish : nil, now: now, &buffer)
        }
    }

    private mutating func appendFrame(
        _ row: LedgerRow, to cut: RowCut, finish: FinishReason?, now: Double, _ buffer: inout ByteBuffer
    ) {
        let id = row.key.id
        var row = row
        row.times.firstSent = firstSent[id] ?? 0
        let extent = GenerateAnswer.Extent(
            from: writer.style.isIncremental ? sent[id] ?? RowCut(ids: 0, textBytes: 0) : RowCut(ids: 0, textBytes: 0),
            to: cut, finish: finish, isFrame: true, isFirst: firstSent[id] == nil, index: isList ? row.index : nil)
        json.removeAll()
        writer.write(row, extent, now: now, to: &json)
        SSEWriter.append(json.bytes, to: &buffer)
        sent[id] = cut
        if firstSent[id] == nil { firstSent[id] = now }
    }
}
