/// Whether the client of a stream reads it, as far as TCP shows that.
///
/// The kernel on the other side takes in and confirms whatever it has room for, read or not. But it offers new room only when
/// its program has read: where the end of the offered window stands still while bytes wait, nobody reads. (Linux offers less
/// than it has, so with its usual buffers it takes some 40 KiB of unread text until the window shows it.)
package struct ReadingWatch: Sendable {
    /// Seconds without reading after which the client does not count as a reader.
    static let patience = 2.0
    /// Bytes that may lie unread; the last frame always does for a moment.
    static let fewBytes = 1024
    /// Seconds between two looks.
    static let interval = 0.25
    /// Seconds after which a stream that was set aside goes on in any case, should the client's kernel not tell that it
    /// reads; twice as long each time.
    static let firstPause = 60.0

    private var lookedAt = 0.0
    /// When the client was last seen reading, and how far everything was then.
    private var readAt: Double
    private var acknowledgedThen: UInt64 = 0
    private var windowEndThen: UInt64 = 0
    private var windowEnd: UInt64 = 0
    private var widestWindow: UInt32 = 0
    private var unread = 0
    private var nextPause = Self.firstPause

    /// A watch that begins now, in seconds since 1970.
    package init(now: Double) { readAt = now }

    /// It is time to look at the connection.
    package func wantsLook(now: Double) -> Bool { now - lookedAt >= Self.interval }

    /// This is how the connection looks now; nil where nobody can tell.
    package mutating func look(_ delivery: Delivery?, now: Double) {
        lookedAt = now
        see(delivery, now: now)
    }

    private mutating func see(_ delivery: Delivery?, now: Double) {
        guard let delivery else {
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

    /// Whether bytes have waited for the client too long.
    package func isStalled(now: Double) -> Bool { unread >= Self.fewBytes && now - readAt > Self.patience }

    /// Looks at a connection to which nothing was sent since the last look; whether the client has read since.
    package mutating func hasRead(_ delivery: Delivery?, now: Double) -> Bool {
        let end = windowEnd
        see(delivery, now: now)
        return windowEnd > end
    }

    /// The stream is set aside; until when at most, in seconds since 1970.
    package mutating func pause(now: Double) -> Double {
        defer { nextPause *= 2 }
        return now + nextPause
    }
}
