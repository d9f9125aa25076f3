import Bench
import Foundation
import JSON
import Testing

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite struct StepModelTests {
    /// Weights of 1 GB at 20 GB/s, 0.002 s fixed, 0.001 s a sequence, keys and values at 10 GB/s.
    private static func seconds(_ batch: Int, _ bytes: Double) -> Double {
        0.05 + 0.002 + 0.001 * Double(batch - 1) + bytes / 10e9
    }

    private static let shapes: [(batch: Int, bytes: Double)] = [
        (1, 3e6), (2, 6e6), (8, 24e6), (32, 96e6), (1, 24e6), (1, 4e8),
    ]

    @Test func findsTheCostsBehindTheSteps() throws {
        let model = try #require(
            StepModel(
                Self.shapes.map {
                    .init(batch: $0.batch, keyValueBytes: $0.bytes, seconds: Self.seconds($0.batch, $0.bytes))
                },
                weightBytes: 1e9, bandwidth: 20e9))
        #expect(abs(model.weightSeconds - 0.05) < 1e-12)
        #expect(abs(model.fixedSeconds - 0.002) < 1e-9)
        #expect(abs(model.secondsPerSequence - 0.001) < 1e-9)
        #expect(abs(1e-9 / model.secondsPerByte - 10) < 1e-6)
        #expect(model.errors.allSatisfy { abs($0) < 1e-9 })
        #expect(abs(model.seconds(batch: 4, keyValueBytes: 1e8) - Self.seconds(4, 1e8)) < 1e-9)
    }

    @Test func needsStepsThatTellTheCostsApart() {
        let one = StepModel.Observation(batch: 1, keyValueBytes: 1e6, seconds: 0.1)
        #expect(StepModel([one, one, one], weightBytes: 1e9, bandwidth: 1e10) == nil)
    }
}

@Suite struct ChartTests {
    @Test func scalesCoverTheirValues() {
        let linear = Scale([2, 9.4], isLogarithmic: false)
        #expect((linear.low, linear.high) == (0, 9.4))
        #expect(linear.ticks == [0, 2, 4, 6, 8])
        #expect(linear.fraction(4.7) == 0.5)
        let powers = Scale([1, 32, 0, .nan], isLogarithmic: true)
        #expect((powers.low, powers.high) == (1, 32))
        #expect(powers.ticks == [1, 2, 4, 8, 16, 32])
        #expect(abs(powers.fraction(4) - 0.4) < 1e-12)
    }

    @Test(arguments: [[], [3.0], [3, 3], [0]], [true, false]) func scalesOfLittleHaveALength(
        values: [Double], isLogarithmic: Bool
    ) {
        let scale = Scale(values, isLogarithmic: isLogarithmic)
        #expect(scale.low < scale.high)
        #expect(scale.ticks.allSatisfy { $0.isFinite })
    }

    /// Elements of an XML text by name; fails when it is not well-formed.
    private final class Elements: NSObject, XMLParserDelegate {
        var found: [String: [[String: String]]] = [:]

        static func of(_ text: String) -> [String: [[String: String]]]? {
            let parser = XMLParser(data: Data(text.utf8))
            let elements = Elements()
            parser.delegate = elements
            return parser.parse() ? elements.found : nil
        }

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String] = [:]
        ) {
            found[name, default: []].append(attributes)
        }
    }

    @Test func pagesAreWellFormedAndDrawEveryPointInside() throws {
        let points = [Point(1, 10), Point(8, 0), Point(32, 55), Point(64, .nan)]
        let chart = Chart(
            title: "a < b & \"c\"", x: Axis("x", isLogarithmic: true), y: Axis("y"),
            lines: [
                .init(name: "measured", points: points, style: .marks),
                .init(name: "curve", points: points, style: .dashed),
            ])
        let elements = try #require(Elements.of(SVG.page([[chart, chart], [chart]])))
        // Three points and a legend's sample in each of three charts.
        let circles = try #require(elements["circle"])
        #expect(circles.count == 3 * 4)
        for circle in circles {
            let x = try #require(circle["cx"].flatMap(Double.init))
            let y = try #require(circle["cy"].flatMap(Double.init))
            #expect((0...480).contains(x) && (0...320).contains(y))
        }
        #expect(elements["polyline"]?.count == 3 * 2)
        #expect(
            elements["g"]?.map { $0["transform"] ?? "" } == [
                "translate(0.0,0.0)", "translate(480.0,0.0)", "translate(0.0,320.0)",
            ])
    }
}

@Suite struct ServingReportTests {
    private static func record(start: Double, tokens: [Double], end: Double, failure: String? = nil) -> RequestRecord {
        var record = RequestRecord(start: start)
        for (index, time) in tokens.enumerated() { record.tokens(index + 1, at: time) }
        record.finish(at: end)
        record.failure = failure
        return record
    }

    private static let report = ServingReport(
        title: "load",
        records: [
            record(start: 0, tokens: [0.5, 0.6, 0.8], end: 1),
            record(start: 1, tokens: [1.3, 1.4], end: 2),
            record(start: 1, tokens: [1.2], end: 4, failure: "status 503: full"),
        ], wanted: [3, 3, 3], processorSeconds: 0.1)

    @Test func failuresCountForNothingButTime() {
        let report = Self.report
        #expect(report.duration == 4)
        #expect(report.completed.count == 2)
        #expect(report.failures == ["status 503: full": 1])
        #expect(report.shortened == 1)
        #expect(report.text.contains("1 x status 503: full"))
    }

    @Test func figuresAreOfTheRequestsThatEnded() throws {
        let json = Self.report.json
        #expect(json["output_tokens"] == 5)
        #expect(json["output_tokens_per_second"]?.doubleValue == 1.25)
        #expect(json["requests_per_second"]?.doubleValue == 0.5)
        let first = try #require(json["ttft_ms"]?["mean"]?.doubleValue)
        #expect(abs(first - 400) < 1e-9)
        let between = try #require(json["itl_ms"]?["p50"]?.doubleValue)
        #expect(abs(between - 100) < 1e-9)
        #expect(json["e2e_ms"]?["mean"]?.doubleValue == 1000)
        #expect(json["requests"]?.arrayValue?.count == 2)
    }

    @Test func aLoadThatFailedAltogetherStillHasAReport() {
        let report = ServingReport(
            title: "load", records: [Self.record(start: 0, tokens: [], end: 0, failure: "refused")], wanted: [3],
            processorSeconds: 0)
        #expect(report.text.contains("0 completed, 1 failed"))
        #expect(SVG.page([report.charts]).hasSuffix("</svg>"))
    }
}
