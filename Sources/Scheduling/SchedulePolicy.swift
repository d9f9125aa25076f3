internal import Values

extension SchedulePolicy {
    /// The order depends on what is cached.
    var isCacheAware: Bool {
        switch self {
        case .lpm, .dfsWeight, .hrrn, .shortestPrefillFirst: true
        case .fcfs, .lof, .random, .routingKey: false
        }
    }
}

/// What the priorities of requests do (SGLang's `--enable-priority-scheduling`; for the policies fcfs and lof).
package struct PriorityRules: Sendable, Equatable {
    /// Smaller values are more urgent.
    package var lowValuesFirst: Bool
    /// Value of requests that name none; nil: less urgent than any value.
    package var defaultValue: Int64?
    /// A waiting request takes the place of running ones whose priority is lower by at least this; nil: never.
    package var preemptionGap: Int64?
    /// When the pool is full, the least urgent lose their slots first, whatever they have generated.
    package var guidesRetraction: Bool

    package init(
        lowValuesFirst: Bool = false, defaultValue: Int64? = nil, preemptionGap: Int64? = 10,
        guidesRetraction: Bool = false
    ) {
        self.lowValuesFirst = lowValuesFirst
        self.defaultValue = defaultValue
        self.preemptionGap = preemptionGap
        self.guidesRetraction = guidesRetraction
    }

    /// A number that is larger for what is more urgent.
    func rank(_ priority: Int64?) -> Int64 {
        guard let value = priority ?? defaultValue else { return .min }
        // The complement turns the order round and cannot overflow.
        return lowValuesFirst ? ~value : value
    }

    /// A request of one rank may take the place of a running one of another.
    func preempts(_ waiting: Int64, _ running: Int64) -> Bool {
        guard let gap = preemptionGap, waiting > running else { return false }
        let (difference, overflow) = waiting.subtractingReportingOverflow(running)
        return overflow || difference >= gap
    }
}
