/// Rows under a header, the first column to the left and the others to the right.
func textTable(_ header: [String], _ rows: [[String]], widths: [Int]) -> String {
    ([header] + rows).map { cells in
        zip(cells, widths).enumerated().map { index, cell in
            let padding = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
            return index == 0 ? cell.0 + padding : padding + cell.0
        }.joined(separator: " ")
    }.joined(separator: "\n")
}

/// A number with so many digits after the point.
package func decimal(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite else { return "\(value)" }
    let scale = (0..<digits).reduce(1.0) { power, _ in power * 10 }
    let scaled = (abs(value) * scale).rounded()
    guard scaled < 1e18 else { return "\(value)" }
    let sign = value < 0 && scaled > 0 ? "-" : ""
    let whole = Int(scaled) / Int(scale)
    if digits == 0 { return sign + "\(whole)" }
    let fraction = String(Int(scaled) % Int(scale))
    return sign + "\(whole)." + String(repeating: "0", count: digits - fraction.count) + fraction
}
