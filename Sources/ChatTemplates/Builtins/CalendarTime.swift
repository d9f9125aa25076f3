/// A moment by the calendar: what `strftime_now` reads. Handed in, so that a prompt can be made again.
package struct CalendarTime: Equatable, Sendable {
    private let seconds: Int
    private let microsecond: Int
    /// Seconds east of Greenwich.
    private let offset: Int

    /// A moment: seconds since 1970 began in Greenwich, read by the clock of a zone.
    package init(secondsSince1970: Int, microsecond: Int = 0, secondsEast: Int = 0) {
        // Python knows the years 1 to 9999.
        seconds =
            min(max(secondsSince1970, -62_135_596_800), 253_402_300_799 - 86_400)
            + min(max(secondsEast, -86_400), 86_400)
        self.microsecond = microsecond
        offset = secondsEast
    }

    private struct Parts {
        var year = 0
        var month = 0
        var day = 0
        var dayOfYear = 0
        /// From Sunday, 0.
        var weekday = 0
        var hour = 0
        var minute = 0
        var second = 0
    }

    private var parts: Parts {
        let days = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400
        let rest = seconds - days * 86_400
        // Days from 1 March of the year 0, in cycles of 400 years.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayFromMarch = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayFromMarch + 2) / 153
        var parts = Parts()
        parts.day = dayFromMarch - (153 * monthFromMarch + 2) / 5 + 1
        parts.month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        parts.year = yearOfEra + era * 400 + (parts.month <= 2 ? 1 : 0)
        let isLeap = (parts.year % 4 == 0 && parts.year % 100 != 0) || parts.year % 400 == 0
        parts.dayOfYear = monthFromMarch < 10 ? dayFromMarch + 60 + (isLeap ? 1 : 0) : dayFromMarch - 305
        parts.weekday = ((days + 4) % 7 + 7) % 7
        parts.hour = rest / 3_600
        parts.minute = rest / 60 % 60
        parts.second = rest % 60
        return parts
    }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    /// Python's `strftime`, in English.
    func formatted(_ format: String) -> String {
        let parts = self.parts
        var text = ""
        let scalars = Array(format.unicodeScalars)
        var place = 0
        while place < scalars.count {
            guard scalars[place] == "%", place + 1 < scalars.count else {
                text.unicodeScalars.append(scalars[place])
                place += 1
                continue
            }
            let isBare = scalars[place + 1] == "-" && place + 2 < scalars.count
            place += isBare ? 2 : 1
            text += field(scalars[place], parts, isBare: isBare)
            place += 1
        }
        return text
    }

    private func field(_ code: Unicode.Scalar, _ parts: Parts, isBare: Bool) -> String {
        let hour12 = parts.hour % 12 == 0 ? 12 : parts.hour % 12
        switch code {
        case "Y": return String(parts.year)
        case "C": return padded(parts.year / 100, 2, isBare)
        case "y": return padded(parts.year % 100, 2, isBare)
        case "m": return padded(parts.month, 2, isBare)
        case "d": return padded(parts.day, 2, isBare)
        case "e": return padded(parts.day, 2, isBare, " ")
        case "H": return padded(parts.hour, 2, isBare)
        case "k": return padded(parts.hour, 2, isBare, " ")
        case "I": return padded(hour12, 2, isBare)
        case "l": return padded(hour12, 2, isBare, " ")
        case "M": return padded(parts.minute, 2, isBare)
        case "S": return padded(parts.second, 2, isBare)
        case "f": return padded(microsecond, 6, false)
        case "j": return padded(parts.dayOfYear, 3, isBare)
        case "B": return Self.months[parts.month - 1]
        case "b", "h": return String(Self.months[parts.month - 1].prefix(3))
        case "A": return Self.days[parts.weekday]
        case "a": return String(Self.days[parts.weekday].prefix(3))
        case "p": return parts.hour < 12 ? "AM" : "PM"
        case "P": return parts.hour < 12 ? "am" : "pm"
        case "w": return String(parts.weekday)
        case "u": return String(parts.weekday == 0 ? 7 : parts.weekday)
        case "U": return padded((parts.dayOfYear + 6 - parts.weekday) / 7, 2, isBare)
        case "W": return padded((parts.dayOfYear + 6 - (parts.weekday + 6) % 7) / 7, 2, isBare)
        case "s": return String(seconds - offset)
        case "n": return "\n"
        case "t": return "\t"
        case "%": return "%"
        // `datetime.now()` has no zone.
        case "z", "Z": return ""
        case "D", "x": return formatted("%m/%d/%y")
        case "F": return formatted("%Y-%m-%d")
        case "T", "X": return formatted("%H:%M:%S")
        case "R": return formatted("%H:%M")
        case "r": return formatted("%I:%M:%S %p")
        case "c": return formatted("%a %b %e %H:%M:%S %Y")
        default: return "%" + (isBare ? "-" : "") + String(Character(code))
        }
    }

    private func padded(_ number: Int, _ width: Int, _ isBare: Bool, _ fill: String = "0") -> String {
        let digits = String(number)
        return isBare ? digits : String(repeating: fill, count: max(0, width - digits.utf8.count)) + digits
    }
}
