#!/usr/bin/env python3
"""Compares srt with llama.cpp, OpenVINO and vLLM: the same work in turn, so that all see the same machine.

usage: compare.py --srt PATH [--cache FOLDER] [--engines NAMES] [--models NAMES] [--kinds NAMES] [--workloads NAMES]
                  [--rounds N] [--threads N] [--wrap COMMAND] [--json FILE]

Workloads (random ids as prompts, greedy, end of text ignored):
    decode    1 x (128 + 128): tokens after the first over their time, tokens/s
    prefill   512 tokens, one at a time: 512 / median time to the first token, tokens/s
    serving   16 x (128 + 64) at once: output tokens/s, mean time to first token, 99th percentile of times between tokens, ms
    prefix    16 x (1024 shared + 32 own + 32 new) at once, with a cold prefix cache and again: seconds

Kinds: bf16, int8 and int4 weights. llama.cpp has BF16, Q8_0 and Q4_0 for them, OpenVINO fp16, int8 and int4 (computed in
what it chooses for this machine), srt and vLLM what is in ENGINES below; an engine without a kind is left out.

Servers are driven by `srt bench serving` on the same cores; OpenVINO has no server and runs in its own process, without
HTTP. Before each figure the read bandwidth is measured, and the median of a figure's probes is printed beside it.
"""

import argparse
import json
import os
import shlex
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
WORKLOADS = {
    "decode": [["--num-prompts", "1", "--input-len", "128", "--output-len", "128"]],
    "prefill": [["--num-prompts", "3", "--max-concurrency", "1", "--input-len", "512", "--output-len", "1"]],
    "serving": [["--num-prompts", "16", "--input-len", "128", "--output-len", "64"]],
    # The same shared prefix twice, behind it prompts of their own.
    "prefix": [["--num-prompts", "16", "--shared-prefix-len", "1024", "--input-len", "32", "--output-len", "32"]] * 2,
}
FIGURES = {"decode": "tok/s", "prefill": "tok/s", "serving": "tok/s", "ttft": "ms", "itl_p99": "ms", "prefix_cold": "s",
           "prefix_warm": "s"}


class Engine:
    """A server that is started for one workload and stopped after it."""

    api = "openai"

    def __init__(self, options):
        self.options = options

    def command(self, model, kind, port):
        """The command line of the server, or None when it lacks the kind or is not installed."""
        raise NotImplementedError

    def environment(self):
        return {}

    def measure(self, model, kind, workload):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with tempfile.TemporaryFile() as log:
            server = subprocess.Popen(
                self.command(model, kind, port), stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, **self.environment()})
            try:
                self.wait_until_ready(server, port, log)
                return self.drive(workload, port)
            finally:
                self.stop(server)

    def wait_until_ready(self, server, port, log):
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and server.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", port), 1) as connection:
                    connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
                    if b" 200 " in connection.recv(64):
                        return
            except OSError:
                pass
            time.sleep(0.2)
        log.seek(0)
        raise RuntimeError("the server does not start:\n" + log.read()[-2000:].decode(errors="replace"))

    def stop(self, server):
        for sign in (signal.SIGTERM, signal.SIGKILL):
            if server.poll() is None:
                os.killpg(server.pid, sign)
                try:
                    server.wait(15)
                except subprocess.TimeoutExpired:
                    continue

    def drive(self, workload, port):
        results = []
        for index, arguments in enumerate(WORKLOADS[workload]):
            with tempfile.NamedTemporaryFile(suffix=".json") as out:
                command = [self.options.srt, "bench", "serving", "--url", f"http://127.0.0.1:{port}", "--api", self.api,
                           "--model", "peer", "--json", out.name, "--warmup-requests", "1" if index == 0 else "0"]
                subprocess.run(self.options.wrap + command + arguments, check=True, stdout=subprocess.DEVNULL)
                results.append(json.load(open(out.name)))
        if workload == "decode":
            # Tokens over time, since some servers send several tokens in one frame.
            request = results[0]["requests"][0]
            return {"decode": (request["output_tokens"] - 1) / (request["e2e_s"] - request["ttft_s"])}
        if workload == "prefill":
            return {"prefill": 512e3 / results[0]["ttft_ms"]["p50"]}
        if workload == "serving":
            return {"serving": results[0]["output_tokens_per_second"], "ttft": results[0]["ttft_ms"]["mean"],
                    "itl_p99": results[0]["itl_ms"]["p99"]}
        return {"prefix_cold": results[0]["duration_s"], "prefix_warm": results[1]["duration_s"]}


class Srt(Engine):
    api = "native"
    flags = {"bf16": [], "int8": ["--quantization", "w8a8_int8"], "int4": ["--quantization", "int4"]}

    def command(self, model, kind, port):
        if kind != "bf16":
            help_text = subprocess.run([self.options.srt, "launch_server", "--help"], capture_output=True, text=True)
            if self.flags[kind][1] not in help_text.stdout:
                return None
        return [self.options.srt, "launch_server", "--model-path", os.path.join(self.options.cache, "models", model),
                "--dtype", "bfloat16", "--port", str(port), "--log-level", "error",
                "--cpu-threads-per-rank", str(self.options.threads), *self.flags[kind]]


