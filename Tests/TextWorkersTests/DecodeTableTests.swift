import Messages
import Testing
import TextWorkers

private func decodeBytes(_ ids: ArraySlice<Int32>, _ skipsSpecial: Bool) -> String {
    String(decoding: ids.filter { $0 < 256 }.map { UInt8($0) }, as: UTF8.self)
}

/// A frame with one request.
private func frame(
    _ id: UInt64 = 7, attempt: UInt32 = 1, offset: Int, _ text: String, finish: FinishReason = FinishReason(),
    opening: DecodeOptions? = nil, generation: UInt64 = 1
) -> TokenBatch {
    .make {
        $0.generation = generation
        $0.requestIds = [id]
        $0.attempts = [attempt]
        $0.offsets = [UInt32(offset)]
        $0.counts = [UInt32(text.utf8.count)]
        $0.ids = text.utf8.map { Int32($0) }
        $0.finish = [finish]
        $0.promptTokens = [3]
        $0.cachedTokens = [0]
        $0.retractions = [0]
        if let opening { $0.openings = [opening] }
    }
}

private let plain = DecodeOptions.make { $0.skipSpecialTokens = true }

@Suite struct DecodeTableTests {
    @Test func textOffsetsContinueOverFrames() {
        var table = DecodeTable()
        let first = table.take(frame(offset: 0, "Hello ", opening: plain), decode: decodeBytes).text
        let second = table.take(frame(offset: 6, "world"), decode: decodeBytes).text
        #expect((first.texts, second.texts) == (["Hello "], ["world"]))
        #expect((first.textOffsets, second.textOffsets) == ([0], [6]))
    }

    @Test func aCharacterCutBetweenPromptAndOutputIsCompletedAndBelongsToThePrompt() {
        let pepper = Array("🌶".utf8).map { Int32($0) }
        let opening = DecodeOptions.make { $0.promptTail = Array("Hi ".utf8).map { Int32($0) } + pepper[..<3] }
        var output = frame(offset: 0, "x ok", opening: opening)
        output.ids[0] = pepper[3]
        for cut in 1...4 {
            var table = DecodeTable()
            var (first, second) = (output, output)
            (first.ids, first.counts) = (Array(output.ids[..<cut]), [UInt32(cut)])
            (second.ids, second.counts, second.offsets) = (Array(output.ids[cut...]), [UInt32(4 - cut)], [UInt32(cut)])
            second.openings = []
            second.finish = [.make { $0.length = 4 }]
            let texts = [first, second].flatMap { table.take($0, decode: decodeBytes).text.texts }
            #expect(texts.joined() == " ok", "cut behind \(cut) ids: \(texts)")
            // A resubmission opens the state anew with all ids so far.
            let again = output
            #expect(table.take(again, decode: decodeBytes).text.texts == [" ok"])
        }
    }

