#!/usr/bin/env python3
"""Runs one workload on OpenVINO GenAI's continuous batching, in this process, and prints its figures as a line of JSON.

usage: run_openvino.py MODEL_FOLDER THREADS WORKLOAD        (in the `openvino` environment of install.sh)

WORKLOAD is decode, prefill, serving or prefix (see compare.py). There is no HTTP and no text here, which favours OpenVINO.
"""

import json
import random
import statistics
import sys
import time

import numpy
import openvino
import openvino_genai as genai


def make_pipeline(folder, threads):
    scheduler = genai.SchedulerConfig()
    scheduler.cache_size = 2
    scheduler.max_num_seqs = 16
    scheduler.max_num_batched_tokens = 2048
    scheduler.enable_prefix_caching = True
    return genai.ContinuousBatchingPipeline(folder, scheduler, "CPU", {"INFERENCE_NUM_THREADS": threads})


def run(pipeline, prompts, length, first_id):
    """Sends all prompts at once; returns wall seconds, times to the first token, and times between tokens."""
    config = genai.GenerationConfig()
    config.max_new_tokens, config.min_new_tokens, config.ignore_eos, config.do_sample = length, length, True, False
    start = time.perf_counter()
    handles = [
        pipeline.add_request(first_id + i, openvino.Tensor(numpy.array([ids], dtype=numpy.int64)), config)
        for i, ids in enumerate(prompts)
    ]
    first, last, gaps, counts = {}, {}, [], [0] * len(prompts)
    while pipeline.has_non_finished_requests():
        pipeline.step()
        now = time.perf_counter()
        for i, handle in enumerate(handles):
            news = sum(len(out.generated_ids) for out in handle.read().values()) if handle.can_read() else 0
            if news == 0:
                continue
            if i in first:
                gaps += [(now - last[i]) / news] * news
            else:
                first[i] = now - start
            last[i] = now
            counts[i] += news
    assert counts == [length] * len(prompts), counts
    return time.perf_counter() - start, list(first.values()), gaps


def main():
    folder, threads, workload = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    draw = random.Random(1)
    prompt = lambda length: [draw.randint(1000, 30000) for _ in range(length)]
    pipeline = make_pipeline(folder, threads)
    run(pipeline, [prompt(128)], 8, 0)
    if workload == "decode":
        _, _, gaps = run(pipeline, [prompt(128)], 128, 100)
        figures = {"decode": len(gaps) / sum(gaps)}
    elif workload == "prefill":
        times = [run(pipeline, [prompt(512)], 1, 100 + i)[1][0] for i in range(3)]
        figures = {"prefill": 512 / statistics.median(times)}
    elif workload == "serving":
        seconds, first, gaps = run(pipeline, [prompt(128) for _ in range(16)], 64, 100)
        figures = {"serving": 16 * 64 / seconds, "ttft": 1e3 * statistics.mean(first), 
                   "itl_p99": 1e3 * statistics.quantiles(gaps, n=100)[98]}
    else:
        shared = prompt(1024)
        cold, _, _ = run(pipeline, [shared + prompt(32) for _ in range(16)], 32, 100)
        warm, _, _ = run(pipeline, [shared + prompt(32) for _ in range(16)], 32, 200)
        figures = {"prefix_cold": cold, "prefix_warm": warm}
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
