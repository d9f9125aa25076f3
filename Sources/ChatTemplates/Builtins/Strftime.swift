internal import Values

// What `strftime_now` writes.
extension CalendarTime {
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    /// Days since 1970 began.
    private var days: Int {
        // Years begin in March, so that the leap day is the last.
        let years = month > 2 ? year : year - 1
        let months = (month + 9) % 12
        let leapDays: Int = years / 4 - years / 100 + years / 400
        let daysOfMonths: Int = (months * 153 + 2) / 5
        return years * 365 + leapDays + daysOfMonths + day - 719_469
    }

    /// From Sunday, 0.
    private var weekday: Int { ((days + 4) % 7 + 7) % 7 }

    private var dayOfYear: Int {
        let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
        if month <= 2 { return (month - 1) * 31 + day }
        return ((month - 3) * 153 + 2) / 5 + day + (isLeap ? 60 : 59)
    }

    private var secondsSince1970: Int {
        let hours: Int = days * 24 + hour
        let minutes: Int = hours * 60 + minute
        return minutes * 60 + second
    }

    /// Python's `strftime`, in English.
    func strftime(_ format: String) -> String {
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
            text += field(scalars[place], isBare: isBare)
            place += 1
        }
        return text
    }

    private func field(_ code: Unicode.Scalar, isBare: Bool) -> String {
        let hour12 = hour % 12 == 0 ? 12 : hour % 12
        switch code {
        case "Y": return String(year)
        case "C": return padded(year / 100, 2, isBare)
        case "y": return padded(year % 100, 2, isBare)
        case "m": return padded(month, 2, isBare)
        case "d": return padded(day, 2, isBare)
        case "e": return padded(day, 2, isBare, " ")
        case "H": return padded(hour, 2, isBare)
        case "k": return padded(hour, 2, isBare, " ")
        case "I": return padded(hour12, 2, isBare)
        case "l": return padded(hour12, 2, isBare, " ")
        case "M": return padded(minute, 2, isBare)
        case "S": return padded(second, 2, isBare)
        case "f": return padded(microsecond, 6, false)
        case "j": return padded(dayOfYear, 3, isBare)
        case "B": return Self.months[month - 1]
        case "b", "h": return String(Self.months[month - 1].prefix(3))
        case "A": return Self.weekdays[weekday]
        case "a": return String(Self.weekdays[weekday].prefix(3))
        case "p": return hour < 12 ? "AM" : "PM"
        case "P": return hour < 12 ? "am" : "pm"
        case "w": return String(weekday)
        case "u": return String(weekday == 0 ? 7 : weekday)
        case "U": return padded((dayOfYear + 6 - weekday) / 7, 2, isBare)
        case "W": return padded((dayOfYear + 6 - (weekday + 6) % 7) / 7, 2, isBare)
        case "s": return String(secondsSince1970)
        case "n": return "\n"
        case "t": return "\t"
        case "%": return "%"
        // `datetime.now()` has no zone.
        case "z", "Z": return ""
        case "D", "x": return strftime("%m/%d/%y")
        case "F": return strftime("%Y-%m-%d")
        case "T", "X": return strftime("%H:%M:%S")
        case "R": return strftime("%H:%M")
        case "r": return strftime("%I:%M:%S %p")
        case "c": return strftime("%a %b %e %H:%M:%S %Y")
        default: return "%" + (isBare ? "-" : "") + String(Character(code))
        }
    }

    private func padded(_ number: Int, _ width: Int, _ isBare: Bool, _ fill: String = "0") -> String {
        let digits = String(number)
        return isBare ? digits : String(repeating: fill, count: max(0, width - digits.utf8.count)) + digits
    }
}