    @Test func whatThePromptLeftOpenAndNothingCompletesIsNotShown() {
        var table = DecodeTable()
        let opening = DecodeOptions.make { $0.promptTail = [0x48, 0xC3] }
        let end = FinishReason.make { $0.length = 1 }
        #expect(
            table.take(frame(offset: 0, "z", finish: end, opening: opening), decode: decodeBytes).text.texts == ["z"])
    }

    @Test func aDecoderThatTreatsTheFirstTokenItsOwnWayTakesThePromptsForIt() {
        // As SentencePiece: the space before the first token goes.
        let decode: DecodeTable.Decode = { ids, skips in
            let text = decodeBytes(ids, skips)
            return text.first == " " ? String(text.dropFirst()) : text
        }
        for (tail, expected) in [([Int32(0x61)], " b"), ([], "b")] {
            var table = DecodeTable()
            let opening = DecodeOptions.make {
                $0.promptTail = tail
                $0.stop = [" b"]
            }
            let end = FinishReason.make { $0.stopString = " b" }
            _ = table.take(frame(offset: 0, " ", opening: opening), decode: decode)
            let text = table.take(frame(offset: 1, "b", finish: end), decode: decode).text.texts
            #expect(text == [tail.isEmpty ? expected : ""])
        }
    }

    @Test func idsWithoutTextContinueOverFramesToo() {
        var table = DecodeTable()
        let opening = DecodeOptions.make { $0.idsOnly = true }
        _ = table.take(frame(offset: 0, "He", opening: opening), decode: decodeBytes)
        let (text, missing) = table.take(frame(offset: 2, "llo"), decode: decodeBytes)
        #expect(text.ids == [108, 108, 111] && text.texts == [""] && missing.isEmpty)
    }

    @Test func aFinishedRequestLeavesNoState() {
        var table = DecodeTable()
        let end = FinishReason.make { $0.length = 2 }
        _ = table.take(frame(offset: 0, "ab", finish: end, opening: plain), decode: decodeBytes)
        #expect(table.count == 0)
    }

    @Test func aGapAsksForTheRequestAgain() {
        var table = DecodeTable()
        _ = table.take(frame(offset: 0, "ab", opening: plain), decode: decodeBytes)
        let (text, missing) = table.take(frame(offset: 5, "c"), decode: decodeBytes)
        #expect(text.requestIds.isEmpty && missing.map(\.id) == [7])
        #expect(table.count == 0)
    }

    @Test func anUnknownRequestIsAskedForAgain() {
        var table = DecodeTable()
        let (_, missing) = table.take(frame(offset: 3, "c"), decode: decodeBytes)
        #expect(missing.map(\.id) == [7])
    }

    @Test func aNewAttemptBeginsAnew() {
        var table = DecodeTable()
        _ = table.take(frame(offset: 0, "ab", opening: plain), decode: decodeBytes)
        let again = table.take(frame(attempt: 2, offset: 0, "abc", opening: plain), decode: decodeBytes).text
        #expect((again.texts, again.textOffsets) == (["abc"], [0]))
        let late = table.take(frame(attempt: 1, offset: 2, "x"), decode: decodeBytes)
        #expect(late.text.requestIds.isEmpty && late.missing.isEmpty)
    }

    @Test func framesOfAnOldWorkerAreDroppedAndItsStatesToo() {
        var table = DecodeTable()
        _ = table.take(frame(1, offset: 0, "ab", opening: plain, generation: 1), decode: decodeBytes)
        _ = table.take(frame(2, attempt: 2, offset: 0, "cd", opening: plain, generation: 2), decode: decodeBytes)
        #expect(table.count == 1)
        let late = table.take(frame(1, offset: 2, "x", generation: 1), decode: decodeBytes)
        #expect(late.text.requestIds.isEmpty && late.missing.isEmpty)
    }

    @Test func aStopStringIsHeldBackAndCut() {
        var table = DecodeTable()
        let stop = DecodeOptions.make { $0.stop = ["END"] }
        let first = table.take(frame(offset: 0, "fine E", opening: stop), decode: decodeBytes).text
        let end = FinishReason.make { $0.stopString = "END" }
        let second = table.take(frame(offset: 6, "ND!", finish: end), decode: decodeBytes).text
        #expect((first.texts, second.texts) == (["fine "], [""]))
    }

    @Test func theStopTokenCountsButLeavesNoText() {
        var table = DecodeTable()
        let end = FinishReason.make { $0.stopToken = 46 }
        let text = table.take(frame(offset: 0, "ok.", finish: end, opening: plain), decode: decodeBytes).text
        #expect(text.texts == ["ok"] && text.counts == [3])
        let keep = DecodeOptions.make { $0.noStopTrim = true }
        let kept = table.take(frame(offset: 0, "ok.", finish: end, opening: keep), decode: decodeBytes).text
        #expect(kept.texts == ["ok."])
    }

    @Test func anAbortThatWantsAnAnswerGetsOneWithTheHeldBackText() {
        var table = DecodeTable()
        let stop = DecodeOptions.make { $0.stop = ["END"] }
        _ = table.take(frame(offset: 0, "fine E", opening: stop), decode: decodeBytes)
        let abort = Abort.make {
            $0.key = .make {
                $0.id = 7; $0.attempt = 1
            }; $0.wantsAnswer = true; $0.message = "Aborted"
        }
        let text = table.abort(abort, decode: decodeBytes)
        #expect(text?.texts == ["E"] && text?.finish.first?.aborted.message == "Aborted")
        #expect(table.count == 0)
    }

    @Test func requestsOfFrontsThatAreGoneAreDropped() {
        var table = DecodeTable()
        _ = table.take(frame(1 << 40 | 1, offset: 0, "a", opening: plain), decode: decodeBytes)
        _ = table.take(frame(2 << 40 | 1, offset: 0, "a", opening: plain), decode: decodeBytes)
        table.keep([2, 4])
        #expect(table.count == 1)
    }

    @Test func aFrameThatContradictsItselfIsIgnored() {
        var table = DecodeTable()
        var broken = frame(offset: 0, "abc", opening: plain)
        broken.counts = [9]
        let result = table.take(broken, decode: decodeBytes)
        #expect(result.text.requestIds.isEmpty && result.missing.isEmpty)
    }

    @Test func logprobsKeepTheirRequestAndGetTextWhenAsked() {
        var table = DecodeTable()
        let options = DecodeOptions.make { $0.logprobText = true }
        var batch = frame(offset: 0, "a", opening: options)
        batch.logprobs = [
            .make {
                $0.row = 0;
                $0.output = .make {
                    $0.ids = [97]; $0.values = [-0.5]
                }
            }
        ]
        let text = table.take(batch, decode: decodeBytes).text
        #expect(text.logprobs.first?.output.texts == ["a"])
    }
}
