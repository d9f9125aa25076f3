#!/bin/bash
# Checks every import in Sources and Tests against Config/imports.txt, and lists files that have grown too long.
# Usage: Config/check-imports.sh [ROOT]. Exit 1 if an import is not allowed, 0 otherwise.
set -euo pipefail
root=${1:-$(dirname "$0")/..}
cd "$root"

find Sources Tests -name '*.swift' -not -path '*/Fixtures/*' -print0 2>/dev/null | sort -z | xargs -0 -r awk '
    BEGIN {
        split("Swift Foundation FoundationEssentials Glibc Musl Synchronization Dispatch", names, " ")
        for (i in names) system_module[names[i]] = 1
        logic["KVCache"] = logic["Scheduling"] = 1
        while ((getline line < "Config/imports.txt") > 0) {
            sub(/#.*/, "", line)
            if (line !~ /:/) continue
            target = line; sub(/:.*/, "", target); gsub(/[ \t]/, "", target)
            rest = line; sub(/[^:]*:/, "", rest)
            bar = index(rest, "|")
            own = bar ? substr(rest, 1, bar - 1) : rest
            outside = bar ? substr(rest, bar + 1) : ""
            known[target] = 1
            count = split(own, list, " ")
            for (i = 1; i <= count; i++) { allowed[target, list[i]] = 1; below[target] = below[target] " " list[i] }
            count = split(outside, list, " ")
            for (i = 1; i <= count; i++) { allowed[target, list[i]] = 1; packages[target] = packages[target] " " list[i] }
        }
    }
    # Lets a test target import its subject and everything below that.
    function admit(test, module,    parts, n, i) {
        if ((test, module) in visited) return
        visited[test, module] = 1
        allowed[test, module] = 1
        n = split(packages[module], parts, " ")
        for (i = 1; i <= n; i++) allowed[test, parts[i]] = 1
        n = split(below[module], parts, " ")
        for (i = 1; i <= n; i++) admit(test, parts[i])
    }
    function fail(text) { print FILENAME ":" FNR ": " text; failures++ }
    FNR == 1 {
        split(FILENAME, path, "/")
        target = path[2]
        is_test = path[1] == "Tests"
        if (is_test && target ~ /Tests$/) {
            subject = target; sub(/Tests$/, "", subject)
            allowed[target, "Testing"] = 1
            admit(target, subject)
        } else if (!is_test && !(target in known)) {
            fail("target " target " has no line in Config/imports.txt")
        }
        in_text = 0
    }
    /"""/ { if (gsub(/"""/, "\"\"\"") % 2) in_text = !in_text; next }
    !in_text && /^[ \t]*((public|package|internal|fileprivate|private|@[A-Za-z_]+(\([a-z]+\))?)[ \t]+)*import[ \t]/ {
        line = $0
        sub(/[ \t]*\/\/.*/, "", line)
        sub(/^.*import[ \t]+/, "", line)
        sub(/^(struct|class|enum|protocol|func|var|let|typealias)[ \t]+/, "", line)
        sub(/[.; \t].*/, "", line)
        if (line == target || (target, line) in allowed) next
        if ((line in system_module) && !(target in logic)) next
        fail(target " must not import " line)
    }
    END { exit failures > 0 }
' || { echo "check-imports: imports that Config/imports.txt does not allow" >&2; exit 1; }

long=$(find Sources Tests \( -name '*.swift' -o -name '*.c' -o -name '*.h' \) -not -path '*/Generated/*' \
    -not -path '*/Fixtures/*' -exec awk 'END { if (FNR > 400) print "  " FNR " " FILENAME }' {} \; | sort -rn)
if [ -n "$long" ]; then
    printf 'warning: files over 400 lines, to be split:\n%s\n' "$long"
fi
echo "imports: all allowed"