class LlamaCpp(Engine):
    kinds = {"bf16": "bf16", "int8": "Q8_0", "int4": "Q4_0"}

    def command(self, model, kind, port):
        binary = os.path.join(self.options.cache, "src/llama.cpp/build/bin/llama-server")
        file = os.path.join(self.options.cache, "models", f"{model}-{self.kinds[kind]}.gguf")
        if not os.path.exists(binary) or not os.path.exists(file):
            return None
        threads = str(self.options.threads)
        return [binary, "-m", file, "-t", threads, "-tb", threads, "-np", "16", "-c", "24576", "-b", "2048", "-ub", "512",
                "--cache-reuse", "256", "--port", str(port)]


class VLLM(Engine):
    def command(self, model, kind, port):
        binary = os.path.join(self.options.cache, "vllm/bin/vllm")
        if not os.path.exists(binary) or kind != "bf16":
            return None
        return [binary, "serve", os.path.join(self.options.cache, "models", model), "--served-model-name", "peer",
                "--dtype", "bfloat16", "--max-model-len", "2048", "--max-num-seqs", "16",
                "--max-num-batched-tokens", "2048", "--port", str(port)]

    def environment(self):
        return {"VLLM_CPU_KVCACHE_SPACE": "2", "VLLM_CPU_OMP_THREADS_BIND": f"0-{self.options.threads - 1}"}


class OpenVINO(Engine):
    kinds = {"bf16": "fp16", "int8": "int8", "int4": "int4"}

    def command(self, model, kind, workload):
        python = os.path.join(self.options.cache, "openvino/bin/python")
        folder = os.path.join(self.options.cache, "models", f"{model}-openvino-{self.kinds[kind]}")
        if not os.path.exists(python) or not os.path.isdir(folder):
            return None
        return [python, os.path.join(HERE, "run_openvino.py"), folder, str(self.options.threads), workload]

    def measure(self, model, kind, workload):
        command = self.options.wrap + self.command(model, kind, workload)
        result = subprocess.run(command, check=True, capture_output=True, text=True)
        return json.loads(result.stdout.splitlines()[-1])


ENGINES = {"srt": Srt, "llama.cpp": LlamaCpp, "openvino": OpenVINO, "vllm": VLLM}


def bandwidth(options):
    command = options.wrap + [options.srt, "bench", "machine", "--json", "--threads", str(options.threads)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(result.stdout)["read_gb_per_second"]


def run_rounds(options):
    """Figures by (model, kind, figure) and engine, each a list of (value, bandwidth before it)."""
    table = {}
    for number in range(options.rounds):
        for model in options.models:
            for kind in options.kinds:
                for workload in options.workloads:
                    for name in options.engines:
                        engine = ENGINES[name](options)
                        if engine.command(model, kind, 0) is None:
                            continue
                        probe = bandwidth(options)
                        try:
                            figures = engine.measure(model, kind, workload)
                        except (RuntimeError, subprocess.CalledProcessError) as error:
                            print(f"{name} {model} {kind} {workload}: {error}", file=sys.stderr, flush=True)
                            continue
                        for figure, value in figures.items():
                            table.setdefault((model, kind, figure), {}).setdefault(name, []).append((value, probe))
                            print(f"round {number + 1} {model} {kind} {figure} {name} {value:.2f} {FIGURES[figure]}"
                                  f" (reads {probe:.1f} GB/s)", file=sys.stderr, flush=True)
    return table


def print_table(table):
    print("| model | kind | figure | engine | median | samples | srt is better by | reads GB/s |")
    print("|---|---|---|---|---|---|---|---|")
    for (model, kind, figure), engines in table.items():
        medians = {name: statistics.median(value for value, _ in samples) for name, samples in engines.items()}
        for name, samples in engines.items():
            ratio = ""
            if "srt" in medians and name != "srt":
                higher_is_better = FIGURES[figure] == "tok/s"
                quotient = medians["srt"] / medians[name]
                ratio = f"{quotient if higher_is_better else 1 / quotient:.2f}"
            values = " ".join(f"{value:.1f}" for value, _ in samples)
            probe = statistics.median(probe for _, probe in samples)
            print(f"| {model} | {kind} | {figure}, {FIGURES[figure]} | {name} | {medians[name]:.1f} | {values} | {ratio} |"
                  f" {probe:.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default_cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "srt/peers")
    names = lambda text: text.split(",")
    parser.add_argument("--srt", required=True, help="the binary to compare")
    parser.add_argument("--cache", default=default_cache)
    parser.add_argument("--engines", type=names, default=list(ENGINES))
    parser.add_argument("--models", type=names, default=["smollm2-135m", "qwen2.5-0.5b"])
    parser.add_argument("--kinds", type=names, default=["bf16", "int8", "int4"])
    parser.add_argument("--workloads", type=names, default=list(WORKLOADS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--wrap", type=shlex.split, default=[], help="command that each measurement runs through")
    parser.add_argument("--json", help="file for all samples")
    options = parser.parse_args()
    # So that a server under way is stopped when this is.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options.srt = os.path.abspath(options.srt)
    table = run_rounds(options)
    if options.json:
        rows = [{"model": m, "kind": k, "figure": f, "engine": e, "samples": s}
                for (m, k, f), engines in table.items() for e, s in engines.items()]
        with open(options.json, "w") as file:
            json.dump(rows, file, indent=1)
    print_table(table)


if __name__ == "__main__":
    main()
