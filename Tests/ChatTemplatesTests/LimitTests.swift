import ChatTemplates
import JSON
import Testing
import Values

@Suite struct LimitTests {
    private func failure(_ source: String, _ limits: TemplateLimits = TemplateLimits()) -> TemplateError? {
        do throws(TemplateError) {
            _ = try ChatTemplate(source).render(TemplateContext(), limits: limits, at: someTime)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% set ns = namespace(s='ab') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s='ab') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l|tojson }}",
        "{% set ns = namespace(l=(1,)) %}{% for i in range(99) %}{% set ns.l = (ns.l, ns.l) %}{% endfor %}{{ {ns.l: 1} }}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l == ns.l + [] }}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}{% endfor %}",
        "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
        "{% macro m() %}{{ caller() }}{% call m() %}{% endcall %}{% endmacro %}{% call m() %}{% endcall %}",
        "{% for i in [[1]] recursive %}{{ loop([[i]]) }}{% endfor %}",
        "{{ range(1000000000) }}", "{{ range(-9223372036854775807, 9223372036854775807) }}",
        "{{ 'x' * 9999999999 }}", "{{ [1] * 9999999999 }}", "{{ 'x'|center(999999999) }}",
        "{{ 'x'.zfill(99999999999) }}",
        "{{ ('a\\n' * 999999)|indent(99999) }}", "{{ ('x' * 1000000).replace('', 'y' * 1000000) }}",
        "{{ [1]|tojson(indent=1000) * 99999 }}", "{{ (['x' * 10000] * 100000)|join('y') }}",
    ])
    func whatGrowsWithoutEndIsStopped(_ source: String) {
        #expect(failure(source)?.kind == .limit, "\(source): \(String(describing: failure(source)))")
    }

    @Test func everyLimitCanBeSet() {
        #expect(failure("{{ 1 }}{{ 2 }}", TemplateLimits(steps: 3))?.kind == .limit)
        #expect(failure("{% if true %}{% if true %}1{% endif %}{% endif %}", TemplateLimits(depth: 2))?.kind == .limit)
        #expect(failure("ab{{ 'c' }}", TemplateLimits(outputBytes: 2))?.kind == .limit)
        #expect(failure("ab{{ 'c' }}", TemplateLimits(outputBytes: 3)) == nil)
    }

    @Test func sourcesThatNestTooDeeplyAreRefused() {
        for (open, close) in [
            ("(", ")"), ("[", "]"), ("{1:", "}"), ("not ", ""), ("-", ""), ("x if y else ", ""), ("x(", ")"),
        ] {
            let many = String(repeating: open, count: 50_000) + "1" + String(repeating: close, count: 50_000)
            #expect(failure("{{ \(many) }}")?.kind == .syntax, "\(open)")
        }
        for chain in [".x", "|trim", "[0]", "()", " is none"] {
            #expect(failure("{{ y" + String(repeating: chain, count: 50_000) + "}}")?.kind == .syntax, "\(chain)")
        }
        #expect(failure(String(repeating: "{% if 1 %}", count: 50_000))?.kind == .syntax)
        #expect(failure(String(repeating: "{% for x in y %}", count: 50_000))?.kind == .syntax)
    }

    @Test func longChainsOfOneOperatorAreNoDeepOnes() throws {
        for (operation, operand) in [
            (" + ", "1"), (" ~ ", "'a'"), (" or ", "0"), (" and ", "1"), (" < ", "1"), (" * ", "1"),
        ] {
            let source = "{{ " + Array(repeating: operand, count: 20_000).joined(separator: operation) + " }}"
            _ = try ChatTemplate(source).render(TemplateContext(), at: someTime)
        }
    }
}
