import Testing
import Values

/// How moments are written.
@Suite struct CalendarTimeTests {
    @Test func everyFieldHasItsZeros() {
        let time = CalendarTime(utc: 981_173_106.000_5)
        #expect(time.iso == "2001-02-03T04:05:06.000499" || time.iso == "2001-02-03T04:05:06.000500")
        #expect(time.logStamp == "2001-02-03 04:05:06")
    }

    @Test func momentsBefore1970CountUpwardsToo() {
        #expect(CalendarTime(utc: -0.25).iso == "1969-12-31T23:59:59.750000")
    }

    @Test func theLocalTimeIsThatOfTheZone() {
        let (local, utc) = (CalendarTime(local: 86_400, microsecond: 7), CalendarTime(utc: 86_400))
        #expect(local.microsecond == 7 && local.second == utc.second)
        #expect([1, 2].contains(local.day) && local.year == 1970 && local.month == 1)
    }
}
