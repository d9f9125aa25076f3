#!/usr/bin/env python3
"""Renders a matrix of conversations with transformers, for ChatTemplatesTests to render the same.

Usage: make_template_goldens.py TEMPLATES GOLDENS.json

TEMPLATES is a folder of *.jinja files: Tests/ChatTemplatesTests/Templates for the goldens in the repository, or a cache
of published templates, whose goldens.json beside them the same tests compare when SRT_TEMPLATE_CACHE names the folder.
Needs transformers (5.24) and jinja2 (3.1.6), and neither torch nor a model.
"""
import datetime
import itertools
import json
import pathlib
import sys

import transformers.utils.chat_template_utils as hf

NOW = datetime.datetime.fromtimestamp(1_790_000_000, datetime.timezone.utc).replace(tzinfo=None)


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


hf.datetime = Clock

SYSTEM = {"role": "system", "content": "You are brief.\n"}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city — now.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "A city's \"name\" <b>&</b>"},
                "days": {"type": "integer", "enum": [1, 2, 3], "default": 1},
                "units": {"type": ["string", "null"], "enum": ["°C", "°F"]},
                "where": {
                    "type": "object",
                    "properties": {"lat": {"type": "number", "minimum": -90.5}, "tags": {"type": "array", "items": {"type": "string"}}},
                    "required": ["lat"],
                },
            },
            "required": ["city"],
        },
    },
}
CLOCK = {"type": "function", "function": {"name": "now", "description": "", "parameters": {"type": "object", "properties": {}}}}


def call(name, arguments, number=0):
    return {"id": f"call{number:05d}", "type": "function", "function": {"name": name, "arguments": arguments}}


CONVERSATIONS = {
    "one turn": [{"role": "user", "content": "Hi"}],
    "system": [SYSTEM, {"role": "user", "content": "Hi"}],
    "several turns": [
        SYSTEM,
        {"role": "user", "content": " First? \n"},
        {"role": "assistant", "content": "\n One. "},
        {"role": "user", "content": "Second?"},
        {"role": "assistant", "content": "Two."},
        {"role": "user", "content": "Third?"},
    ],
    "no system, several turns": [
        {"role": "user", "content": "First?"},
        {"role": "assistant", "content": "One."},
        {"role": "user", "content": "Second?"},
    ],
    "ends with the assistant": [
        {"role": "user", "content": "Count."},
        {"role": "assistant", "content": "One, two"},
    ],
    "trailing space": [
        {"role": "user", "content": "Count."},
        {"role": "assistant", "content": "One, two,  \n"},
    ],
    "consecutive users": [
        {"role": "user", "content": "One."},
        {"role": "user", "content": "Two."},
        {"role": "assistant", "content": "Three."},
        {"role": "assistant", "content": "Four."},
        {"role": "user", "content": "Five."},
    ],
    "empty texts": [
        {"role": "system", "content": ""},
        {"role": "user", "content": ""},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "   \n"},
    ],
    "non-ASCII": [
        {"role": "system", "content": "Ты — «помощник» 🦙."},
        {"role": "user", "content": "naïve e\u0301 ǅ ß İ ΣΑΣ 漢字\u3000\u2028 👩‍👩‍👧\u0000\u007f"},
    ],
    "template syntax": [
        {"role": "system", "content": "{{ 7 * 7 }} {% raw %}"},
        {"role": "user", "content": "{% for x in y %}{{ x }}{# c #}\r\n<|im_end|>\\n'\"</think>[INST] <s>"},
    ],
    "tool call": [
        SYSTEM,
        {"role": "user", "content": "Weather in Zürich?"},
        {"role": "assistant", "content": "", "tool_calls": [call("get_weather", {"city": "Zürich", "days": 2, "where": {"lat": 47.0, "tags": ["a", "b"]}, "ok": True, "none": None})]},
        {"role": "tool", "name": "get_weather", "tool_call_id": "call00000", "content": '{"temperature": 21.5}'},
    ],
    "tool call answered": [
        {"role": "user", "content": "Weather in Zürich?"},
        {"role": "assistant", "tool_calls": [call("get_weather", {"city": "Zürich"})]},
        {"role": "tool", "name": "get_weather", "tool_call_id": "call00000", "content": "21.5 <b>°C</b>"},
        {"role": "assistant", "content": "Warm."},
        {"role": "user", "content": "Thanks"},
    ],
    "two tool calls": [
        {"role": "user", "content": "Weather and time?"},
        {"role": "assistant", "content": "Let me see.", "tool_calls": [call("get_weather", {"city": "Oslo"}), call("now", {}, 1)]},
        {"role": "tool", "name": "get_weather", "tool_call_id": "call00000", "content": "cold"},
        {"role": "tool", "name": "now", "tool_call_id": "call00001", "content": "noon"},
    ],
    "reasoning": [
        {"role": "user", "content": "2+2?"},
        {"role": "assistant", "reasoning_content": "Easy:\n2+2=4.", "content": "4"},
        {"role": "user", "content": "3+3?"},
    ],
    "reasoning in the text": [
        {"role": "user", "content": "2+2?"},
        {"role": "assistant", "content": "<think>\nEasy.\n</think>\n\n4"},
        {"role": "user", "content": "3+3?"},
        {"role": "assistant", "content": "<think>Also easy.</think>6"},
    ],
    "reasoning with tools": [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "reasoning_content": "I need a tool.", "content": "", "tool_calls": [call("get_weather", {"city": "Bern"})]},
        {"role": "tool", "name": "get_weather", "tool_call_id": "call00000", "content": "sun"},
        {"role": "assistant", "reasoning_content": "Sun.", "content": "Sunny."},
    ],
    "content parts": [
        {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "content": [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Three."}]},
        {"role": "user", "content": [{"type": "text", "text": "Four."}]},
    ],
    "image": [
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is it?"}]},
    ],
    "developer": [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "Hi", "name": "ann"},
    ],
    "unknown role": [{"role": "narrator", "content": "Once"}, {"role": "user", "content": "Hi"}],
    "system later": [{"role": "user", "content": "Hi"}, SYSTEM, {"role": "user", "content": "Ho"}],
}

