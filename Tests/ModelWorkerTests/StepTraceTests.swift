import JSON
import ModelWorker
import Scheduling
import Testing

/// What a profile's file says.
@Suite struct StepTraceTests {
    private func events(_ trace: StepTrace, kernels: [(name: String, begin: Int64, end: Int64)] = []) throws
        -> [JSONValue]
    {
        let json = try JSON.parse(trace.json(kernels: kernels, process: (7, "worker"), now: 20))
        return try #require(json["traceEvents"]?.arrayValue)
    }

    /// Letters of the phases of a request's states, in order.
    private func life(_ events: [JSONValue], _ id: String) -> [String] {
        events.filter { $0["id"]?.stringValue == id }.map {
            "\($0["ph"]?.stringValue ?? "") \($0["name"]?.stringValue ?? "") \($0["ts"]?.doubleValue ?? -1)"
        }
    }

    private var prompt: Batch {
        var batch = Batch()
        batch.entries = [.init(id: 5, start: 0, count: 3, logitsFrom: 2, yieldsToken: true)]
        (batch.admitted, batch.prefillTokens) = ([5], 3)
        return batch
    }

    @Test func aRequestPassesThroughItsStates() throws {
        var trace = StepTrace(now: 10)
        trace.arrived(5, sent: 0.5, now: 11)
        trace.planned(prompt, now: 12)
        trace.ended(5, now: 14)
        #expect(
            life(try events(trace), "0x5") == [
                "b on its way 500000.0", "e on its way 1000000.0", "b waiting 1000000.0", "e waiting 2000000.0",
                "b running 2000000.0", "e running 4000000.0",
            ])
    }

    @Test func aRequestThatLosesItsSlotsWaitsAgainAndOneThatGoesOnEndsWithTheTrace() throws {
        var trace = StepTrace(now: 10)
        trace.arrived(5, sent: nil, now: 11)
        trace.planned(prompt, now: 12)
        var batch = Batch()
        batch.retracted = [5]
        trace.planned(batch, now: 13)
        #expect(
            life(try events(trace), "0x5").suffix(3) == [
                "e running 3000000.0", "b waiting 3000000.0", "e waiting 10000000.0",
            ])
    }

    @Test func stepsAndPartsAndKernelsHaveLinesOfTheirOwn() throws {
        var trace = StepTrace(now: 10)
        trace.note(prompt, from: 11, to: 11.5)
        var decode = Batch()
        decode.entries = [.init(id: 5, start: 3, count: 1, logitsFrom: 3, yieldsToken: true)]
        trace.note(decode, from: 12, to: 12.25)
        trace.note(.forward, from: 11.1, to: 11.4)
        let all = try events(trace, kernels: [("multiply_blocks", 11_200_000_000, 11_300_000_000)])
        let spans = all.filter { $0["ph"] == "X" }
        #expect(spans.map { $0["name"]?.stringValue } == ["prefill", "decode", "forward", "matmul"])
        #expect(Set(spans.map { $0["tid"]?.intValue }).count == 3)
        #expect(spans[0]["args"]?["prompt_tokens"] == 3 && spans[0]["dur"]?.doubleValue == 500_000)
        #expect(spans[1]["args"]?["decoding"] == 1 && spans[1]["args"]?["step"] == 2)
        #expect(all.filter { $0["ph"] == "M" }.count == 5 && trace.steps == 2)
    }

    @Test func aFullTraceCountsWhatItDrops() throws {
        var trace = StepTrace(now: 0, limit: 2)
        for second in 0..<5 { trace.note(.send, from: Double(second), to: Double(second) + 0.5) }
        let json = try JSON.parse(trace.json(kernels: [], process: (7, "worker"), now: 9))
        #expect(json["otherData"]?["dropped_events"] == 3)
        #expect(json["traceEvents"]?.arrayValue?.filter { $0["ph"] == "X" }.count == 2)
    }
}
