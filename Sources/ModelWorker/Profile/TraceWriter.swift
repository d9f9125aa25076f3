internal import JSON

/// Writes events in the format of Chrome's traces.
struct TraceWriter {
    /// Lines of a trace, one below the other.
    enum Track: Int, CaseIterable {
        case steps = 1, worker, pipes, kernels

        var name: String {
            switch self {
            case .steps: "steps"
            case .worker: "worker"
            case .pipes: "messages"
            case .kernels: "kernels"
            }
        }
    }

    private var json = JSONWriter(reservingCapacity: 1 << 16)
    private let process: Int
    private let began: Double
    /// The state in which each request is now.
    private var states: [UInt64: String] = [:]

    /// - Parameter began: monotonic seconds that stand as 0.
    init(process: Int, began: Double) {
        self.process = process
        self.began = began
        json.beginObject()
        json.member("displayTimeUnit", "ms")
        json.key("traceEvents")
        json.beginArray()
    }

    /// Names the process and its lines.
    mutating func name(process title: String) {
        metadata("process_name", nil, title)
        for track in Track.allCases { metadata("thread_name", track, track.name) }
    }

    private mutating func metadata(_ kind: String, _ track: Track?, _ name: String) {
        event(kind, "M", nil) { json in
            if let track { json.member("tid", track.rawValue) }
            json.key("args")
            json.beginObject()
            json.member("name", name)
            json.endObject()
        }
    }

    /// Something that took from one moment to another.
    mutating func span(
        _ name: String, _ track: Track, _ begin: Double, _ end: Double, _ arguments: JSONObject = [:]
    ) {
        event(name, "X", begin) { json in
            json.member("tid", track.rawValue)
            json.member("dur", max(0, end - begin) * 1e6)
            guard !arguments.isEmpty else { return }
            json.key("args")
            json.value(.object(arguments))
        }
    }

    /// A request comes into a state; the one before ends.
    mutating func request(_ id: UInt64, _ state: String, at time: Double) {
        if let before = states[id] { request(id, before, "e", time) }
        states[id] = state == StepTrace.RequestState.over.rawValue ? nil : state
        if states[id] != nil { request(id, state, "b", time) }
    }

    private mutating func request(_ id: UInt64, _ state: String, _ phase: String, _ time: Double) {
        event(state, phase, time) { json in
            json.member("cat", "request")
            json.member("id", "0x" + String(id, radix: 16))
        }
    }

    /// Numbers as they are from a moment on.
    mutating func counter(_ name: String, _ values: JSONObject, at time: Double) {
        event(name, "C", time) { json in
            json.key("args")
            json.value(.object(values))
        }
    }

    private mutating func event(
        _ name: String, _ phase: String, _ time: Double?, _ rest: (inout JSONWriter) -> Void
    ) {
        json.beginObject()
        json.member("name", name)
        json.member("ph", phase)
        json.member("pid", process)
        if let time { json.member("ts", max(0, time - began) * 1e6) }
        rest(&json)
        json.endObject()
    }

    /// The whole text.
    ///
    /// - Parameter dropped: events beyond the trace's limit.
    consuming func finish(dropped: Int) -> [UInt8] {
        json.endArray()
        json.key("otherData")
        json.value(["clock": "monotonic", "dropped_events": .int(Int64(dropped))])
        json.endObject()
        return json.bytes
    }
}
