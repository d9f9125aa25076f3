import ArgumentParser
import JSON
import Tensors
import Values

/// `srt bench machine`: what this machine can do at most, at this moment.
struct MachineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "machine", abstract: "Measure read bandwidth and the peak of the dot instructions.")

    @OptionGroup var compute: ComputeOptions

    @Flag(help: "Print one line of JSON.")
    var json = false

    func run() throws {
        let compute = try compute.start(for: nil)
        let machine = try Machine(compute, dtype: .bfloat16)
        let bandwidth = median((0..<5).map { _ in machine.bandwidth() })
        let peaks = DType.allCases.map { (dtype: $0, rate: machine.dotPeak(of: $0)) }
        let bytes = machine.int8DotPeak()
        if json {
            var facts: JSONObject = [
                "isa": .string(compute.isa.name), "threads": .int(Int64(compute.threads)),
                "read_gb_per_second": .double(bandwidth), "int8_dot_gop_per_second": .double(bytes),
            ]
            for peak in peaks { facts["\(peak.dtype)_dot_gflop_per_second"] = .double(peak.rate) }
            print(JSON.encodeToString(.object(facts)))
        } else {
            print("\(compute.isa.name), \(compute.threads) threads: reads \(decimal(bandwidth, 1)) GB/s")
            for peak in peaks { print("\(peak.dtype) dot peak \(decimal(peak.rate, 0)) GFLOP/s") }
            print("int8 dot peak \(decimal(bytes, 0)) GOP/s")
        }
    }
}
