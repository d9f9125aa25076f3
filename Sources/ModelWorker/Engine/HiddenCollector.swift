internal import Messages

/// Gathers the hidden states of one request until a frame takes them.
///
/// Like log probabilities they belong to rows of the step, so that another attempt goes on behind the ids that were told.
struct HiddenCollector: Sendable {
    /// Numbers of a row.
    private let width: Int
    /// The whole prompt's rows are wanted.
    private let wantsPrompt: Bool
    /// Of the prompt before its last row.
    private var input: [Float] = []
    /// Of the rows that ids were chosen from.
    private var output: [Float] = []

    init(width: Int, wantsPrompt: Bool) {
        self.width = width
        self.wantsPrompt = wantsPrompt
    }

    /// The prompt is computed (again) from its start.
    mutating func startInput() { input.removeAll() }

    /// Takes a row of the prompt that is not its last, where these are wanted.
    mutating func addInput(_ row: UnsafePointer<Float>) {
        guard wantsPrompt else { return }
        input.append(contentsOf: UnsafeBufferPointer(start: row, count: width))
    }

    /// Takes the row that an id was chosen from.
    mutating func addOutput(_ row: UnsafePointer<Float>) {
        output.append(contentsOf: UnsafeBufferPointer(start: row, count: width))
    }

    /// What was gathered since the last frame.
    mutating func take(row: Int) -> HiddenFrame {
        defer { (input, output) = ([], []) }
        return .make {
            $0.row = UInt32(row)
            $0.width = UInt32(width)
            $0.setRows(output: output, input: input)
        }
    }
}
