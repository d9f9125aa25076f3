#!/usr/bin/env python3
"""Holds the grammars of srt, xgrammar and llguidance against the public JSON-Schema-Test-Suite, keyword by keyword.

usage: compare_schema_suite.py SRT [--suite FOLDER] [--model TOKENIZER] [--peers] [--markdown]

SRT is the built binary. Without --suite the suite is cloned into the cache. A test of the suite is a schema, a value, and whether the
value is valid (which jsonschema is asked again). A value is written as JSON with its members in each order, since a grammar wants one;
numbers that are integers are written as such. Counted are: tests whose schema was refused, valid values that were taken, and invalid
ones that were not. --peers needs the packages xgrammar (with torch) and llguidance; --model follows the tokens of a tokenizer too.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
from collections import defaultdict

SUITE = "https://github.com/json-schema-org/JSON-Schema-Test-Suite"


def spellings(value, most=120):
    """Texts of a value, with the members of its objects in each order."""
    if isinstance(value, list):
        parts = itertools.islice(itertools.product(*[spellings(v, 24) for v in value]), most)
        return ["[" + ", ".join(p) + "]" for p in parts]
    if isinstance(value, dict):
        pairs = [[json.dumps(k, ensure_ascii=False) + ": " + t for t in spellings(v, 24)] for k, v in value.items()]
        found = []
        for order in itertools.islice(itertools.permutations(pairs), most):
            found += ["{" + ", ".join(p) + "}" for p in itertools.islice(itertools.product(*order), most)]
        return found[:most]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return [json.dumps(value, ensure_ascii=False)]


def tests(folder):
    """All tests of a draft: keyword, schema, values with their verdicts."""
    for root, _, files in sorted(os.walk(folder)):
        for file in sorted(files):
            if not file.endswith(".json"):
                continue
            name = os.path.relpath(os.path.join(root, file), folder)[:-5]
            if name.startswith("optional") and not name.startswith("optional/format/"):
                continue
            for group in json.load(open(os.path.join(root, file), encoding="utf-8")):
                yield name, group["schema"], [(t["data"], t["valid"]) for t in group["tests"]]


def srt(binary, model, cases, walks):
    """What srt makes of schemas and texts; `walks` gets the number of tokenizations by which each text was followed."""
    lines = "".join(json.dumps({"json_schema": schema, "texts": texts}) + "\n" for schema, texts in cases)
    command = [binary, "bench", "grammar"] + (["--model", model] if model else [])
    out = subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    if model:
        print(out[-1], file=sys.stderr)
    for (schema, texts), line in zip(cases, out):
        report = json.loads(line)
        for text, taken, ways in zip(texts, report.get("takes", []), report.get("takes_tokens", [])):
            if any(way != taken for way in ways):
                sys.exit(f"tokens and text differ: {json.dumps(schema)} {text}: {taken} {ways}")
            walks[taken] += len(ways)
        yield report.get("takes")


def xgrammar_answers(cases):
    import xgrammar
    from xgrammar.testing import _is_grammar_accept_string as takes
    for schema, texts in cases:
        try:
            grammar = xgrammar.Grammar.from_json_schema(json.dumps(schema), strict_mode=False)
            yield [takes(grammar, text) for text in texts]
        except Exception:  # whatever it throws, it has refused
            yield None


def llguidance_answers(cases):
    import llguidance
    tokenizer = llguidance.LLTokenizer("byte")
    for schema, texts in cases:
        grammar = llguidance.LLMatcher.grammar_from_json_schema(json.dumps(schema))
        if llguidance.LLMatcher(tokenizer, grammar).is_error():
            yield None
            continue
        answers = []
        for text in texts:
            matcher = llguidance.LLMatcher(tokenizer, grammar)
            taken = matcher.consume_tokens(tokenizer.tokenize_str(text))
            answers.append(bool(taken and matcher.is_accepting()))
        yield answers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("srt")
    parser.add_argument("--suite")
    parser.add_argument("--model")
    parser.add_argument("--draft", default="draft2020-12")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    given = parser.parse_args()
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "srt", "schema-suite")
    suite = given.suite or cache
    if not os.path.isdir(suite):
        subprocess.run(["git", "clone", "--depth", "1", SUITE, suite], check=True)
    groups = list(tests(os.path.join(suite, "tests", given.draft)))
    cases, places = [], []
    for name, schema, values in groups:
        texts, owners = [], []
        for index, (value, _) in enumerate(values):
            for text in spellings(value):
                texts.append(text)
                owners.append(index)
        cases.append((schema, texts))
        places.append(owners)
    walks = {True: 0, False: 0}
    makers = {"srt": lambda: srt(given.srt, given.model, cases, walks)}
    if given.peers:
        makers["xgrammar"] = lambda: xgrammar_answers(cases)
        makers["llguidance"] = lambda: llguidance_answers(cases)
    counts = {maker: defaultdict(lambda: [0, 0, 0, 0, 0]) for maker in makers}
    for maker, run in makers.items():
        for (name, schema, values), owners, answers in zip(groups, places, run()):
            count = counts[maker][name]
            for index, (value, valid) in enumerate(values):
                if answers is None:
                    count[0] += 1
                    continue
                taken = any(a for a, owner in zip(answers, owners) if owner == index)
                count[1 if valid else 3] += taken == valid
                count[2 if valid else 4] += 1
                if given.verbose and maker == "srt" and taken != valid:
                    print(f"{name}: {json.dumps(schema)[:400]} {json.dumps(value)[:120]} valid={valid}", file=sys.stderr)
    columns = " | ".join(f"{m}: refused | valid taken | invalid refused" for m in makers)
    print(f"| keyword | {columns} |")
    print("|---" * (1 + 3 * len(makers)) + "|")
    for name in sorted(counts["srt"]) + ["all"]:
        row = [name]
        for maker in makers:
            count = counts[maker][name] if name != "all" else [sum(c[i] for c in counts[maker].values()) for i in range(5)]
            row += [str(count[0]), f"{count[1]}/{count[2]}", f"{count[3]}/{count[4]}"]
        print("| " + " | ".join(row) + " |")
    if given.model:
        print(f"token by token: {walks[True]} walks through texts that are taken, {walks[False]} through others, none with another verdict",
              file=sys.stderr)


if __name__ == "__main__":
    main()
