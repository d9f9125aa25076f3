internal import CPlatform

/// Whether the client of a stream reads it, as far as TCP shows that.
///
/// The kernel on the other side takes in and confirms whatever it has room for, read or not. But it offers new room only when
/// its program has read: where the end of the offered window stands still while bytes wait, nobody reads. (Linux offers less
/// than it has, so with its usual buffers it takes some 40 KiB of unread text until the window shows it.)
struct ReadingWatch {
    /// Seconds without reading after which the client does not count as a reader.
    static let patience = 2.0
    /// Bytes that may lie unread; the last frame always does for a moment.
    static let fewBytes = 1024
    /// Seconds between two looks.
    static let interval = 0.25

    private let connection: ClientConnection
    private var lookedAt = 0.0
    /// When the client was last seen reading, and how far everything was then.
    private var readAt: Double
    private var acknowledgedThen: UInt64 = 0
    private var windowEndThen: UInt64 = 0
    private var windowEnd: UInt64 = 0
    private var widestWindow: UInt32 = 0
    private var unread = 0

    init(_ connection: ClientConnection, now: Double) {
        self.connection = connection
        readAt = now
    }

    /// Whether bytes have waited for the client too long; looks at the connection from time to time.
    mutating func isStalled(now: Double) -> Bool {
        if now - lookedAt >= Self.interval {
            lookedAt = now
            look(now)
        }
        return unread >= Self.fewBytes && now - readAt > Self.patience
    }

    /// Whether the client has read since the last look, in which nothing was sent.
    mutating func hasRead(now: Double) -> Bool {
        let end = windowEnd
        look(now)
        return windowEnd > end
    }

    private mutating func look(_ now: Double) {
        guard let delivery = connection.delivery else {
            (unread, readAt) = (0, now)
            return
        }
        windowEnd = delivery.acknowledged + UInt64(delivery.window)
        // A kernel that learns about its traffic offers a little more all the time; a reader makes room for all it gets.
        let gained = Int(windowEnd) - Int(windowEndThen)
        let got = Int(delivery.acknowledged - acknowledgedThen)
        if gained > 0, gained >= got / 2 {
            (readAt, windowEndThen, acknowledgedThen) = (now, windowEnd, delivery.acknowledged)
        }
        widestWindow = max(widestWindow, delivery.window)
        unread = Int(widestWindow - delivery.window) + Int(delivery.queued)
    }
}
