internal import COniguruma

/// A compiled Oniguruma expression, in the dialect and with the iteration rules of Hugging Face's tokenizers.
///
/// Unchecked because it holds a pointer: the compiled expression is only read after `init`, and Oniguruma allows
/// searches with one expression from many threads as long as each has its own region.
final class Regex: @unchecked Sendable {
    private let compiled: OnigRegex
    /// The expression as written.
    let pattern: String

    /// Why an expression does not compile, in Oniguruma's words.
    struct SyntaxError: Error {
        let reason: String
    }

    private static let prepared: Bool = {
        var encoding: OnigEncoding? = srt_onig_utf8()
        return onig_initialize(&encoding, 1) == 0
    }()

    init(_ pattern: String) throws(SyntaxError) {
        guard Self.prepared else { throw SyntaxError(reason: "Oniguruma cannot be initialized") }
        var expression: OnigRegex?
        var info = OnigErrorInfo()
        let bytes = Array(pattern.utf8)
        var reason = ""
        let status = bytes.withUnsafeBufferPointer { buffer -> Int32 in
            let start = buffer.baseAddress ?? UnsafePointer(bitPattern: 1)!
            let status = onig_new(
                &expression, start, start + buffer.count, 0, srt_onig_utf8(), srt_onig_syntax(), &info)
            if status != 0 {
                var text = [UInt8](repeating: 0, count: Int(ONIG_MAX_ERROR_MESSAGE_LEN) + 1)
                let length = srt_onig_error_text(&text, status, &info)
                reason = String(decoding: text.prefix(Int(max(length, 0))), as: UTF8.self)
            }
            return status
        }
        guard status == 0, let expression else { throw SyntaxError(reason: reason) }
        compiled = expression
        self.pattern = pattern
    }

    deinit {
        onig_free(compiled)
    }

    /// Calls `body` with each match in `text`, from left to right.
    ///
    /// An empty match right after a match is passed over, as the Rust binding does it. A search that Oniguruma gives up
    /// (its limits on backtracking) counts as no match.
    func forEachMatch(
        in text: UnsafeBufferPointer<UInt8>, region: SearchRegion, _ body: (Range<Int>) -> Void
    ) {
        guard let start = text.baseAddress else { return }
        let end = start + text.count
        var from = 0
        var skipsEmpty = false
        while from <= text.count {
            let place = onig_search(compiled, start, end, start + from, end, region.pointer, 0)
            guard place >= 0 else { return }
            let match = Int(place)..<Int(region.pointer.pointee.end[0])
            from = match.upperBound
            if match.isEmpty {
                from += from < text.count ? scalar(in: text, at: from).length : 1
                if skipsEmpty {
                    skipsEmpty = false
                    continue
                }
            } else {
                skipsEmpty = true
            }
            body(match)
        }
    }
}

extension Regex {
    /// The first match in `text`, given up after `steps` steps back.
    ///
    /// A step is one return to an earlier choice; what a search needs depends on expression and text alone, so that the
    /// outcome is the same everywhere. The choices that are kept at one time are limited by the same number.
    func firstMatch(in text: UnsafeBufferPointer<UInt8>, steps: Int, region: SearchRegion) -> BoundedSearch {
        guard steps > 0 else { return .limitExceeded }
        var empty: UInt8 = 0
        return withUnsafePointer(to: &empty) { nothing -> BoundedSearch in
            let start = text.baseAddress ?? nothing
            let end = start + text.count
            let limits = region.limits(steps: steps)
            let place = onig_search_with_param(compiled, start, end, start, end, region.pointer, 0, limits)
            if place >= 0 { return .match(Int(place)..<Int(region.pointer.pointee.end[0])) }
            return place == ONIG_MISMATCH ? .noMatch : .limitExceeded
        }
    }
}

/// Where Oniguruma notes a match; one for each thread that searches.
final class SearchRegion {
    let pointer: UnsafeMutablePointer<OnigRegion>
    private let parameters: OpaquePointer

    init() {
        pointer = onig_region_new()
        parameters = onig_new_match_param()
    }

    deinit {
        onig_region_free(pointer, 1)
        onig_free_match_param(parameters)
    }

    /// Parameters of a search of at most so many steps.
    fileprivate func limits(steps: Int) -> OpaquePointer {
        onig_initialize_match_param(parameters)
        // Both, because 0 stands for no limit in one of them and for no step in the other.
        onig_set_retry_limit_in_match_of_match_param(parameters, UInt(steps))
        onig_set_retry_limit_in_search_of_match_param(parameters, UInt(steps))
        onig_set_match_stack_limit_size_of_match_param(parameters, UInt32(clamping: steps))
        return parameters
    }
}
