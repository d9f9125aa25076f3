package import JSON
package import Ledger
package import Messages

/// Writes what a request gets to see of hidden states: a list with a matrix for the prompt, or the vector of its last row, and then a
/// vector for each token that was put into the model.
package struct HiddenStateAnswer {
    private let mode: HiddenStateMode
    private let states: HiddenStates

    package init(mode: HiddenStateMode, states: HiddenStates) {
        self.mode = mode
        self.states = states
    }

    /// Writes the member with the vector of the last token alone; an empty one where there is only that of the prompt.
    package func writeLast(to json: inout JSONWriter) {
        let size = states.width * MemoryLayout<Float>.size
        json.key("hidden_states")
        write(size > 0 && states.rows.count > size ? states.rows.suffix(size) : [], to: &json)
    }

    /// Writes the member for the first `count` ids.
    package func write(_ count: Int, to json: inout JSONWriter) {
        json.key("hidden_states")
        json.beginArray()
        let size = states.width * MemoryLayout<Float>.size
        for index in 0..<min(count, size == 0 ? 0 : states.rows.count / size) {
            let row = states.rows[index * size..<(index + 1) * size]
            if index == 0, mode == .everyRow {
                json.beginArray()
                for start in stride(from: 0, to: states.prompt.count, by: size) {
                    write(states.prompt[start..<start + size], to: &json)
                }
                write(row, to: &json)
                json.endArray()
            } else {
                write(row, to: &json)
            }
        }
        json.endArray()
    }

    private func write(_ bytes: ArraySlice<UInt8>, to json: inout JSONWriter) {
        json.beginArray()
        for number in HiddenStates.numbers(bytes) { json.double(Double(number)) }
        json.endArray()
    }
}
