package import JSON
package import Ledger
internal import Messages
internal import Values

/// What answers with vectors and scores have in common.
package struct VectorAnswer: Sendable {
    /// Names the weights that vectors were computed with.
    private let weights: WeightNames
    /// Times of the request are part of meta_info.
    private let withTimes: Bool

    package init(weights: WeightNames, withTimes: Bool) {
        self.weights = weights
        self.withTimes = withTimes
    }

    /// Writes the object that tells about a row.
    package func writeMetaInfo(_ row: LedgerRow, now: Double, to json: inout JSONWriter) {
        json.beginObject()
        json.member("id", row.rid.text)
        json.key("finish_reason")
        if let finish = row.finish { finish.write(to: &json) } else { json.null() }
        json.member("prompt_tokens", row.output.promptTokens)
        json.member("weight_version", weights.version(of: row.output))
        json.member("num_retractions", row.output.retractions)
        let times = row.times
        if withTimes {
            json.member("forward_entry_time", times.dispatched)
            json.member("prefill_finished_time", times.firstFrame)
            json.member("queue_time", max(0, times.dispatched - times.received))
        }
        json.member("e2e_latency", row.finishedAt - times.received)
        if withTimes {
            json.member("request_received_ts", times.received)
            json.member("api_server_dispatch_finish_ts", times.dispatched)
            json.member("request_finished_ts", row.finishedAt)
        }
        json.member("response_sent_to_client_ts", now)
        json.endObject()
    }
}

extension LedgerRow {
    /// The row's vector or scores.
    ///
    /// - Throws: `.refused` for one that was aborted: there is nothing to show.
    package func vector() throws(RequestFailure) -> [Float] {
        if case .aborted(let aborted)? = finish?.reason { throw .refused(aborted.message) }
        return output.vector
    }
}

extension RowOutput {
    /// What a request record has of it: a list of numbers, or an object from tokens to numbers.
    var vectorJSON: JSONValue {
        guard let vectorTokens else { return .array(vector.map { .double(Double($0)) }) }
        var members = JSONObject()
        for (token, number) in zip(vectorTokens, vector) { members["\(token)"] = .double(Double(number)) }
        return .object(members)
    }
}

extension JSONWriter {
    /// Writes a row's vector as a list of numbers, or, where it is sparse, as an object from tokens to numbers.
    package mutating func vector(of row: LedgerRow) {
        guard let tokens = row.output.vectorTokens else { return floats(row.output.vector) }
        beginObject()
        for (token, number) in zip(tokens, row.output.vector) {
            key("\(token)")
            float(number)
        }
        endObject()
    }

    /// Writes numbers as a list.
    package mutating func floats(_ values: [Float]) {
        beginArray()
        for value in values { float(value) }
        endArray()
    }

    /// Writes the little-endian bytes of numbers as a text in Base64.
    package mutating func base64<Number: BitwiseCopyable>(_ values: [Number]) {
        raw(values.withUnsafeBytes { Base64.quoted($0) })
    }

    /// Writes what requests for vectors or scores used, as OpenAI's interface tells it.
    package mutating func vectorUsage(_ rows: [LedgerRow], reportsCache: Bool) {
        let prompt = rows.reduce(0) { $0 + $1.output.promptTokens }
        key("usage")
        beginObject()
        member("prompt_tokens", prompt)
        member("total_tokens", prompt)
        member("completion_tokens", 0)
        key("prompt_tokens_details")
        if reportsCache {
            beginObject()
            member("cached_tokens", rows.reduce(0) { $0 + $1.output.cachedTokens })
            endObject()
        } else {
            null()
        }
        member("reasoning_tokens", 0)
        member("completion_tokens_details", .null)
        endObject()
    }
}

/// Base64 (RFC 4648).
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The text of some bytes, in quotes.
    static func quoted(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let count = (bytes.count + 2) / 3 * 4 + 2
        return [UInt8](unsafeUninitializedCapacity: count) { out, filled in
            out[0] = UInt8(ascii: "\"")
            var place = 1
            alphabet.withUnsafeBufferPointer { alphabet in
                for start in stride(from: 0, to: bytes.count, by: 3) {
                    let left = bytes.count - start
                    let group =
                        UInt32(bytes[start]) << 16 | (left > 1 ? UInt32(bytes[start + 1]) << 8 : 0)
                        | (left > 2 ? UInt32(bytes[start + 2]) : 0)
                    out[place] = alphabet[Int(group >> 18)]
                    out[place + 1] = alphabet[Int(group >> 12 & 63)]
                    out[place + 2] = left > 1 ? alphabet[Int(group >> 6 & 63)] : UInt8(ascii: "=")
                    out[place + 3] = left > 2 ? alphabet[Int(group & 63)] : UInt8(ascii: "=")
                    place += 4
                }
            }
            out[place] = UInt8(ascii: "\"")
            filled = count
        }
    }
}
