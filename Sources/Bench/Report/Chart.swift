import Glibc

/// A place in a chart, in the units of its axes.
package struct Point: Equatable {
    /// Along the horizontal axis.
    package let x: Double
    /// Along the vertical axis.
    package let y: Double

    /// Names a place.
    package init(_ x: Double, _ y: Double) {
        self.x = x
        self.y = y
    }
}

/// What a chart's axis shows.
package struct Axis: Equatable {
    /// What is written beside it.
    package let label: String
    /// Whether equal lengths are equal factors.
    package let isLogarithmic: Bool

    /// Names an axis.
    package init(_ label: String, isLogarithmic: Bool = false) {
        self.label = label
        self.isLogarithmic = isLogarithmic
    }
}

/// Lines and marks over two axes.
package struct Chart {
    /// One row of points.
    package struct Line {
        /// How the points are drawn.
        package enum Style { case marks, solid, dashed }

        /// Its name in the legend.
        package let name: String
        /// From left to right.
        package let points: [Point]
        /// How it looks.
        package let style: Style

        /// States what to draw.
        package init(name: String, points: [Point], style: Style) {
            self.name = name
            self.points = points
            self.style = style
        }
    }

    /// What is written above.
    package let title: String
    /// The horizontal axis.
    package let x: Axis
    /// The vertical axis.
    package let y: Axis
    /// Drawn in this order, each in a colour of its own.
    package let lines: [Line]

    /// States what a chart shows.
    package init(title: String, x: Axis, y: Axis, lines: [Line]) {
        self.title = title
        self.x = x
        self.y = y
        self.lines = lines
    }
}

/// An axis with the range of values it has to show.
package struct Scale: Equatable {
    /// The value at its start.
    package let low: Double
    /// The value at its end.
    package let high: Double
    /// Whether equal lengths are equal factors.
    package let isLogarithmic: Bool

    /// Covers the values; a linear axis starts at zero, a logarithmic one at the smallest positive value.
    package init(_ values: [Double], isLogarithmic: Bool) {
        let usable = values.filter { $0.isFinite && (!isLogarithmic || $0 > 0) }
        let low = isLogarithmic ? usable.min() ?? 1 : min(0, usable.min() ?? 0)
        let high = usable.max() ?? 1
        self.low = low
        self.high = high > low ? high : low + (isLogarithmic ? low : 1)
        self.isLogarithmic = isLogarithmic
    }

    /// Where a value lies between the ends, 0 to 1.
    package func fraction(_ value: Double) -> Double {
        isLogarithmic ? log(max(value, low) / low) / log(high / low) : (value - low) / (high - low)
    }

    /// Round values to mark: steps of 1, 2 or 5 times a power of ten, or powers of two (of ten over a long range).
    package var ticks: [Double] {
        if isLogarithmic {
            let base: Double = high / low > 4096 ? 10 : 2
            let first = (log(low) / log(base) - 1e-9).rounded(.up)
            let last = (log(high) / log(base) + 1e-9).rounded(.down)
            return first > last ? [low, high] : stride(from: first, through: last, by: 1).map { pow(base, $0) }
        }
        let rough = (high - low) / 5
        let power = pow(10, log10(rough).rounded(.down))
        let step = power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10)
        return stride(from: (low / step).rounded(.up), through: (high / step).rounded(.down), by: 1).map { $0 * step }
    }
}
