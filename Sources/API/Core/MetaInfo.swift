package import JSON
package import Ledger
package import Messages
package import ServerSettings
internal import Values

/// Writes what SGLang tells about an answer in `meta_info`, with its keys in its order.
package struct MetaInfo: Sendable {
    /// What the server's settings say about answers.
    package struct Style: Sendable {
        /// Names the weights that answers were computed with; nil: they are called `default`.
        package var weights: WeightNames?
        /// Times of the request are part of meta_info.
        package var withTimes = false
        /// Frames of a stream hold only what is new.
        package var isIncremental = false
        /// There is no text.
        package var skipsTokenizer = false

        package init() {}

        /// What the operator's flags say.
        package init(_ settings: FrontSettings) {
            withTimes = settings.enableMetrics
            isIncremental = settings.incrementalStreamingOutput
            skipsTokenizer = settings.skipTokenizerInit
        }
    }

    /// Which part of a row's output is written.
    package struct Extent: Sendable {
        /// Ids and bytes of text that were sent before; 0 for whole answers and cumulative streams.
        package var from = RowCut()
        package var to: RowCut
        /// This is the last of the row: how it ended.
        package var finish: FinishReason?
        /// Part of a stream.
        package var isFrame = false
        /// When the first frame of the row left; nil: this is the first thing of it that the client gets.
        package var firstSent: Double?
        /// Position in a list of answers that share a stream.
        package var index: Int?

        package init(to: RowCut, finish: FinishReason? = nil, isFrame: Bool = false) {
            self.to = to
            self.finish = finish
            self.isFrame = isFrame
        }
    }

    let style: Style

    package init(_ style: Style) { self.style = style }

    /// Writes the object for one row.
    ///
    /// - Parameter now: seconds since 1970; the time at which the answer leaves.
    package func write(_ row: LedgerRow, _ extent: Extent, now: Double, to json: inout JSONWriter) {
        let output = row.output
        json.beginObject()
        json.member("id", row.rid.text)
        json.key("finish_reason")
        if let finish = extent.finish { finish.write(to: &json) } else { json.null() }
        json.member("prompt_tokens", output.promptTokens)
        json.member("weight_version", spans(output, extent).last?.version ?? "default")
        json.member("num_retractions", output.retractions)
        if style.withTimes { writeSchedulingTimes(row.times, to: &json) }
        if case .generate(let request) = row.errand, request.hasLogprobs {
            LogprobAnswer(options: request.logprobs, output: output).write(
                extent.from.ids..<extent.to.ids, to: &json)
        }
        if case .generate(let request) = row.errand, request.options.hiddenStates != .noRow {
            HiddenStateAnswer(mode: request.options.hiddenStates, states: output.hidden).write(extent.to.ids, to: &json)
        }
        json.member("reasoning_tokens", min(output.thinkingTokens, extent.to.ids))
        json.member("completion_tokens", extent.to.ids)
        json.member("cached_tokens", output.cachedTokens)
        if extent.finish != nil {
            json.weightVersions(spans(output, extent))
            if let experts = output.routedExperts {
                json.key("routed_experts")
                json.base64(experts)
            }
        }
        json.key("cached_tokens_details")
        writeCachedDetails(output.cachedTokens, to: &json)
        json.key("dp_rank")
        json.null()
        if extent.finish != nil {
            json.member("e2e_latency", row.finishedAt - row.times.received)
            if style.withTimes { writeRequestTimes(row, extent, to: &json) }
        }
        if extent.firstSent == nil { json.member("response_sent_to_client_ts", now) }
        json.endObject()
    }

    private func spans(_ output: RowOutput, _ extent: Extent) -> [(version: String, start: Int, end: Int)] {
        style.weights?.spans(of: output, count: extent.to.ids) ?? [("default", 0, extent.to.ids)]
    }

    private func writeCachedDetails(_ cached: Int, to json: inout JSONWriter) {
        guard cached > 0 else { return json.null() }
        json.beginObject()
        json.member("device", cached)
        json.member("host", 0)
        json.endObject()
    }

    /// Times of the scheduler as the front sees them: a request enters when it was sent, its prompt is done with the first frame.
    private func writeSchedulingTimes(_ times: RowTimes, to json: inout JSONWriter) {
        json.member("storage_prefetch_wait", 0.0)
        json.member("storage_staging_wait", 0.0)
        json.member("forward_entry_time", times.dispatched)
        json.member("prefill_finished_time", times.firstFrame)
        json.member("queue_time", max(0, times.dispatched - times.received))
    }

    private func writeRequestTimes(_ row: LedgerRow, _ extent: Extent, to json: inout JSONWriter) {
        let times = row.times
        json.member("request_received_ts", times.received)
        json.member("first_token_latency", max(0, times.firstFrame - times.received))
        json.member("api_server_dispatch_finish_ts", times.dispatched)
        if extent.isFrame, let firstSent = extent.firstSent { json.member("response_sent_to_client_ts", firstSent) }
        json.member("request_finished_ts", row.finishedAt)
        guard extent.to.ids > 1 else { return }
        // An answer that came in one frame tells only how long all of it took.
        let decoding = times.lastFrame - times.firstFrame
        let duration = max(1e-6, decoding > 0 ? decoding : row.finishedAt - times.dispatched)
        json.member("decode_throughput", Double(extent.to.ids - 1) / duration)
    }
}

extension FinishReason {
    /// Writes the object that clients see as `finish_reason`; null while the request goes on.
    package func write(to json: inout JSONWriter) {
        guard let reason else { return json.null() }
        json.beginObject()
        switch reason {
        case .stopToken(let id), .grammarEnd(let id):
            json.member("type", "stop")
            json.member("matched", id)
        case .stopString(let text), .stopRegex(let text):
            json.member("type", "stop")
            json.member("matched", text)
        case .nan:
            json.member("type", "stop")
            json.member("matched", "NaN happened")
        case .length(let length):
            json.member("type", "length")
            json.member("length", length)
        case .aborted(let aborted):
            json.member("type", "abort")
            json.member("message", aborted.message)
            json.member("status_code", aborted.statusCode == 0 ? .null : .int(Int64(aborted.statusCode)))
            json.member("err_type", aborted.errorType.isEmpty ? .null : .string(aborted.errorType))
        }
        json.endObject()
    }
}
