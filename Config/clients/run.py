#!/usr/bin/env python3
"""Runs the clients that people use against real servers: run.py [NAME...] runs the cases whose names hold one of the words.

SRT names the binary, MODEL the file of the small model. Ends with the number of cases that failed."""
import collections
import os
import sys
import tempfile
import time
import traceback
import warnings

import cases
import echo_model
import server

warnings.filterwarnings("ignore")
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
import openai_cases  # noqa: E402,F401
import other_cases  # noqa: E402,F401
import responses_cases  # noqa: E402,F401

STORE = ["--enable-response-store"]
WORDS = ["anthropic", "ollama", "litellm", "langchain"]


def package(function):
    return next((word for word in WORDS if function.__name__.startswith(word)), "openai")


def main():
    wanted = [c for c in cases.CASES if not sys.argv[1:] or any(word in c.__name__ for word in sys.argv[1:])]
    failed, counts = [], collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        echo_model.write(folder + "/echo")
        real = server.Server(server.MODEL, "--served-model-name", "m", *STORE)
        echo = server.Server(
            folder + "/echo", "--served-model-name", "m", "--dtype", "float32", "--tool-call-parser", "qwen",
            "--reasoning-parser", "qwen3")
        try:
            bench = cases.Bench(real.wait().url, echo.wait().url)
            for function in wanted:
                start = time.monotonic()
                counts[package(function)] += 1
                try:
                    function(bench)
                except Exception:
                    failed.append(function.__name__)
                    print(f"FAILED  {function.__name__}\n{traceback.format_exc()}", flush=True)
                else:
                    print(f"ok      {function.__name__} ({time.monotonic() - start:.1f} s)", flush=True)
        finally:
            real.stop()
            echo.stop()
    names = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    print(f"{len(wanted) - len(failed)} of {len(wanted)} cases passed ({names})")
    for name in failed:
        print("failed:", name)
    return min(len(failed), 100)


if __name__ == "__main__":
    sys.exit(main())