DOCUMENTS = [{"title": "A «title»", "text": "Some text.\nMore."}, {"title": "B", "text": ""}]

# Further arguments of apply_chat_template.
OPTIONS = {
    "prompt": {"add_generation_prompt": True},
    "whole": {"add_generation_prompt": False},
    "continued": {"continue_final_message": True},
    "tools": {"add_generation_prompt": True, "tools": [WEATHER, CLOCK]},
    "tools, whole": {"tools": [WEATHER]},
    "thinking": {"add_generation_prompt": True, "enable_thinking": True, "thinking": True},
    "no thinking": {"add_generation_prompt": True, "enable_thinking": False, "thinking": False, "reasoning_effort": "low"},
    "documents": {"add_generation_prompt": True, "documents": DOCUMENTS},
    "dated": {"add_generation_prompt": True, "date_string": "1 Jan 2025", "tools": [CLOCK], "tools_in_user_message": False},
}

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


def render(template, messages, options):
    options = dict(options)
    arguments = {
        "tools": options.pop("tools", None),
        "documents": options.pop("documents", None),
        "add_generation_prompt": options.pop("add_generation_prompt", False),
        "continue_final_message": options.pop("continue_final_message", False),
    }
    messages = hf._normalize_chat_messages(json.loads(json.dumps(messages)))
    try:
        texts, _ = hf.render_jinja_template([messages], chat_template=template, **arguments, **{**SPECIAL, **options})
        return {"text": texts[0]}
    except Exception as error:  # whatever the template did, the answer is an error
        kind = "raised" if type(error).__name__ == "TemplateError" else "error"
        return {kind: str(error) if kind == "raised" else f"{type(error).__name__}: {error}"[:300]}


def main():
    folder, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    results = {}
    for path in sorted(folder.glob("*.jinja")):
        template = path.read_bytes().decode()
        known, results[path.name] = {}, []
        for name, option in itertools.product(CONVERSATIONS, OPTIONS):
            result = render(template, CONVERSATIONS[name], OPTIONS[option])
            place = known.setdefault(json.dumps(result), len(results[path.name]))
            if place < len(results[path.name]):
                result = {"same": place}  # as that result of the list
            results[path.name].append({"conversation": name, "options": option, **result})
    goldens = {"conversations": CONVERSATIONS, "options": OPTIONS, "special": SPECIAL, "results": results}
    target.write_text(json.dumps(goldens, ensure_ascii=False, indent=1) + "\n")
    full = [rs[r.get("same", place)] for rs in results.values() for place, r in enumerate(rs)]
    counts = [len([r for r in full if kind in r]) for kind in ("text", "raised", "error")]
    print(f"{len(results)} templates: {counts[0]} texts, {counts[1]} refusals, {counts[2]} errors")


if __name__ == "__main__":
    main()
