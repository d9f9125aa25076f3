"""What the case files share: the list of cases, and what a case is given."""
import json
import urllib.request
from dataclasses import dataclass, field

import echo_model

CASES = []


def case(function):
    """A function that takes a Bench and fails if a client does not get what it should."""
    CASES.append(function)
    return function


TOOL = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Adds two numbers.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
        },
    },
}
CALL = '<tool_call>\n{"name": "add", "arguments": {"a": 1, "b": 2}}\n</tool_call>'
QUESTION = [{"role": "user", "content": "Name the capital of France in a full sentence."}]


@dataclass
class Bench:
    """Two servers: one with a small real model, one that says what it is told, with parsers for tool calls and thoughts."""

    real: str
    echo: str
    name: str = "m"
    memory: dict = field(default_factory=dict)

    def post(self, url, body):
        request = urllib.request.Request(
            url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def saying(self, text):
        """A prompt that makes the echo model say a text."""
        text += "<|im_end|>"
        count = self.post(self.echo + "/tokenize", {"prompt": text, "add_special_tokens": False})["count"]
        assert count <= echo_model.PROMPT, "the text is too long"
        return text + "<|endoftext|>" * (echo_model.PROMPT - count)

    def told(self, text):
        """Messages that make the echo model say a text."""
        return [{"role": "user", "content": self.saying(text)}]


def equal(found, wanted):
    """Says both when they differ."""
    assert found == wanted, f"{found!r} is not {wanted!r}"


def raises(kind, function, text=""):
    """The error of a kind that a call ends with."""
    try:
        function()
    except kind as error:
        assert text in str(error), f"{error} does not say {text!r}"
        return error
    raise AssertionError(f"no {kind.__name__}")
