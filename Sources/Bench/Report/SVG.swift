/// Charts as a Scalable Vector Graphics file, which every browser shows.
package enum SVG {
    private static let width = 480.0
    private static let height = 320.0
    /// Space around the drawing for title, labels and legend.
    private static let margin = (left: 64.0, right: 16.0, top: 48.0, bottom: 46.0)
    private static let colours = ["#1f5fa8", "#c4501b", "#3a8f4d", "#7a4ea3"]

    /// A page of charts, one row for each inner array.
    package static func page(_ rows: [[Chart]]) -> String {
        let columns = rows.map(\.count).max() ?? 0
        var text = """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(number(width * Double(columns)))" \
            height="\(number(height * Double(rows.count)))" font-family="sans-serif" font-size="11">
            <rect width="100%" height="100%" fill="white"/>

            """
        for (row, charts) in rows.enumerated() {
            for (column, chart) in charts.enumerated() {
                text +=
                    "<g transform=\"translate(\(number(Double(column) * width)),\(number(Double(row) * height)))\">\n"
                text += draw(chart) + "</g>\n"
            }
        }
        return text + "</svg>"
    }

    private static func draw(_ chart: Chart) -> String {
        let points = chart.lines.flatMap(\.points)
        let x = Scale(points.map(\.x), isLogarithmic: chart.x.isLogarithmic)
        let y = Scale(points.map(\.y), isLogarithmic: chart.y.isLogarithmic)
        let bottom = height - margin.bottom
        let place = { (point: Point) in
            Point(
                margin.left + x.fraction(point.x) * (width - margin.left - margin.right),
                bottom - y.fraction(point.y) * (bottom - margin.top))
        }
        var text = label(chart.title, Point(width / 2, 18), anchor: "middle", size: 13)
        for tick in x.ticks {
            let at = place(Point(tick, y.low))
            text +=
                rule(at, Point(at.x, margin.top)) + label(tickText(tick), Point(at.x, bottom + 15), anchor: "middle")
        }
        for tick in y.ticks {
            let at = place(Point(x.low, tick))
            text += rule(at, Point(width - margin.right, at.y))
            text += label(tickText(tick), Point(at.x - 6, at.y + 4), anchor: "end")
        }
        text += label(chart.x.label, Point(width / 2, height - 12), anchor: "middle")
        text += """
            <text transform="translate(14,\(number((margin.top + bottom) / 2))) rotate(-90)" text-anchor="middle">\
            \(escaped(chart.y.label))</text>

            """
        for (index, line) in chart.lines.enumerated() {
            text += draw(line, colour: colours[index % colours.count], place: place)
            text += legend(line, index: index)
        }
        return text
    }

    private static func draw(_ line: Chart.Line, colour: String, place: (Point) -> Point) -> String {
        let points = line.points.filter { $0.x.isFinite && $0.y.isFinite }.map(place)
        if line.style == .marks { return points.map { mark($0, colour) }.joined() }
        let path = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
        return "<polyline points=\"\(path)\" \(stroke(line, colour))/>\n"
    }

    private static func legend(_ line: Chart.Line, index: Int) -> String {
        let colour = colours[index % colours.count]
        let at = Point(margin.left + 140 * Double(index), margin.top - 10)
        let sample =
            line.style == .marks
            ? mark(Point(at.x + 11, at.y - 4), colour)
            : "<polyline points=\"\(number(at.x)),\(number(at.y - 4)) \(number(at.x + 22)),\(number(at.y - 4))\" "
                + stroke(line, colour) + "/>\n"
        return sample + label(line.name, Point(at.x + 28, at.y), anchor: "start")
    }

    private static func stroke(_ line: Chart.Line, _ colour: String) -> String {
        "fill=\"none\" stroke=\"\(colour)\" stroke-width=\"1.8\""
            + (line.style == .dashed ? " stroke-dasharray=\"5 4\"" : "")
    }

    private static func mark(_ at: Point, _ colour: String) -> String {
        "<circle cx=\"\(number(at.x))\" cy=\"\(number(at.y))\" r=\"3.5\" fill=\"\(colour)\"/>\n"
    }

    private static func rule(_ from: Point, _ to: Point) -> String {
        """
        <line x1="\(number(from.x))" y1="\(number(from.y))" x2="\(number(to.x))" y2="\(number(to.y))" stroke="#ddd"/>

        """
    }

    private static func label(_ text: String, _ at: Point, anchor: String, size: Int = 11) -> String {
        """
        <text x="\(number(at.x))" y="\(number(at.y))" text-anchor="\(anchor)" font-size="\(size)">\(escaped(text))</text>

        """
    }

    private static func tickText(_ value: Double) -> String {
        if value >= 1024, value.truncatingRemainder(dividingBy: 1024) == 0 { return decimal(value / 1024, 0) + "k" }
        let digits = abs(value) >= 10 || value == value.rounded() ? 0 : abs(value) >= 0.1 ? 1 : 3
        return decimal(value, digits)
    }

    private static func number(_ value: Double) -> String { decimal(value, 1) }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }
}
