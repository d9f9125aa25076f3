#!/usr/bin/env python3
"""Compares what structured output costs srt and llama.cpp: 16 streams with and without a JSON Schema, in turn on one machine.

usage: compare_grammar.py --srt PATH --model FILE.gguf [--llama PYTHON] [--rounds N] [--tokens N] [--json FILE]

`--llama` is a Python with the package xllamacpp (`pip install xllamacpp`), which brings llama.cpp's server; without it srt is
measured alone. Of each engine (srt twice, the second time with --disable-jump-forward):

    free    any text
    bound   an array of strings: nearly every token is a choice, and every token has its mask
    keys    an array of objects with long fixed keys: most of the text must come

Sampled at temperature 0.7, every answer cut at so many tokens. Figures are medians of the rounds: tokens a second of all streams
from the first token of all to the last, mean time to the first token, and both beside those of the same engine's free text. The
first round of each warms caches and does not count. Also told: the time to the first token of a schema of 100 properties that was
never seen before, against that of free text.
"""

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

STREAMS = 16
LONG = ["name_of_the_keeper_of_the_lighthouse", "number_of_lamps_that_burn_tonight", "height_of_the_water_in_centimetres",
        "remarks_of_the_keeper_about_the_weather"]
SCHEMAS = {
    "free": None,
    "bound": {"type": "array", "items": {"type": "string", "minLength": 20}, "minItems": 500},
    "keys": {"type": "array", "minItems": 500, "items": {
        "type": "object", "required": LONG, "additionalProperties": False,
        "properties": {key: {"type": "integer", "minimum": 0, "maximum": 99} if index in (1, 2)
                       else {"enum": ["storm", "rain", "fog", "sun"]} for index, key in enumerate(LONG)}}},
}
LLAMA = """
import sys, time, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.n_parallel, params.n_ctx, params.port = sys.argv[1], %d, %d * 1024, int(sys.argv[2])
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = %d
server = xllamacpp.Server(params)
while True: time.sleep(1)
"""


class Engine:
    """A server that runs through all rounds; idle it takes no processor time."""

    def __init__(self, name, command, body):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.name, self.body = name, body
        self.log = tempfile.TemporaryFile()
        self.server = subprocess.Popen(command(self.port), stdout=self.log, stderr=self.log, start_new_session=True)

    def wait(self):
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and self.server.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2).close()
                return
            except OSError:
                time.sleep(0.3)
        self.log.seek(0)
        sys.exit(f"{self.name} did not start:\n{self.log.read().decode(errors='replace')[-2000:]}")

    def stop(self):
        if self.server.poll() is None:
            os.killpg(self.server.pid, signal.SIGTERM)
            self.server.wait(60)

    def stream(self, index, schema, tokens, result):
        path, body = self.body(index, schema, tokens)
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode(),
                                         {"content-type": "application/json"})
        began = time.monotonic()
        first, count, last = None, 0, began
        with urllib.request.urlopen(request, timeout=600) as answer:
            for line in answer:
                if not line.startswith(b"data: {"):
                    continue
                event = json.loads(line[6:])
                last = time.monotonic()
                told = event.get("meta_info", {}).get("completion_tokens") or event.get("tokens_predicted")
                count = told if told else count
                if first is None and (event.get("text") or event.get("content")):
                    first = last
        result[index] = (began, first or last, last, count)

    def measure(self, schema, tokens, streams=STREAMS):
        result = [None] * streams
        crew = [threading.Thread(target=self.stream, args=(i, schema, tokens, result)) for i in range(streams)]
        for one in crew:
            one.start()
        for one in crew:
            one.join()
        if None in result:
            sys.exit(f"{self.name}: a stream failed")
        begin, end = min(r[1] for r in result), max(r[2] for r in result)
        return {"tokens_per_second": sum(r[3] for r in result) / (end - begin),
                "ttft_ms": statistics.mean(r[1] - r[0] for r in result) * 1000,
                "tokens": sum(r[3] for r in result)}


def prompt(index):
    return f"Page {index} of the book that the keeper of the lighthouse writes, as JSON: "


def srt_body(index, schema, tokens):
    sampling = {"max_new_tokens": tokens, "temperature": 0.7, "ignore_eos": True, "sampling_seed": index}
    if schema:
        sampling["json_schema"] = json.dumps(schema)
    return "/generate", {"text": prompt(index), "sampling_params": sampling, "stream": True}


def llama_body(index, schema, tokens):
    body = {"prompt": prompt(index), "n_predict": tokens, "temperature": 0.7, "seed": index, "stream": True,
            "ignore_eos": True, "top_k": 0, "top_p": 1, "min_p": 0, "cache_prompt": True}
    if schema:
        body["json_schema"] = schema
    return "/completion", body


def unseen(number):
    """A schema of 100 properties that no cache knows."""
    kinds = [{"type": "string"}, {"type": "integer"}, {"type": "boolean"}, {"enum": ["a", "b"]}]
    names = [f"property_{number}_{index}" for index in range(100)]
    return {"type": "object", "properties": {name: kinds[index % 4] for index, name in enumerate(names)},
            "required": names, "additionalProperties": False}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--srt", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--llama")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--json")
    options = parser.parse_args()

    def srt(*flags):
        return lambda port: [options.srt, "launch_server", "--model-path", options.model, "--host", "127.0.0.1",
                             "--port", str(port), "--log-level", "warning", *flags]

    engines = [Engine("srt", srt(), srt_body), Engine("srt, each asked", srt("--disable-jump-forward"), srt_body)]
    if options.llama:
        code = LLAMA % (STREAMS, STREAMS, os.cpu_count() or 1)
        engines.append(Engine("llama.cpp", lambda port: [options.llama, "-c", code, options.model, str(port)], llama_body))
    figures = {}
    try:
        for engine in engines:
            engine.wait()
        for number in range(options.rounds + 1):
            for kind, schema in SCHEMAS.items():
                for engine in engines:
                    figure = engine.measure(schema, options.tokens)
                    if number:
                        figures.setdefault(engine.name, {}).setdefault(kind, []).append(figure)
        for engine in engines:
            firsts = [(engine.measure(None, 4, 1)["ttft_ms"], engine.measure(unseen(number), 4, 1)["ttft_ms"])
                      for number in range(5)]
            figures[engine.name]["unseen"] = [statistics.median(f[1] for f in firsts) - statistics.median(f[0] for f in firsts)]
    finally:
        for engine in engines:
            engine.stop()
    print(f"{'':18}{'':8}{'tok/s':>9}{'x free':>8}{'TTFT ms':>9}   load {os.getloadavg()[0]:.1f}")
    for name, kinds in figures.items():
        rates = {k: statistics.median(f["tokens_per_second"] for f in kinds[k]) for k in SCHEMAS}
        for kind in SCHEMAS:
            first = statistics.median(f["ttft_ms"] for f in kinds[kind])
            ratio = statistics.median(
                one["tokens_per_second"] / free["tokens_per_second"] for one, free in zip(kinds[kind], kinds["free"]))
            print(f"{name:18}{kind:8}{rates[kind]:9.1f}{ratio:8.2f}{first:9.1f}")
        print(f"{name:18}a new schema of 100 properties: first token {kinds['unseen'][0]:+.1f} ms")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(figures, file, indent=1)


if __name__ == "__main__":
    main()
