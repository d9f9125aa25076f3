internal import ChildRuntime
package import JSON
package import Ledger
internal import Messages
internal import Synchronization

/// Which weights are served, where they lie and what they are called, as rank 0 of the worker wrote it down last and operators say.
package final class WeightNames: Sendable {
    /// What is served now.
    package struct Served: Sendable, Equatable {
        /// Counted from those of the start, which are 0.
        package var number: UInt64
        /// The order that brought them; 0 for those of the start.
        package var order: UInt64
        package var path: String
        package var version: String
    }

    private let written: WeightsKeepsake?
    private let orders: FrontKeepsake
    private let launched: Served
    private let known = Mutex<[UInt64: String]>([:])
    /// Names that are remembered, for answers that began so many changes ago.
    private static let remembered = 64

    /// - Parameters:
    ///   - descriptor: of the memory in which the worker writes; nil: there is none, and the weights are those of the start.
    ///   - path: the model's, as the server was told at its start; so is `version`.
    package init(descriptor: Int32?, orders: FrontKeepsake, path: String, version: String) {
        written = descriptor.map(WeightsKeepsake.init)
        self.orders = orders
        launched = Served(number: 0, order: 0, path: path, version: version)
    }

    /// What is served now.
    package var current: Served {
        var served = launched
        let change = written?.read()
        if let change { (served.number, served.order, served.path) = (change.number, change.order, change.path) }
        let named = orders.orders.flatMap { $0.hasWeightVersion ? $0 : nil }
        if let change, change.hasVersion, named.map({ $0.namedWeights < change.namedAt }) ?? true {
            served.version = change.version
        } else if let named {
            served.version = named.weightVersion
        }
        known.withLock { known in
            known[served.number] = served.version
            if known.count > Self.remembered, let oldest = known.keys.min() { known[oldest] = nil }
        }
        return served
    }

    /// Calls the weights that are served now so.
    package func rename(_ version: String) {
        let number = current.number
        orders.order {
            $0.weightVersion = version
            $0.namedWeights = number
        }
        known.withLock { $0[number] = version }
    }

    /// What the weights of a number are called, as far as that is remembered.
    package func version(of number: UInt64) -> String { known.withLock { $0[number] } ?? current.version }

    /// What the weights are called that an answer ends with.
    package func version(of output: RowOutput) -> String {
        output.weightSpans.last.map { version(of: $0.number) } ?? current.version
    }

    /// With which weights the first ids of an answer were computed: their names, and for which ids.
    package func spans(of output: RowOutput, count: Int) -> [(version: String, start: Int, end: Int)] {
        let spans = output.weightSpans.filter { $0.start < max(count, 1) }
        guard !spans.isEmpty else { return [(current.version, 0, count)] }
        return spans.indices.map { index in
            (
                version(of: spans[index].number), spans[index].start,
                index + 1 < spans.count ? spans[index + 1].start : count
            )
        }
    }
}

extension JSONWriter {
    /// Writes the member that tells which ids of an answer were computed with which weights.
    package mutating func weightVersions(_ spans: [(version: String, start: Int, end: Int)]) {
        key("weight_versions")
        beginArray()
        for span in spans {
            beginObject()
            member("version", span.version)
            member("start", span.start)
            member("end", span.end)
            endObject()
        }
        endArray()
    }
}
