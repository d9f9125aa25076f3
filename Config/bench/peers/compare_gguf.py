#!/usr/bin/env python3
"""Compares srt with llama.cpp on GGUF files in their own bits, in turn, so that both see the same machine.

usage: compare_gguf.py --srt PATH [--rounds N] [--threads N] [--wrap COMMAND] FILE.gguf...

Decode is 64 steps behind 128 tokens, prefill 512 tokens, both of one sequence and without a server around it: srt by
`srt bench offline`, llama.cpp by the times that it reports, in a process of its own. Bandwidth is what srt measures right beside
its steps; the share of it is of the packed bytes that a step reads, and, in brackets, of the file's bytes without the table of
token vectors. Needs the packages gguf and xllamacpp, which has llama.cpp built (for AVX2).
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile

LLAMA = """
import json, sys
import xllamacpp
parameters = xllamacpp.CommonParams()
parameters.model.path = sys.argv[1]
parameters.n_ctx, parameters.n_batch, parameters.n_ubatch, parameters.n_parallel = 1024, 512, 512, 1
parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = int(sys.argv[2])
parameters.verbosity = 0
server = xllamacpp.Server(parameters)
def times(first, count, new):
    request = {"prompt": list(range(first, first + count)), "n_predict": new, "cache_prompt": False, "temperature": 0,
               "ignore_eos": True}
    return server.handle_completions(request)["timings"]
times(50, 32, 4)
print(json.dumps({"prefill": times(100, 512, 1)["prompt_per_second"],
                  "decode": times(700, 128, 64)["predicted_per_second"]}))
"""


def step_bytes(path):
    """Bytes of the file that a decode step reads."""
    from gguf import GGUFReader

    tensors = GGUFReader(path).tensors
    is_tied = all(tensor.name != "output.weight" for tensor in tensors)
    return sum(int(tensor.n_bytes) for tensor in tensors if is_tied or tensor.name != "token_embd.weight")


def run_srt(options, path):
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        subprocess.run(
            options.wrap + [options.srt, "bench", "offline", path, "--quantization", "gguf", "--batches", "1", "--contexts",
                            "128", "--sharers", "0", "--rounds", "3", "--steps", "64", "--threads", str(options.threads),
                            "--json", out.name], check=True, stdout=subprocess.DEVNULL)
        figures = json.load(open(out.name))[0]
    decode, bandwidth = figures["decode"][0], 1e9 * figures["read_gb_per_second"]
    return {"decode": decode["tokens_per_second"], "prefill": figures["prefill"]["tokens_per_second"],
            "bandwidth": bandwidth, "packed": decode["of_limit"],
            "file": decode["of_limit"] * step_bytes(path) / figures["weight_bytes"]}


def run_llama(options, path):
    command = options.wrap + [sys.executable, "-c", LLAMA, path, str(options.threads)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(result.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--srt", required=True, help="the binary to compare")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--wrap", type=shlex.split, default=[], help="command that each measurement runs through")
    options = parser.parse_args()
    print("| file | figure, tokens/s | srt | llama.cpp | srt is better by | of the bandwidth (file) | reads GB/s |")
    print("|---|---|---|---|---|---|---|")
    for path in options.files:
        pairs = [(run_srt(options, path), run_llama(options, path)) for _ in range(options.rounds)]
        for figure in ("decode", "prefill"):
            ours, theirs = ([pair[side][figure] for pair in pairs] for side in (0, 1))
            better = statistics.median(a / b for a, b in zip(ours, theirs))
            share = " ({:.0f} %)".format(100 * statistics.median(a["file"] for a, _ in pairs))
            share = "{:.0f} %".format(100 * statistics.median(a["packed"] for a, _ in pairs)) + share
            print(f"| {os.path.basename(path)} | {figure} | {statistics.median(ours):.1f} | {statistics.median(theirs):.1f} "
                  f"| {better:.2f} | {share if figure == 'decode' else ''} | "
                  f"{statistics.median(a['bandwidth'] for a, _ in pairs) / 1e9:.1f} |", flush=True)


if __name__ == "__main__":
    main()
