internal import Glibc

/// A moment as a calendar and a clock show it, and the ways in which it is written.
package struct CalendarTime: Sendable, Equatable {
    package let year, month, day, hour, minute, second, microsecond: Int

    /// The moment so long after 1970 in this machine's time zone.
    package init(local seconds: Int, microsecond: Int = 0) {
        var (whole, parts) = (time_t(seconds), tm())
        localtime_r(&whole, &parts)
        self.init(parts, microsecond)
    }

    /// The moment so many seconds after 1970 in UTC.
    package init(utc seconds: Double) {
        let floor = seconds.rounded(.down)
        var (whole, parts) = (time_t(floor), tm())
        gmtime_r(&whole, &parts)
        self.init(parts, Int((seconds - floor) * 1e6))
    }

    /// This moment in this machine's time zone.
    package static func now() -> CalendarTime {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return CalendarTime(local: now.tv_sec, microsecond: now.tv_nsec / 1000)
    }

    private init(_ parts: tm, _ microsecond: Int) {
        (year, month, day) = (Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday))
        (hour, minute, second) = (Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec))
        self.microsecond = microsecond
    }

    /// As log lines begin: `2026-01-31 23:59:59`.
    package var logStamp: String { "\(date) \(clock)" }

    /// As ISO 8601 writes it, with microseconds and without a zone: `2026-01-31T23:59:59.000001`.
    package var iso: String { "\(date)T\(clock).\(padded(microsecond, 6))" }

    private var date: String { "\(year)-\(padded(month, 2))-\(padded(day, 2))" }

    private var clock: String { "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))" }
}

/// A number with zeros before it.
private func padded(_ value: Int, _ digits: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}
