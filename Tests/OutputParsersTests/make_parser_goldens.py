#!/usr/bin/env python3
"""Has SGLang's own parsers read answers, for OutputParsersTests to read the same.

Usage: make_parser_goldens.py WHEEL GOLDENS.json [MUTATIONS]

WHEEL is the unpacked wheel of sglang 0.5.23 (`pip download --no-deps`, `unzip`). Needs orjson, partial-json-parser,
pydantic, openai, msgspec, jinja2 and regex, and no torch: modules beyond the parsers are replaced by mocks. With
MUTATIONS, each answer is also read that many times with something cut out, doubled or put in, which is for looking at
differences; the repository has the goldens without.
"""
import importlib.abc
import importlib.machinery
import json
import logging
import pathlib
import random
import sys
from unittest.mock import MagicMock

WHEEL = pathlib.Path(sys.argv[1])
REAL = ("sglang.srt.function_call", "sglang.srt.parser", "sglang.srt.entrypoints.openai.protocol", "sglang.srt.environ")
FOLDERS = ("sglang", "sglang.srt", "sglang.srt.entrypoints", "sglang.srt.entrypoints.openai")
ABSENT = ("xgrammar", "torch", "transformers", "openai_harmony", "fastapi", "starlette", "zmq", "pybase64")


class Stand(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the parsers in the wheel and mocks in place of what they import beside each other."""

    def find_spec(self, name, path=None, target=None):
        spec = importlib.machinery.ModuleSpec(name, self, is_package=True)
        if name in FOLDERS:
            spec.submodule_search_locations = [str(WHEEL / name.replace(".", "/"))]
            return spec
        top = name.split(".")[0]
        return spec if top in ABSENT or (top == "sglang" and not name.startswith(REAL)) else None

    def create_module(self, spec):
        if spec.name in FOLDERS:
            return None
        module = MagicMock(name=spec.name)
        module.__spec__, module.__path__, module.__name__ = spec, [], spec.name
        return module

    def exec_module(self, module):
        pass


sys.meta_path.insert(0, Stand())
logging.disable(logging.CRITICAL)
import pydantic
import xgrammar


class StructuralTag(pydantic.BaseModel):
    pass


xgrammar.StructuralTag = StructuralTag
from sglang.srt.entrypoints.openai.protocol import Tool
from sglang.srt.function_call.function_call_parser import FunctionCallParser
from sglang.srt.parser.reasoning_parser import ReasoningParser

TOOLS = [
    {"name": "ping"},
    {
        "name": "add",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}, "note": {"type": "string"}},
        },
    },
    {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "days": {"type": "number"},
                "deep": {"type": "object"},
                "tags": {"type": "array"},
                "ok": {"type": "boolean"},
                "maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                "free": {},
            },
        },
    },
]
ARGUMENTS = [
    ("ping", []),
    ("add", [("a", 1), ("b", 2)]),
    ("add", [("a", -7), ("note", 'say "ü" \\ {[]} <b>&</b> 🦙\nnext')]),
    ("get_weather", [("city", "Oslo"), ("days", 2.5), ("ok", True), ("maybe", None)]),
    ("get_weather", [("deep", {"x": [1, {"y": "z}]"}], "e": {}}), ("tags", ["a", 1, None, 1e100, []]), ("free", 3)]),
    ("nope", [("a", 1)]),
]


def plain(value):
    """An argument as the tagged formats write it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def python(value):
    """An argument as Python writes it."""
    return repr(value)


def one(separators=(", ", ": ")):
    return lambda name, args: json.dumps(
        {"name": name, "arguments": dict(args)}, ensure_ascii=False, separators=separators)


def tags(call, argument, end, text=plain):
    return lambda name, args: call % name + "".join(argument % (k, text(v)) for k, v in args) + end


def dsml(language):
    def write(name, args):
        body = "".join(
            f'<｜{language}｜parameter name="{k}" string="{"true" if isinstance(v, str) else "false"}">{plain(v)}'
            f"</｜{language}｜parameter>\n" for k, v in args)
        return f'<｜{language}｜invoke name="{name}">\n{body}</｜{language}｜invoke>\n'

    return write


def around(begin, end, between=""):
    return lambda calls: begin + between.join(calls) + end


def each(begin, end, between="\n"):
    return lambda calls: between.join(begin + call + end for call in calls)


GLM = tags("%s\n", "<arg_key>%s</arg_key>\n<arg_value>%s</arg_value>\n", "")
GLM47 = tags("%s", "<arg_key>%s</arg_key><arg_value>%s</arg_value>", "")
PYTHON = lambda name, args: f"{name}(" + ", ".join(f"{k}={python(v)}" for k, v in args) + ")"
CODER = tags("<function=%s>\n", "<parameter=%s>\n%s\n</parameter>\n", "</function>")
INVOKE = tags('<invoke name="%s">\n', '<parameter name="%s">%s</parameter>\n', "</invoke>\n")
KIMI = lambda name, args: (
    f"functions.{name}:0<|tool_call_argument_begin|>" + json.dumps(dict(args), ensure_ascii=False))
V3 = lambda name, args: f"function<｜tool▁sep｜>{name}\n```json\n{json.dumps(dict(args), ensure_ascii=False)}\n```"
V31 = lambda name, args: f"{name}<｜tool▁sep｜>{json.dumps(dict(args), ensure_ascii=False, separators=(',', ':'))}"
DEEPSEEK = lambda calls: (
    "<｜tool▁calls▁begin｜>" + "\n".join(f"<｜tool▁call▁begin｜>{c}<｜tool▁call▁end｜>" for c in calls)
    + "<｜tool▁calls▁end｜>")
HARMONY = lambda name, args: (
    f"<|start|>assistant<|channel|>commentary to=functions.{name} <|constrain|>json<|message|>"
    + json.dumps(dict(args)) + "<|call|>")
STEP3 = tags(
    'function<｜tool_sep｜><steptml:invoke name="%s">\n', '<steptml:parameter name="%s">%s</steptml:parameter>\n',
    "</steptml:invoke>")
COHERE = lambda name, args: json.dumps(
    {"tool_call_id": "0", "tool_name": name, "parameters": dict(args)}, ensure_ascii=False)
MINICPM = tags('<function name="%s">', '<param name="%s"><![CDATA[%s]]></param>', "</function>")


def k3(name, args):
    body = "".join(
        f'<|open|>argument key="{k}" type="{"string" if isinstance(v, str) else "any"}"<|sep|>{plain(v)}'
        "<|close|>argument<|sep|>" for k, v in args)
    return f'<|open|>call tool="{name}" index="1"<|sep|>{body}<|close|>call<|sep|>'


def gemma(value):
    """An argument as Gemma 4 writes it."""
    if isinstance(value, str):
        return f'<|"|>{value}<|"|>'
    if isinstance(value, dict):
        return "{" + ",".join(f"{k}:{gemma(v)}" for k, v in value.items()) + "}"
    return "[" + ",".join(map(gemma, value)) + "]" if isinstance(value, list) else json.dumps(value)


GEMMA = lambda name, args: f"call:{name}{gemma(dict(args))}"

# How each family writes one call, and several.
FORMATS = {
    "apertus2509": (lambda n, a: json.dumps({n: dict(a)}, ensure_ascii=False), around("<|tools_prefix|>[", "]<|tools_suffix|>", ", ")),
    "cohere_command4": (COHERE, around("<|START_ACTION|>[", "]<|END_ACTION|>", ", ")),
    "deepseekv3": (V3, DEEPSEEK),
    "deepseekv31": (V31, DEEPSEEK),
    "deepseekv32": (dsml("DSML"), around("<｜DSML｜function_calls>\n", "</｜DSML｜function_calls>")),
    "dots": (INVOKE, around("<dots_function_call>\n", "</dots_function_call>")),
    "gemma4": (GEMMA, each("<|tool_call>", "<tool_call|>", "")),
    "gigachat35": (dsml("GCML"), around("<｜GCML｜tool_calls>\n", "</｜GCML｜tool_calls>")),
    "glm45": (GLM, each("<tool_call>", "</tool_call>")),
    "glm47": (GLM47, each("<tool_call>", "</tool_call>", "")),
    "gpt-oss": (HARMONY, around("", "")),
    "hermes": (one((",", ":")), each("<tool_call>", "</tool_call>")),
    "hunyuan": (
        tags("<tool_call>%s<tool_sep>\n", "<arg_key>%s</arg_key>\n<arg_value>%s</arg_value>\n", "</tool_call>\n"),
        around("<tool_calls>\n", "</tool_calls>")),
    "interns1": (one(), each("<|action_start|> <|plugin|>\n", "<|action_end|>")),
    "iquest_q1": (GLM47, each("<iquest_tool_call>", "</iquest_tool_call>")),
    "kimi_k2": (KIMI, lambda calls: "<|tool_calls_section_begin|>" + "".join(f"<|tool_call_begin|>{c}<|tool_call_end|>" for c in calls) + "<|tool_calls_section_end|>"),
    "kimi_k3": (k3, around("<|open|>tools<|sep|>", "<|close|>tools<|sep|>")),
    "lfm2": (PYTHON, around("<|tool_call_start|>[", "]<|tool_call_end|>", ", ")),
    "ling3": (GLM47, each("<tool_call>", "</tool_call>")),
    "llama3": (one(), around("<|python_tag|>", "", ";")),
    "mimo": (tags("<function=%s>", "<parameter=%s>%s</parameter>", "</function>"), each("<tool_call>\n", "\n</tool_call>")),
    "minicpm5": (MINICPM, around("", "", "\n")),
    "minimax-m2": (INVOKE, around("<minimax:tool_call>\n", "</minimax:tool_call>")),
    "mistral": (one(), around("[TOOL_CALLS] [", "]", ", ")),
    "poolside_v1": (GLM, each("<tool_call>", "</tool_call>")),
    "pythonic": (PYTHON, around("[", "]", ", ")),
    "qwen": (one(), each("<tool_call>\n", "\n</tool_call>")),
    "qwen3_coder": (CODER, each("<tool_call>\n", "\n</tool_call>")),
    "step3": (STEP3, lambda calls: "<｜tool_calls_begin｜>" + "".join(f"<｜tool_call_begin｜>{c}<｜tool_call_end｜>" for c in calls) + "<｜tool_calls_end｜>"),
    "trinity": (one(), each("<tool_call>\n", "\n</tool_call>")),
}

# What only one family has.
SPECIAL = {
    "qwen": [
        '<tool_call>\n{"name": "add", "arguments": {"a": 1}}',
        '<tool_call>\n{"name": "add", "arguments": {"a": }}\n</tool_call>\n<tool_call>\n{"name": "ping"}\n</tool_call>',
        '<tool_call>\n[{"name": "add", "parameters": {"a": 1}}, {"name": "ping"}]\n</tool_call>',
        '<tool_call>{"name": "add", "arguments": {"a": 1}}</tool_call>',
        '<tool_call>\n{"arguments": {"a": 1}, "name": "add"}\n</tool_call>',
        '<tool_call>\n{"name": "add", "arguments": {}, "parameters": {"b": "\\u00fc\\ud83e\\udd99\\/"}}\n</tool_call>',
        '<tool_call>\n{"name": "add", "arguments": "text", "id": 5}\n</tool_call>',
        '<tool_call>\n{"name": "add", "arguments": [1.0, 1e3, -0, 1E-7, 12345678901234567890, 1e400, NaN, true]}\n</tool_call>',
        "a <tool_call> b",
        '<tool_call>\n{"name": "add", "arguments": null}\n</tool_call>',
    ],
    "hermes": [
        '<tool_call>{"name":"add","arguments":{"a":1}}',
        'x <tool_call>[{"name":"add","arguments":{"a":1}},{"name":"ping"}]</tool_call> y',
        'x <tool_call>{"name":"add","arguments":{"a":}}</tool_call> y',
        "x <tool_call></tool_call> y",
        'x <tool_call>{"name":"add"',
    ],
    "llama3": [
        '{"name": "add", "parameters": {"a": 1}}',
        '<|python_tag|>{"name": "add", "parameters": {"a": 1}}; {"name": "add", "parameters": {"a": 2}}',
        "<|python_tag|>{'name': 'add', 'parameters': {'a': True, 'b': None}}; rest",
        '<|python_tag|>{"name": oops}; {"name": "add", "parameters": {"a": 2}}',
        '{"answer": 42}',
        '{"name": "add", "parameters": {"a": 1}',
        'Hi <|python_tag|>{"name": "add", "parameters": {"a": 1}} and more',
    ],
    "mistral": [
        '[TOOL_CALLS]add[ARGS]{"a": 1}',
        'Hi. [TOOL_CALLS]add[ARGS]{"a": 1}[TOOL_CALLS]ping[ARGS]{} bye',
        '[TOOL_CALLSadd[ARGS{"a": 1}',
        '[TOOL_CALLS]nope[ARGS]{"a": 1}',
        '[TOOL_CALLS] add [ARGS] {"a": "]}"}',
        '[TOOL_CALLS] [{"name": "add", "arguments": {"a": [1, 2]}}] done',
        '[TOOL_CALLS] [{"name": "add", "arguments": {"a": 1}',
        "[TOOL_CALLS]add",
    ],
    "qwen3_coder": [
        "<tool_call>\n<function=add>\n<parameter=a>\n1\n</parameter>\n<parameter=note>\nnull\n</parameter>\n</function>\n</tool_call>",
        "<tool_call>\n<function=add>\n<parameter=a>1\n<parameter=b>2</function>\n</tool_call>",
        "<tool_call>\n<function=add>\n<parameter=a>\nx\n</parameter>\n<parameter=zz>\n 1\n\n</parameter>\n</function>\n</tool_call> after",
        "  before \n<tool_call>\n<function=add>\n<parameter=a>\n1",
        "<tool_call>\n<function=get_weather>\n<parameter=days>\n3\n</parameter>\n<parameter=deep>\n{'x': (1, 2)}\n</parameter>\n<parameter=ok>\nTrue\n</parameter>\n<parameter=tags>\n[1,2]\n</parameter>\n<parameter=maybe>\nmany\n</parameter>\n<parameter=free>\n007\n</parameter></function></tool_call>",
        "<function=ping></function>",
    ],
    "deepseekv3": [
        "Hi <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>add\n```json\n{\"a\":}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        "Hi <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>add\n```json\n{\"a\": 1}",
        "Use ```json\n{}\n``` so.",
    ],
    "deepseekv31": [
        "Hi <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>add<｜tool▁sep｜>{\"a\":1}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        "Hi <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>add<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    ],
    "deepseekv32": [
        'Hi.\n\n<｜DSML｜function_calls>\n<｜DSML｜invoke name="add">\n{ "a": 1 }\n</｜DSML｜invoke>\n</｜DSML｜function_calls>',
        '<｜DSML｜function_calls><｜DSML｜invoke name="ping"/></｜DSML｜function_calls>',
        '<｜DSML｜function_calls><｜DSML｜invoke name="add"><｜DSML｜parameter name="a">1</｜DSML｜parameter></｜DSML｜invoke></｜DSML｜function_calls>',
    ],
    "pythonic": [
        '[add(a=1, b="x"), ping()]',
        "See [1] and [add(a=1)] and [ping()].",
        "[add(a=1+1), add(a=2)]",
        '<|python_start|>[get_weather(city="a]b", deep={"k": [1, None, True]})]<|python_end|>',
        "[add(a=1]",
        "[add(1)]",
        "a [b] c",
    ],
    "gpt-oss": [
        '<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>commentary to=functions.add <|constrain|>json<|message|>{"a": 1}<|call|>',
        "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>",
        '<|start|>assistant<|channel|>commentary<|message|>I look.<|end|><|start|>assistant<|channel|>commentary to=functions.add<|constrain|>json<|message|>{"a":}<|call|>',
        "plain words",
    ],
    "kimi_k2": [
        '<|tool_calls_section_begin|><|tool_call_begin|>3<|tool_call_argument_begin|>{"city": "Oslo"}<|tool_call_end|><|tool_calls_section_end|>',
        'Hi <|tool_calls_section_begin|> <|tool_call_begin|> add:12 <|tool_call_argument_begin|> {"a":1} <|tool_call_end|> <|tool_calls_section_end|> bye',
        "<|tool_calls_section_begin|><|tool_call_begin|>oops<|tool_call_argument_begin|>{}<|tool_call_end|>",
    ],
    "kimi_k3": [
        '<|open|>response<|sep|>Hi &amp;.<|close|>response<|sep|><|open|>tools<|sep|><|open|>call index="1" tool="add"<|sep|>'
        '<|open|>argument key="a &amp; &quot;b&quot;" type="number"<|sep|>{<|close|>argument<|sep|><|close|>call<|sep|>',
        "<|open|>response<|sep|>Hi.<|close|>response<|sep|><|close|>message<|sep|>",
        "Hi.<|close|>response",
        "Hi.<|open|>",
        '<|open|>tools<|sep|><|open|>call tool=""<|sep|><|close|>call<|sep|><|open|>callx tool="ping"<|sep|><|close|>call<|sep|>',
    ],
    "gemma4": [
        "<|tool_call>call:ping{}<tool_call|>",
        "Hi <|tool_call>call:add{ a : 1 , note:bare word,b:-2.50}<tool_call|> bye",
        "Hi <|tool_call>add(1)<tool_call|> bye",
        'x <|tool_call>call:get_weather{deep:{x:{},y:[[1,<|"|>a<|"|>],{z:true}]},tags:[1.5,<|"|>]}<|"|>, w ]}<tool_call|>',
        '<|tool_call>call:add{note:<|"|>open',
        '<|tool_call>call:add{a:1}<tool_call|><|tool_call>call:add{a:',
        "<|tool_call>call:add{note:,a:1,b:}<tool_call|>",
    ],
    "glm45": [
        "Hi <tool_call>add\\n<arg_key>a</arg_key>\\n<arg_value>1</arg_value>\\n</tool_call> bye",
        "<tool_call>add\n<arg_key>note</arg_key><arg_value>[1]</arg_value><arg_key>b</arg_key><arg_value>\"3\"</arg_value></tool_call>",
        "<tool_call>ping</tool_call>",
        "<tool_call>add\n<arg_key>a</arg_key>",
    ],
    "glm47": [
        "Hi <tool_call>ping</tool_call> bye",
        "<tool_call>add<arg_key>note</arg_key><arg_value>[1]</arg_value><arg_key>b</arg_key><arg_value>\"3\"</arg_value></tool_call>",
        "a <tool_call>add<arg_key>a</arg_key>",
    ],
    "minimax-m2": ["a <minimax:tool_call>\n<invoke name=\"ping\">\n</invoke>\n</minimax:tool_call> b", "a <minimax:tool_call> b"],
    "mimo": ["a <tool_call>\n<function=nope>\n</function>\n</tool_call> b", "<tool_call>\n<function=add><parameter=note>a &lt;b&gt; &amp;amp; &#252;</parameter></function>\n</tool_call>"],
    "step3": ["a <｜tool_calls_begin｜>x", "a <｜tool_calls_begin｜> <｜tool_calls_end｜> b"],
    "apertus2509": ["a <|tools_prefix|>[1, {\"add\": null}]<|tools_suffix|> b", "a <|tools_prefix|>[{]<|tools_suffix|> b"],
    "iquest_q1": ["a <iquest_tool_call>junk <b></iquest_tool_call> c", "a <iquest_tool_call>add x<arg_key>a</arg_key><arg_value>1</arg_value></iquest_tool_call>"],
    "lfm2": ['a <|tool_call_start|>[{"name": "add", "arguments": {"a": 1}}]<|tool_call_end|> b', "<|tool_call_start|>add(a=-1)<|tool_call_end|>"],
    "trinity": ['<think>x <tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call></think>'],
    "minicpm5": ['a <function name="add"><param name="a">1 &amp; 2</param></function> b <function name="add"><param name="zz">1</param></function>'],
}

THINK = [
    "<think>a</think>b", "a</think>\n\nb", "cut off here", "<think><think>a</think>b</think>c", "x <think>a</think>b",
    "<think>plan <tool_call>\n{}\n</tool_call>", "plan <tool_call>x</think>y", "", "<think>", "</think>", "<think>a</thi",
    "\n<think>\na ü🦙\n</think>\n\nb",
]
REASONING = {
    "deepseek-r1": THINK, "deepseek-v3": THINK, "deepseek-v4": THINK, "glm45": THINK, "qwen3": THINK,
    "qwen3-thinking": THINK, "minimax": THINK, "mimo": THINK, "nemotron_3": THINK, "ling3": THINK, "hunyuan": THINK,
    "granite_thinking_parser": THINK, "minimax-append-think": THINK, "iquest_q1": THINK, "step3": THINK,
    "kimi_k2": THINK + ["<think>a<|tool_calls_section_begin|>b"],
    "kimi_k3": [
        "a<|close|>think<|sep|><|open|>response<|sep|>b<|close|>response<|sep|><|close|>message<|sep|>",
        "<|open|>think<|sep|>a<|close|>think<|sep|><|open|>response<|sep|>b",
        "a<|close|>think<|sep|>b<|open|>tools<|sep|><|close|>response<|sep|>", "a<|open|>tools<|sep|>b<|close|>think<|sep|>",
        "a<|close|>thi", "a<|close|>", "a", "b<|close|>response<|sep|><|close|>message<|sep|>",
        "<|open|>response<|sep|>b<|close|>resp", "a<|close|>think<|sep|>b<|open|>tools",
    ],
    "kimi": ["◁think▷a◁/think▷b", "a◁/think▷b", "plain", "◁think▷a"],
    "minimax-m3": ["<mm:think>a</mm:think>b", "</mm:think>b", " </mm:think>b", "plain", "<mm:think>a"],
    "mistral": ["[THINK]a[/THINK]b", "plain", "[THINK]a"],
    "gemma4": ["<|channel>thought\na<channel|>b", "plain", "<|channel>thought\na", "<|channel>x<channel|>y"],
    "k2_horizon": ["a</ifm|think>b", "<ifm|think>a</ifm|think>b", "a<ifm|tool_calls>b", "a"],
    "apertus2509": [
        "x<|inner_prefix|>a<|inner_suffix|>b<|inner_prefix|>c<|inner_suffix|>d", "plain", "<|inner_prefix|>a",
        "<|inner_prefix|>a<|tools_prefix|>[1]<|tools_suffix|>b<|inner_suffix|>c",
    ],
    "cohere_command4": [
        "a<|END_THINKING|><|START_TEXT|>b<|END_TEXT|>", "<|START_THINKING|>a<|END_THINKING|><|START_ACTION|>[]<|END_ACTION|>",
        "<|START_TEXT|>b<|END_TEXT|>", "cut", "a<|END_THINKING|>", "a<|END_THINKING|><|START_TEXT|>b",
    ],
    "gpt-oss": [
        "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b<|return|>",
        "<|channel|>analysis<|message|>a",
        '<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>',
        "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary<|message|>c<|end|><|start|>assistant<|channel|>final<|message|>b",
        "analysisWe think.assistantfinalHello", "assistantfinalHello",
    ],
}


def tool(definition):
    return Tool(type="function", function={"description": "", **definition})


def call(text, parser):
    try:
        content, calls = FunctionCallParser([tool(t) for t in TOOLS], parser).parse_non_stream(text)
        return {"content": content, "calls": [[c.tool_index, c.name, c.parameters] for c in calls]}
    except Exception as error:
        return {"raised": type(error).__name__}


def reason(text, parser, forced):
    try:
        reasoning, content = ReasoningParser(parser, True, forced).parse_non_stream(text)
        return {"reasoning": reasoning, "content": content}
    except Exception as error:
        return {"raised": type(error).__name__}


def answers(parser):
    write, join = FORMATS[parser]
    calls = [write(name, args) for name, args in ARGUMENTS]
    for text in [join([c]) for c in calls] + [join(calls[1:3]), join(calls)]:
        yield text
    yield "Sure, ü🦙.\n" + join(calls[1:2])
    yield " Sure.\n\n" + join(calls[1:2]) + "\n Done. "
    yield join(calls[1:2]) + " and " + join(calls[3:4])
    yield "Nothing to call: <b> [x] {y} \\n.\n"
    yield join(calls[1:2])[:-3]
    yield join(calls[1:2])[: len(join(calls[1:2])) // 2]
    yield from SPECIAL.get(parser, [])


def mutated(text, dice):
    place, end = sorted(dice.randrange(len(text) + 1) for _ in range(2))
    kind = dice.randrange(3)
    if kind == 0:
        return text[:place] + text[min(end, place + 8):]
    if kind == 1:
        return text[:end] + text[place:]
    return text[:place] + dice.choice(['"', "}", "{", "<", ">", "\n", " ", "]", "\\", "x", ",", "1"]) + text[place:]


def main():
    dice = random.Random(1)
    mutations = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    tools = {}
    for parser in FORMATS:
        texts = list(answers(parser))
        texts += [mutated(t, dice) for t in texts for _ in range(mutations) if t]
        tools[parser] = [{"text": t, **call(t, parser)} for t in dict.fromkeys(texts)]
    reasoning = {}
    for parser, texts in REASONING.items():
        texts = texts + [mutated(t, dice) for t in texts for _ in range(mutations) if t]
        reasoning[parser] = [
            {"text": t, "forced": f, **reason(t, parser, f)} for t in dict.fromkeys(texts) for f in (None, True, False)]
    goldens = {"tools": TOOLS, "calls": tools, "reasoning": reasoning}
    lines = json.dumps(goldens, ensure_ascii=False, indent=None, separators=(",", ":")).replace('},{"text"', '},\n{"text"')
    pathlib.Path(sys.argv[2]).write_text(lines + "\n")


main()
