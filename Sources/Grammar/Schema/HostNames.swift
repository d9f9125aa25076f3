/// Names of hosts: labels of up to 63 letters, digits and hyphens, with points between, of 253 characters at most.
///
/// To count characters and those of a label at once takes a state for each pair. Labels that are over count as whole eighths of
/// characters therefore, so that names of more than 32 labels and a few that come near the limit are left out.
enum HostNames {
    private static let (mostOfLabel, mostOfAll) = (63, 253)
    /// Characters by which labels are counted.
    private static let unit = 8

    /// How far a name is: units of the labels before, characters of the label, whether a hyphen was the last.
    private struct Place {
        let units, count: Int
        let isHyphen: Bool

        static let mostUnits = mostOfAll / unit
        static let all = (mostUnits + 1) * (mostOfLabel + 1) * 2
        var number: Int32 { Int32((units * (mostOfLabel + 1) + count) * 2 + (isHyphen ? 1 : 0)) }

        init(units: Int, count: Int, isHyphen: Bool) {
            (self.units, self.count, self.isHyphen) = (units, count, isHyphen)
        }

        init(number: Int) {
            (units, count) = (number / 2 / (mostOfLabel + 1), number / 2 % (mostOfLabel + 1))
            isHyphen = number % 2 == 1
        }

        var isEnd: Bool { count > 0 && !isHyphen }

        /// Behind one more character of the label.
        func more(isHyphen: Bool) -> Place? {
            guard count < mostOfLabel, units * unit + count < mostOfAll, count > 0 || !isHyphen else { return nil }
            return Place(units: units, count: count + 1, isHyphen: isHyphen)
        }

        /// Behind a point.
        var next: Place? {
            let units = units + (count + unit) / unit
            return isEnd && units <= Self.mostUnits ? Place(units: units, count: 0, isHyphen: false) : nil
        }
    }

    private static let letters = ["0"..."9", "A"..."Z", "a"..."z"] as [ClosedRange<Unicode.Scalar>]

    /// The automaton of all of them but names in Punycode, which have rules of their own.
    static func automaton(_ budget: inout Budget) throws(GrammarError) -> Automaton {
        let symbols = letters.map { $0.lowerBound.value...$0.upperBound.value }
        let (hyphen, point): (UInt32, UInt32) = (0x2D, 0x2E)
        let classes = SymbolClasses(
            edges: (symbols + [hyphen...hyphen, point...point]).map {
                Network.Edge(from: 0, low: $0.lowerBound, high: $0.upperBound, to: 0)
            })
        var automaton = Automaton(classes: classes, next: [], accepting: [], calls: [])
        try budget.spend(states: Place.all)
        for number in 0..<Place.all {
            let place = Place(number: number)
            var row = [Int32](repeating: -1, count: classes.count)
            for range in symbols {
                row[classes.index(of: range.lowerBound)] = place.more(isHyphen: false)?.number ?? -1
            }
            row[classes.index(of: hyphen)] = place.more(isHyphen: true)?.number ?? -1
            row[classes.index(of: point)] = place.next?.number ?? -1
            automaton.next += row
            automaton.accepting.append(place.isEnd)
            automaton.calls.append([])
        }
        let punycode = try Automaton.matching("(^|\\.)[Xx][Nn]--", .part, &budget)
        return try automaton.subtracting(punycode, &budget)
    }
}
