import ChatTemplates
import Foundation
import JSON
import Testing
import Values

@Suite struct TemplateErrorTests {
    private func failure(_ source: String) -> TemplateError? {
        do throws(TemplateError) {
            _ = try ChatTemplate(source).render(
                TemplateContext(["messages": [["role": "user", "content": "Hi"]]]), at: someTime)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        ("a\n{{ x.y }}", TemplateError(.runtime, line: 2, "'x' is undefined")),
        ("{{ messages[0].a.b }}", TemplateError(.runtime, line: 1, "'dict object' has no attribute 'a'")),
        ("{% if a %}\n\n{% endfor %}", TemplateError(.syntax, line: 3, "unknown tag 'endfor'")),
        (
            "\n{% if a %}",
            TemplateError(.syntax, line: 2, "the template ends where 'elif' or 'else' or 'endif' is missing")
        ),
        ("{{ 1 +\n }}", TemplateError(.syntax, line: 2, "unexpected '}}'")),
        ("\n\n{{ raise_exception('Roles must alternate') }}", TemplateError(.raised, line: 3, "Roles must alternate")),
        ("{{ 1 + 'a' }}", TemplateError(.runtime, line: 1, "unsupported operand type(s) for +: 'int' and 'str'")),
        (
            "{% macro m() %}\n{{ 1 // 0 }}{% endmacro %}\n{{ m() }}",
            TemplateError(.runtime, line: 2, "integer division or modulo by zero")
        ),
        (
            "{% include 'x' %}",
            TemplateError(.syntax, line: 1, "'include' needs other templates, which a chat template has not")
        ),
        ("{{ 'a'|nothing }}", TemplateError(.runtime, line: 1, "no filter named 'nothing'")),
        (
            "{{ [1].append(2) }}",
            TemplateError(.runtime, line: 1, "access to attribute 'append' of 'list' object is unsafe")
        ),
        (
            "{{ messages|tojson(indent=2)|length + x|tojson }}",
            TemplateError(.runtime, line: 1, "object of type Undefined is not JSON serializable")
        ),
        ("{% break %}", TemplateError(.syntax, line: 1, "'break' outside of a loop")),
        ("{{ 99999999999999999999 }}", TemplateError(.syntax, line: 1, "an integer beyond 64 bits")),
        ("{{ 9223372036854775807 + 1 }}", TemplateError(.runtime, line: 1, "an integer beyond 64 bits")),
    ])
    func errorsNameTheirLineAndReason(_ source: String, _ expected: TemplateError) {
        #expect(failure(source) == expected)
    }

    @Test func descriptionsAreOneSentence() {
        #expect(TemplateError(.runtime, line: 3, "x").description == "chat template, line 3: x")
        #expect(TemplateError(.limit, "x").description == "chat template: x")
    }

    @Test(arguments: [
        "{{", "{%", "{#", "{{ }}", "{% %}", "{% if %}", "{{ ) }}", "{{ (] }}", "{{ 'a }}", "{{ a b }}", "{{ a. }}",
        "{{ a[ }}",
        "{{ a[] }}", "{{ a| }}", "{{ a is }}", "{{ a not b }}", "{{ 1 if }}", "{{ f(a=1, 2) }}", "{{ f(**a, b) }}",
        "{{ f(a=1, a=2) }}",
        "{% for %}", "{% for x %}", "{% for x in %}{% endfor %}", "{% for 1 in x %}{% endfor %}", "{% set %}",
        "{% set 1 = 2 %}",
        "{% set a.b.c = 1 %}", "{% set true = 1 %}", "{% macro %}", "{% macro a(b=1, c) %}{% endmacro %}",
        "{% macro a(b, b) %}{% endmacro %}", "{% call x %}{% endcall %}", "{% filter %}{% endfilter %}", "{% raw %}",
        "{% endif %}",
        "{% else %}", "{% if 1 %}{% else %}{% elif 2 %}{% endif %}", "{% generation %}", "{{ {1} }}", "{{ {1:} }}",
        "{{ $ }}", "{{ a ! b }}",
        "{{ '\\x4' }}", "{{ '\\ud800' }}", "{{ a is b is c }}", "{% do x %}",
        "{% autoescape true %}{% endautoescape %}",
        "{% for x in y %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}", "{{ 1e }}{{", "{% extends 'a' %}",
        "{% import 'a' as b %}", "{% from 'a' import b %}", "{% block %}{% endblock %}", "{% with a %}{% endwith %}",
    ])
    func malformedTemplatesAreSyntaxErrors(_ source: String) {
        #expect(failure(source)?.kind == .syntax, "\(source)")
    }

