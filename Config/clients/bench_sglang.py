#!/usr/bin/env python3
"""SGLang's own bench_serving against a server: its modes for /generate, completions and chats.

bench_sglang.py WHEEL takes the benchmark out of a wheel of the package sglang without installing its hundred dependencies: what
these modes need of the rest is one constant. SRT names the binary, MODEL a model folder with a tokenizer (the tests' tiny one)."""
import glob
import json
import os
import subprocess
import sys
import tempfile
import zipfile

import server

MODEL = os.environ.get("MODEL", os.path.join(server.ROOT, "Tests/Fixtures/llama-tied"))
MODES = ["sglang", "sglang-oai", "sglang-oai-chat"]
PROMPTS = int(os.environ.get("PROMPTS", "32"))
STARTER = """
import importlib.machinery, sys, types
folder = sys.argv.pop(1)
def package(name, **members):
    module = types.ModuleType(name)
    module.__path__ = [folder + "/" + name.replace(".", "/")]
    module.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
    vars(module).update(members)
    sys.modules[name] = module
for name in ("sglang", "sglang.srt", "sglang.srt.disaggregation", "sglang.srt.utils"):
    package(name)
package("sglang.srt.disaggregation.utils", FAKE_BOOTSTRAP_HOST="2.2.2.2")
from sglang.benchmark.serving import cli_main
cli_main()
"""


def run(mode, folder, worker):
    """One mode of the benchmark; its summary."""
    out = os.path.join(folder, mode + ".jsonl")
    command = [
        sys.executable, "-c", STARTER, folder, "--backend", mode, "--host", "127.0.0.1", "--port", str(worker.port),
        "--model", MODEL, "--served-model-name", "m", "--tokenizer", MODEL, "--dataset-name", "random-ids",
        "--random-input-len", "48", "--random-output-len", "24", "--random-range-ratio", "0.5", "--num-prompts",
        str(PROMPTS), "--max-concurrency", "8", "--seed", "1", "--output-file", out, "--disable-tqdm"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=500)
    if ended.returncode or not os.path.exists(out):
        print(f"{mode}: FAILED: {ended.stdout[-1500:]}{ended.stderr[-1500:]}")
        return False
    with open(out) as file:
        told = json.loads(file.readlines()[-1])
    isComplete = told["completed"] == PROMPTS and told["total_output_tokens"] > 0
    print(f"{mode}: {told['completed']} of {PROMPTS} requests, {told['total_output_tokens']} tokens, "
          f"{told['output_throughput']:.0f} tokens/s, first token {told['median_ttft_ms']:.1f} ms, "
          f"between tokens {told['median_itl_ms']:.2f} ms")
    return isComplete


def main():
    wheel = sys.argv[1] if len(sys.argv) > 1 else max(glob.glob(os.path.join(server.CACHE, "clients/wheels/sglang-*.whl")))
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(wheel) as archive:
            parts = ("sglang/benchmark/", "sglang/srt/utils/network", "sglang/srt/environ", "sglang/bench_serving")
            archive.extractall(folder, [name for name in archive.namelist() if name.startswith(parts)])
        with server.serving(MODEL, "--served-model-name", "m") as worker:
            return [run(mode, folder, worker) for mode in MODES]


if __name__ == "__main__":
    sys.exit(0 if all(main()) else 1)
