#!/usr/bin/env python3
"""Holds the imports of Sources and Tests against Package.swift, and draws them.

usage: imports.py check          exit 1 where a file imports what its target does not name, or where a wing meets another
       imports.py draw [FILE]    writes the figure and the sizes of all targets (Docs/Layout.md)

Package.swift is the only place that says who may import whom. What SwiftPM itself lets pass, because a module lies somewhere
below, is an error here: a target names all it uses. A test may also import whatever lies below it.
"""

import json
import os
import re
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Modules of the system, free to all but the logic wing, which has locks alone.
SYSTEM = {
    "Swift", "Foundation", "FoundationEssentials", "FoundationXML", "Glibc", "Musl", "Synchronization", "Dispatch",
    "CDispatch",
}
# The wings: no target of one may reach a target of the other, but for the few that exist to join them.
LOGIC = {"KVCache", "Scheduling", "Grammar"}
MATH = {"CKernels", "CRanks", "Tensors", "Models"}
TEXT = {"Tokenizers", "ChatTemplates", "OutputParsers"}
# HTTPFront, the process, is none of them: it reads what the model's files say of chats, as the tokenizer manager does.
API = {
    "Ledger", "APICore", "ChatAPI", "NativeAPI", "OperatorAPI", "OpenAIAPI", "AnthropicAPI", "OllamaAPI", "ResponsesAPI",
    "WebPage",
}
IMPORT = re.compile(
    r"^\s*(?:(?:public|package|internal|fileprivate|private|@\w+(?:\(\w+\))?)\s+)*import\s+"
    r"(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)")
LONGEST = 400


class Target:
    """A target of Package.swift, with its files."""

    def __init__(self, entry):
        self.name, self.kind = entry["name"], entry["type"]
        folder = entry.get("path") or os.path.join("Tests" if self.kind == "test" else "Sources", self.name)
        self.folder = folder
        self.modules, self.products = [], []
        for dependency in entry["dependencies"]:
            kind, values = next(iter(dependency.items()))
            (self.products if kind == "product" else self.modules).append(values[0])

    def files(self, endings=(".swift", ".c", ".h")):
        """Paths of the target's own files, generated ones and fixtures left out."""
        found = []
        for folder, names, files in os.walk(os.path.join(ROOT, self.folder)):
            names[:] = sorted(name for name in names if name not in ("Generated", "Fixtures"))
            found += [os.path.join(folder, file) for file in sorted(files) if file.endswith(endings)]
        return found


def read_targets():
    """All targets by name, in the order of Package.swift."""
    text = subprocess.run(
        ["swift", "package", "dump-package"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return {entry["name"]: Target(entry) for entry in json.loads(text)["targets"]}


def reach(targets, name, seen=None):
    """Names of all targets below one."""
    seen = set() if seen is None else seen
    for module in targets[name].modules:
        if module in targets and module not in seen:
            seen.add(module)
            reach(targets, module, seen)
    return seen


def imports(path):
    """Line number and module of each import of a Swift file; text in quotes of three is passed over."""
    in_text = False
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            quotes = line.count('"""')
            if quotes or in_text:
                in_text ^= quotes % 2 == 1
                continue
            match = IMPORT.match(line)
            if match:
                yield number, match.group(1)


def complaints(targets):
    """What breaks the rules, one text each."""
    for target in targets.values():
        allowed = {target.name} | set(target.modules) | set(target.products)
        if target.folder.startswith("Tests"):
            allowed |= {"Testing"}
        if target.kind == "test":
            below = reach(targets, target.name)
            allowed |= below | {product for name in below & set(targets) for product in targets[name].products}
        for path in target.files((".swift",)):
            for number, module in imports(path):
                if module in allowed or module in SYSTEM and target.name not in LOGIC or module == "Synchronization":
                    continue
                yield f"{os.path.relpath(path, ROOT)}:{number}: {target.name} must not import {module}"
    apart = ((LOGIC, MATH | TEXT | API), (MATH, LOGIC | TEXT | API), (TEXT, LOGIC | MATH | API), (API, LOGIC | MATH))
    for group, others in apart:
        for name in sorted(group & set(targets)):
            for other in sorted(reach(targets, name) & others):
                yield f"Package.swift: {name} reaches {other}, which lies in another wing"


def check(targets):
    failures = list(complaints(targets))
    for line in failures:
        print(line)
    for target in targets.values():
        for path in target.files():
            with open(path, encoding="utf-8") as file:
                count = sum(1 for _ in file)
            if count > LONGEST:
                failures.append(path)
                print(f"{os.path.relpath(path, ROOT)}: {count} lines, more than {LONGEST}: to be split")
    print("imports: " + ("all allowed" if not failures else f"{len(failures)} complaints"))
    return 1 if failures else 0


def floors(targets):
    """Floor of each target that is no test: one above the highest it imports."""
    heights = {}

    def height(name):
        if name not in heights:
            below = [height(module) for module in targets[name].modules if module in targets]
            heights[name] = max(below, default=-1) + 1
        return heights[name]

    for target in targets.values():
        if target.kind != "test":
            height(target.name)
    return heights


def draw(targets, path):
    heights = floors(targets)
    shown = [name for name in targets if name in heights and not targets[name].folder.startswith("Tests")]
    lines = [
        "# Layout", "",
        "Made from Package.swift by `make layout`; `make check` holds every import against it. Arrows point down only.", "",
        "```mermaid", "graph TD"]
    for name in shown:
        # Arrows that another path implies are left out: the figure shows who stands on whom.
        modules = [module for module in targets[name].modules if module in heights]
        for module in modules:
            if not any(module in reach(targets, other) for other in modules if other != module):
                lines.append(f"    {name} --> {module}")
    lines += ["```", "", "| floor | target | imports | files | lines | median | largest |", "|---|---|---|---|---|---|---|"]
    for name in sorted(shown, key=lambda name: (-heights[name], name)):
        sizes = []
        for file in targets[name].files():
            with open(file, encoding="utf-8") as opened:
                sizes.append(sum(1 for _ in opened))
        outside = [f"*{product}*" for product in targets[name].products]
        uses = ", ".join(targets[name].modules + outside) or "–"
        row = (len(sizes), sum(sizes), int(statistics.median(sizes)), max(sizes)) if sizes else (0, 0, 0, 0)
        lines.append(f"| {heights[name]} | {name} | {uses} | " + " | ".join(map(str, row)) + " |")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in ("check", "draw"):
        sys.exit(__doc__)
    targets = read_targets()
    if sys.argv[1] == "check":
        sys.exit(check(targets))
    draw(targets, sys.argv[2] if len(sys.argv) > 2 else os.path.join(ROOT, "Docs", "Layout.md"))


if __name__ == "__main__":
    main()
