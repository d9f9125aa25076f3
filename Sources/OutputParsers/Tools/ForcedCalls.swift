/// The list of calls that a grammar forces where a format has none of its own (`tool_choice` required or named).
///
/// Text that is no such list, since the grammar did not hold or the answer was cut short, is content.
struct ForcedCalls: ToolCallFormat {
    private let tools: ToolTable
    private var reader = CallListReader()
    private var pending = PendingText()
    /// How much of what is pending is read.
    private var read = 0
    private var isBroken = false
    private var log = CallLog()

    init(_ tools: ToolTable) { self.tools = tools }

    var isCallOpen: Bool { reader.isOpen }

    mutating func feed(_ delta: String) -> [ToolCallEvent] {
        pending.append(delta)
        if !isBroken, !reader.isDone {
            let (end, progress) = reader.feed(pending, from: read, tools, &log)
            read = end
            isBroken = progress == .failed
        }
        if log.count > 0 {
            pending.drop(read)
            read = 0
        }
        return log.take()
    }

    mutating func finish() -> [ToolCallEvent] {
        if log.count == 0 { log.content(pending.takeAll()) }
        return log.take()
    }

    func parse(_ text: String) -> ToolCallAnswer {
        var calls: [PythonValue] = []
        switch JSONReader.value(of: text) {
        case .list(let list)?: calls = list
        case .dict(let dict)?: calls = [.dict(dict)]
        default: return ToolCallAnswer(content: text)
        }
        var answer = ToolCallAnswer(content: "")
        for call in calls {
            guard case .dict(let dict) = call, case .string(let name)? = dict["name"] else {
                return ToolCallAnswer(content: text)
            }
            let arguments = dict["parameters"] ?? .dict(PythonDict())
            answer.calls.append(ToolCall(name: name, arguments: arguments.json, toolIndex: answer.calls.count))
        }
        return answer
    }
}
