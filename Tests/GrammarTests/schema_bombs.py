#!/usr/bin/env python3
"""Sends schemas that ask for too much while 16 streams go on: each has to be refused, and no stream may wait for it.

usage: schema_bombs.py SRT [--model MODEL] [--rounds 3] [--most-gap 100] [-- more flags of the server]

Prints each answer with its seconds, and the longest time between two frames of any stream before and during the bombs. Ends with 1 if a bomb
was not refused with 400, or a stream waited longer than --most-gap milliseconds. The figure means something on a quiet machine only.
"""

import argparse
import contextlib
import http.client
import json
import os
import sys
import threading
import time

sys.dont_write_bytecode = True  # nothing is left between the sources
from random_schemas import FIXTURES, Server


def bombs():
    """Names and requests."""
    nested = '{"items":' * 400 + "{}" + "}" * 400
    long = {"enum": [f"value {number}" for number in range(60_000)]}
    yield "deep nesting", {"json_schema": nested}
    yield "a huge enum", {"json_schema": json.dumps(long)}
    yield "an exponential pattern", {"json_schema": json.dumps({"properties": {"a": {"type": "string", "pattern": "^(a|b)*a(a|b){30}$"}}})}
    yield "an exponential regex", {"regex": "(a|b)*a(a|b){40}"}
    yield "repeated repetitions", {"regex": "((((a{100}){100}){100}){100})"}
    yield "one megabyte", {"json_schema": json.dumps({"pattern": "a" * (1 << 20)})}
    yield "a long string", {"json_schema": json.dumps({"type": "string", "maxLength": 900_000_000})}
    yield "recursion without base", {"json_schema": json.dumps(
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "required": ["a"]}}})}
    yield "a reference to itself", {"json_schema": '{"anyOf":[{"type":"null"},{"$ref":"#"}]}'}
    yield "alternatives of alternatives", {"json_schema": json.dumps(
        {"allOf": [{"anyOf": [{"required": [f"a{n}{m}"]} for m in range(8)]} for n in range(8)]})}
    yield "left recursion", {"ebnf": 'root ::= a\na ::= b\nb ::= a "x" | root "y"'}


class Stream(threading.Thread):
    """Reads frames without end, and notes the longest time between two."""

    def __init__(self, port, number):
        super().__init__(daemon=True)
        self.port, self.number = port, number
        self.frames, self.longest, self.is_over = 0, 0.0, False
        self.came = threading.Condition()

    def wait(self, count):
        """Waits for so many more frames."""
        with self.came:
            wanted = self.frames + count
            assert self.came.wait_for(lambda: self.frames >= wanted, 120), "a stream stands still"

    def run(self):
        while not self.is_over:
            try:
                self.read()
            except (OSError, http.client.HTTPException):
                if not self.is_over:
                    raise

    def read(self):
        """Reads one stream to its end; a longer one's steps alone would come to --most-gap."""
        sampling = {"max_new_tokens": 500, "ignore_eos": True, "temperature": 0}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        with contextlib.closing(connection):
            connection.request("POST", "/generate", json.dumps(
                {"text": f"Day {self.number}", "stream": True, "sampling_params": sampling}), {"Content-Type": "application/json"})
            answer, last = connection.getresponse(), None
            while line := answer.readline():
                if not line.startswith(b"data:"):
                    continue
                now = time.monotonic()
                if last is not None:
                    self.longest = max(self.longest, now - last)
                last = now
                with self.came:
                    self.frames += 1
                    self.came.notify_all()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("srt")
    parser.add_argument("--model", default=os.path.join(FIXTURES, "llama-tied"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--most-gap", type=float, default=100)
    parser.add_argument("flags", nargs="*")
    given = parser.parse_args()
    server = Server(given.srt, given.model, ["--incremental-streaming-output", *given.flags])
    failed = False
    streams = [Stream(server.port, number) for number in range(16)]
    try:
        for stream in streams:
            stream.start()
        for stream in streams:
            stream.wait(10)

        def longest():
            """The longest gap since this was asked last, in milliseconds."""
            gap = max(stream.longest for stream in streams) * 1000
            for stream in streams:
                stream.longest = 0.0
            return gap

        longest()
        for stream in streams:
            stream.wait(100)
        print(f"without bombs: longest gap {longest():.0f} ms")
        for number in range(given.rounds):
            for name, grammar in bombs():
                if "regex" in grammar:
                    # Another one each time, so that none is remembered.
                    grammar = {"regex": grammar["regex"] + str(number)}
                elif "json_schema" in grammar:
                    grammar = {"json_schema": grammar["json_schema"] + " " * number}
                began = time.monotonic()
                answer = server.post("/generate", {"text": "x", "sampling_params": {"max_new_tokens": 4, **grammar}})
                status = answer.status
                message = answer.json()["error"]["message"] if status != 200 else "taken"
                gap = longest()
                print(f"{name}: {status} in {time.monotonic() - began:.2f} s, longest gap {gap:.0f} ms: {message[:120]}")
                failed |= status != 400 or gap > given.most_gap
    finally:
        for stream in streams:
            stream.is_over = True
        server.end()
    sys.exit(failed)


if __name__ == "__main__":
    main()
