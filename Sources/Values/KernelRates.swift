/// What the products of a model are made of: numbers of a type, or bytes where its weights are quantized.
package enum ProductKind: String, Sendable, Codable, CaseIterable {
    case float32
    case float16
    case bfloat16
    /// Products of bytes; weights in int8 and int4 both are.
    case int8
}

/// How fast each rung of the ladder multiplies on one machine.
///
/// The highest rung is not always the fastest: there are processors with a BF16 dot product that does a third of what
/// their float32 units do. The launcher times the rungs and hands the figures to every child of its life, so all choose
/// the same one and go on with it after a restart.
package struct KernelRates: Sendable, Equatable, Codable {
    /// One rung's figure for one kind of product.
    package struct Figure: Sendable, Equatable, Codable {
        /// What was multiplied.
        package let kind: ProductKind
        /// On which rung.
        package let level: KernelISA
        /// Billions of operations per second on one thread; a multiply and an add are two.
        package let rate: Double

        /// States a figure.
        package init(kind: ProductKind, level: KernelISA, rate: Double) {
            self.kind = kind
            self.level = level
            self.rate = rate
        }
    }

    /// How many times as fast as what stands above it a rung must be to be taken instead.
    package static let margin = 1.1

    /// All figures, in any order.
    package let figures: [Figure]

    /// Puts figures together.
    package init(_ figures: [Figure]) { self.figures = figures }

    /// The rung to take for a kind of product: the highest, or a lower one that is faster by a clear margin; nil where
    /// nothing was timed.
    package func fastest(for kind: ProductKind) -> KernelISA? {
        var taken: Figure?
        for figure in ladder(kind) where taken.map({ figure.rate >= $0.rate * Self.margin }) ?? true {
            taken = figure
        }
        return taken?.level
    }

    /// The figures of a kind of product in words, the highest rung first: `avx512bf16 118, avx512 354 GFLOP/s`.
    package func comparison(for kind: ProductKind) -> String {
        ladder(kind).map { "\($0.level.name) \(Int($0.rate.rounded()))" }.joined(separator: ", ")
            + (kind == .int8 ? " GOP/s" : " GFLOP/s")
    }

    /// Whether there is one sound figure for every kind on each of these rungs, and no other.
    package func covers(_ levels: [KernelISA]) -> Bool {
        figures.count == ProductKind.allCases.count * levels.count
            && ProductKind.allCases.allSatisfy { kind in Set(ladder(kind).map(\.level)) == Set(levels) }
    }

    /// Sound figures of one kind, from the highest rung down.
    private func ladder(_ kind: ProductKind) -> [Figure] {
        figures.filter { $0.kind == kind && $0.rate.isFinite && $0.rate > 0 && $0.rate < 1e9 }
            .sorted { $0.level > $1.level }
    }
}
