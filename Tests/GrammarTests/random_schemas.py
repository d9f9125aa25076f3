#!/usr/bin/env python3
"""Lets a model that writes nonsense write under random schemas, and asks an independent validator about every text.

usage: random_schemas.py SRT [--model MODEL] [--schemas 1000] [--seeds 5] [--first 0] [--json FILE] [-- more flags of the server]

SRT is the built binary, MODEL a folder of a tiny model (Tests/Fixtures/llama-tied). Each schema, made from its number, is asked for with
each seed at temperature 1 and at temperature 2. A text that ended by itself has to parse and to satisfy its schema, as the package
jsonschema sees it; others were cut off by their length. Prints how many there were of each, by keyword, and ends with 1 if any text was wrong.
"""

import argparse
import collections
import concurrent.futures
import decimal
import json
import os
import random
import sys

import jsonschema

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.append(os.path.join(TESTS, "EndToEndTests"))
sys.dont_write_bytecode = True  # nothing is left between the sources
from running_server import Server  # noqa: E402, where it lies is known by now

FIXTURES = os.path.join(TESTS, "Fixtures")
# Numbers are compared with all their digits, in every thread.
decimal.DefaultContext.prec = 1200
decimal.setcontext(decimal.DefaultContext)
TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]
NAMES = ["a", "b", "c", "kind"]
FORMATS = ["date", "time", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri", "json-pointer"]
JOINING = {"anyOf", "oneOf", "allOf", "not", "if", "dependentSchemas", "unevaluatedProperties", "unevaluatedItems", "$ref"}


class Schemas:
    """Random schemas over all keywords."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def whole(self):
        schema = self.schema(3)
        schema = schema if isinstance(schema, dict) else {"not": {"type": "string"}}
        if '"$ref"' in json.dumps(schema) or self.chance(10):
            schema["$defs"] = {
                "list": {"type": "object", "properties": {"value": self.leaf(), "next": {"anyOf": [{"$ref": "#/$defs/list"}, {"type": "null"}]}},
                         "required": ["next"], "additionalProperties": False},
                "named": {"$anchor": "named", **self.leaf()},
                "own": {"$id": "https://example.com/own", "$dynamicAnchor": "own", "type": ["integer", "array"], "maxItems": 2,
                        "items": {"$dynamicRef": "#own"}},
            }
        return schema

    def counted(self, _):
        """An object of few possible keys, so many of which have to be there."""
        keys = {"patternProperties": {"^[ab]$": self.leaf(), "^c{1,2}$": self.leaf()}, "additionalProperties": False}
        if self.chance(50):
            keys = {"propertyNames": {"enum": self.random.sample(["a", "b", "c", "kind", "é"], 3)}}
        return {"type": "object", "minProperties": 2 + self.random.randrange(2), **keys}

    def schema(self, depth):
        if depth == 0 or self.chance(25):
            return self.leaf()
        return self.random.choice([self.object] * 4 + [self.array] * 3 + [self.joined] * 4 + [self.reference, self.counted])(depth)

    def some(self, depth, least=2, most=3):
        return [self.schema(depth - 1) for _ in range(self.random.randint(least, most))]

    def reference(self, _):
        return {"$ref": self.random.choice(["#/$defs/list", "#named", "https://example.com/own"])}

    def joined(self, depth):
        kind = self.random.choice(["anyOf", "oneOf", "allOf", "not", "if", "discriminated"])
        if kind == "not":
            return {"type": self.random.sample(TYPES[:5], 2), "not": self.leaf()}
        if kind == "if":
            schema = {"if": self.leaf()}
            for key in ("then", "else"):
                if self.chance(80):
                    schema[key] = self.schema(depth - 1)
            return schema
        if kind == "discriminated":
            return {"oneOf": [
                {"type": "object", "properties": {"kind": {"const": f"k{n}"}, "b": self.schema(depth - 1)}, "required": ["kind"],
                 "additionalProperties": False} for n in range(2)]}
        if kind == "allOf":
            first = self.object(depth)
            second = {"type": "object", "properties": {"b": self.leaf()}, "required": ["b"]}
            return {"allOf": [first, second]}
        return {kind: self.some(depth)}

    def object(self, depth):
        schema = {"type": "object"}
        names = [name for name in NAMES if self.chance(55)]
        if names:
            schema["properties"] = {name: self.schema(depth - 1) for name in names}
        if self.chance(50):
            schema["required"] = [name for name in names or NAMES if self.chance(60)]
        if self.chance(60):
            schema["additionalProperties"] = False if self.chance(60) else self.leaf()
        elif self.chance(25):
            schema["unevaluatedProperties"] = False
            schema["anyOf"] = [{"properties": {"x": self.leaf()}, "required": ["x"]}, {"properties": {"y": self.leaf()}}]
        if self.chance(15):
            schema["patternProperties"] = {self.random.choice(["^x", "y$", "^[a-b]{1,2}$"]): self.leaf()}
        if self.chance(15):
            schema["propertyNames"] = {"maxLength": self.random.randint(1, 6)}
        if self.chance(15):
            schema["minProperties"] = self.random.randint(0, 2)
        if self.chance(25):
            schema["maxProperties"] = self.random.randint(1, 4)
        if self.chance(12):
            schema["dependentRequired"] = {self.random.choice(NAMES): [self.random.choice(NAMES)]}
        if self.chance(8):
            schema["dependentSchemas"] = {self.random.choice(NAMES): {"required": [self.random.choice(NAMES)]}}
        return schema

    def array(self, depth):
        schema = {"type": "array", "maxItems": self.random.randint(1, 4)}
        if self.chance(30):
            schema["prefixItems"] = self.some(depth, 1, 2)
        if self.chance(70):
            schema["items"] = self.schema(depth - 1)
        elif self.chance(30):
            schema["unevaluatedItems"] = self.leaf()
        if self.chance(30):
            schema["minItems"] = self.random.randint(0, 2)
        if self.chance(20):
            schema["contains"] = self.leaf()
            if self.chance(40):
                schema["minContains"] = self.random.randint(0, 2)
            if self.chance(40):
                schema["maxContains"] = self.random.randint(1, 2)
        if self.chance(12):
            return {"type": "array", "items": {"enum": ["red", 1, None, True]}, "uniqueItems": True, "minItems": self.random.randint(0, 3)}
        return schema

    def leaf(self):
        kind = self.random.randrange(8)
        if kind == 0:
            return {"type": self.random.choice(TYPES[:5])}
        if kind == 1:
            return {"enum": [self.scalar() for _ in range(self.random.randint(1, 4))]}
        if kind == 2:
            return {"const": self.scalar()}
        if kind in (3, 4):
            return self.number()
        return self.text()

    def number(self):
        schema = {"type": self.random.choice(["integer", "number"])}
        low = self.random.randint(-300, 100) / self.random.choice([1, 4])
        if self.chance(60):
            schema[self.random.choice(["minimum", "exclusiveMinimum"])] = low
        if self.chance(60):
            schema[self.random.choice(["maximum", "exclusiveMaximum"])] = low + self.random.randint(20, 500)
        if self.chance(30):
            schema["multipleOf"] = self.random.choice([2, 3, 7, 10, 0.5, 0.25, 1.5, 0.01])
        return schema

    def text(self):
        schema = {"type": "string"}
        if self.chance(20):
            return {**schema, "format": self.random.choice(FORMATS)}
        if self.chance(40):
            schema["pattern"] = self.random.choice(["^[a-c]+$", "^x", "[0-9]{2}$", "^(red|blue)*$", "a.b", "^\\w+@\\w+$"])
        if self.chance(35):
            schema["minLength"] = self.random.randint(0, 4)
        if self.chance(80):
            schema["maxLength"] = self.random.randint(4, 12)
        return schema

    def scalar(self):
        return self.random.choice([None, True, False, 0, 7, -12, 2.5, "", "red", "é\n", "a \"b\""])


def keywords(schema, found=None):
    """All keywords that a schema has somewhere."""
    found = set() if found is None else found
    if isinstance(schema, list):
        for part in schema:
            keywords(part, found)
    elif isinstance(schema, dict):
        for key, value in schema.items():
            found.add(f"format {value}" if key == "format" else key)
            if key in ("properties", "patternProperties", "$defs", "dependentSchemas"):
                for part in value.values():
                    keywords(part, found)
            elif key not in ("enum", "const", "required", "dependentRequired"):
                keywords(value, found)
    return found


def judge(validator, answer):
    """cut, valid, or what is wrong."""
    if answer["meta_info"]["finish_reason"]["type"] != "stop":
        return "cut"
    try:
        # As exact numbers: a double would tell 0.07 from a multiple of 0.01.
        value = json.loads(answer["text"], parse_float=decimal.Decimal)
        validator.validate(value)
    except (ValueError, jsonschema.ValidationError) as error:
        return f"{answer['text']!r}: {str(error).splitlines()[0]}"
    return "valid"


def run(server, number, seeds):
    """A schema and what became of each text; the reason where it was refused."""
    schema = Schemas(number).whole()
    exact = json.loads(json.dumps(schema), parse_float=decimal.Decimal)
    validator = jsonschema.Draft202012Validator(exact, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    sampling = [
        {"json_schema": json.dumps(schema), "temperature": temperature, "sampling_seed": seed, "max_new_tokens": 250}
        for temperature in (1, 2) for seed in range(seeds)]
    answer = server.post("/generate", {"text": ["The keeper"] * len(sampling), "sampling_params": sampling})
    if answer.status != 200:
        return schema, answer.json()["error"]["message"], []
    return schema, None, [judge(validator, one) for one in answer.json()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("srt")
    parser.add_argument("--model", default=os.path.join(FIXTURES, "llama-tied"))
    parser.add_argument("--schemas", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--json")
    parser.add_argument("flags", nargs="*")
    given = parser.parse_args()
    server = Server(given.srt, given.model, ["--constrained-json-max-whitespace-cnt", "1"] + given.flags)
    counts = collections.defaultdict(lambda: dict.fromkeys(("schemas", "refused", "valid", "cut", "wrong"), 0))
    reasons = collections.Counter()
    try:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            numbers = range(given.first, given.first + given.schemas)
            for number, (schema, refusal, verdicts) in zip(numbers, pool.map(lambda n: run(server, n, given.seeds), numbers)):
                if refusal:
                    reasons[refusal.split(": ", 2)[-1][:80]] += 1
                for key in sorted(keywords(schema)) + ["all"]:
                    count = counts[key]
                    count["schemas"] += 1
                    count["refused"] += refusal is not None
                    for verdict in verdicts:
                        count[verdict if verdict in count else "wrong"] += 1
                for verdict in verdicts:
                    if verdict not in ("valid", "cut"):
                        print(f"schema {number} {json.dumps(schema)}\n  {verdict}", file=sys.stderr)
    finally:
        server.end()
    print("| keyword | schemas | refused | texts that ended, all valid but | cut off |\n|---|---|---|---|---|")
    for key in sorted(counts, key=lambda k: (k == "all", k)):
        count = counts[key]
        print(f"| {key} | {count['schemas']} | {count['refused']} | {count['valid'] + count['wrong']}, {count['wrong']} | {count['cut']} |")
    for reason, count in reasons.most_common(12):
        print(f"refused {count}: {reason}", file=sys.stderr)
    if given.json:
        with open(given.json, "w", encoding="utf-8") as file:
            json.dump({"seeds": given.seeds, "temperatures": [1, 2], "keywords": counts}, file, indent=1, sort_keys=True)
            file.write("\n")
    sys.exit(counts["all"]["wrong"] > 0)


if __name__ == "__main__":
    main()
