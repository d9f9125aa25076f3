/// The events of one step, and which calls there were before: a format writes into it.
struct CallLog: Sendable {
    /// What was not taken yet.
    private(set) var events: [ToolCallEvent] = []
    /// How many calls have begun.
    private(set) var count = 0

    mutating func take() -> [ToolCallEvent] {
        defer { events = [] }
        return events
    }

    mutating func content(_ text: String) {
        guard !text.utf8.isEmpty else { return }
        if case .content(let before)? = events.last {
            events[events.count - 1] = .content(before + text)
        } else {
            events.append(.content(text))
        }
    }

    mutating func call(_ name: String) {
        events.append(.call(index: count, name: name))
        count += 1
    }

    /// Arguments of the call that began last.
    mutating func arguments(_ text: String) {
        guard !text.utf8.isEmpty else { return }
        if case .arguments(let index, let before)? = events.last, index == count - 1 {
            events[events.count - 1] = .arguments(index: index, before + text)
        } else {
            events.append(.arguments(index: count - 1, text))
        }
    }
}