    @Test(arguments: [
        "{{ x() }}", "{{ 1() }}", "{{ 'a'.nothing() }}", "{{ none|first }}", "{{ 1|length }}", "{{ x[0] }}",
        "{{ -'a' }}", "{{ 1 % 0 }}",
        "{{ 1 / 0 }}", "{{ 1.5 // 0 }}", "{{ 0.0 ** -1 }}", "{{ 2 ** 64 }}", "{{ 1 < 'a' }}", "{{ 1 in 2 }}",
        "{{ 1 in 'a' }}",
        "{% for a, b in [1] %}{% endfor %}", "{% for a, b in [(1, 2, 3)] %}{% endfor %}", "{% set x.y = 1 %}",
        "{{ [1, 'a']|sort }}",
        "{{ [1, 'a']|max }}", "{{ {[1]: 2} }}", "{{ [[1]]|unique|list }}", "{{ range() }}", "{{ range('a') }}",
        "{{ range(1, 2, 0) }}",
        "{{ dict([1]) }}", "{{ namespace(_a=1) }}", "{{ ''.join([1]) }}", "{{ 'a'.split('') }}", "{{ 'a'.index('b') }}",
        "{{ '%d' % 'a' }}", "{{ '%s %s' % 'a' }}", "{{ '%' % 1 }}", "{{ '{' .format(1) }}", "{{ '{}'.format() }}",
        "{{ '{:q}'.format(1) }}",
        "{{ 'a'[::0] }}", "{{ 'a'['b':] }}", "{{ loop.index }}", "{{ x|int }}", "{{ [1]|join(attribute='a'.b) }}",
        "{{ [1]|batch(0)|list }}",
        "{{ 'a'|round }}", "{{ 1|round(method='up') }}", "{{ [1]|map|list }}", "{{ [1]|map('nothing')|list }}",
        "{{ [1]|select('nothing')|list }}",
        "{{ 1|items }}", "{{ 1|dictsort }}", "{{ 1|tojson(indent='a', x=1) }}", "{{ {(1, 2): 3}|tojson }}",
        "{{ cycler }}{{ cycler(1) }}",
        "{{ [1]|random }}", "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{% endmacro %}{{ m(b=2) }}",
        "{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}", "{% for x in [1] %}{{ loop([1]) }}{% endfor %}",
        "{{ f(*1) }}",
        "{{ strftime_now(1) }}", "{{ strftime_now() }}", "{{ raise_exception() }}", "{{ messages[0].clear() }}",
        "{{ messages.pop() }}",
        "{{ ''.__class__.mro() }}", "{{ x.__class__ }}", "{{ messages[0].update({}) }}", "{{ (1, 2) + [3] }}",
        "{{ 'a' - 'b' }}",
        "{{ 'x'.encode() }}", "{{ 1 is divisibleby 0 }}", "{{ 1 is nothing }}", "{{ x < 1 }}", "{{ x + 1 }}",
        "{{ 1 + x }}",
    ])
    func impossibleOperationsAreErrorsOfRendering(_ source: String) {
        #expect(failure(source)?.kind == .runtime, "\(source): \(String(describing: failure(source)))")
    }

    /// Every prefix of our templates, and many a mutation of them: an error or a text, never a trap, always within bounds.
    @Test func brokenTemplatesEndInTextOrError() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/"
        let goldens = try TemplateGoldens(folder + "Goldens/goldens.json")
        let limits = TemplateLimits(steps: 100_000, depth: 300, outputBytes: 1 << 18)
        var numbers = SplitMix64(seed: 1)
        var ends: [TemplateError.Kind?: Int] = [:]
        for file in goldens.templates {
            let text = try String(contentsOfFile: folder + "Templates/" + file, encoding: .utf8)
            let source = Array(text.unicodeScalars)
            let conversation = try #require(
                goldens.cases(of: file).first { $0.label.contains("two tool calls, tools") }
            )
            .conversation
            let broken =
                stride(from: 0, to: source.count, by: 5).map { Array(source[..<$0]) }
                + (0..<400).map { _ in Self.mutation(of: source, &numbers) }
            for scalars in broken {
                var view = String.UnicodeScalarView()
                view.append(contentsOf: scalars)
                do throws(TemplateError) {
                    _ = try conversation.rendered(with: try ChatTemplate(String(view)), limits: limits, at: someTime)
                    ends[nil, default: 0] += 1
                } catch {
                    ends[error.kind, default: 0] += 1
                }
            }
        }
        #expect(ends.values.reduce(0, +) > 2_500)
        #expect(try #require(ends[.syntax]) > 500)
        #expect(try #require(ends[nil]) > 100)
    }

    private static let pieces = [
        "{{", "}}", "{%", "%}", "{#", "-", "(", ")", "[", "]", "{", "}", "|", "'", "\\", "*", "**", "//", ".", "~",
        " is ", " not ", "loop",
        "messages", "|tojson", "[::-1]", "99999999999", "range(99999)", "%s", "é", "\u{0}", "endif", "endfor",
        "recursive", "|list",
    ]

    private static func mutation(of source: [Unicode.Scalar], _ numbers: inout SplitMix64) -> [Unicode.Scalar] {
        var source = source
        for _ in 0...Int.random(in: 0...3, using: &numbers) {
            let place = Int.random(in: 0..<source.count, using: &numbers)
            let end = min(source.count, place + Int.random(in: 1...60, using: &numbers))
            switch Int.random(in: 0..<3, using: &numbers) {
            case 0: source.removeSubrange(place..<end)
            case 1:
                source.insert(contentsOf: source[place..<end], at: Int.random(in: 0..<source.count, using: &numbers))
            default:
                source.insert(
                    contentsOf: pieces.randomElement(using: &numbers)?.unicodeScalars.map { $0 } ?? [], at: place)
            }
            if source.isEmpty { source = ["x"] }
        }
        return source
    }
}
