#!/usr/bin/env python3
"""Walks SGLang's "Native APIs" page against srt: each example with a server of the kind of model that it was written for.

usage: walk_native_api.py --srt PATH [--fixtures FOLDER] [--only PART] [--generation PATH] [--embedding PATH] [--reranker PATH]
                          [--reward PATH] [--experts PATH]

Models are the tiny ones of FOLDER (Tests/Fixtures) unless others are named. After the page's own examples each server answers what
else such a client meets: streams, batches, chats, sessions, scores, pauses, memory, traces. A line for each example; status 1 when one
fails. Nothing but Python's own library is needed."""

import argparse
import contextlib
import json
import math
import os
import sys
import traceback

sys.dont_write_bytecode = True  # nothing is left between the sources
from running_server import Server  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
QUESTION = "What is the capital of France?"


class Walk:
    """Examples that were tried, and those that failed."""

    def __init__(self):
        self.count = 0
        self.failed = []

    @contextlib.contextmanager
    def example(self, name):
        """One example; a failed assertion in it is told and does not stop the walk."""
        self.count += 1
        try:
            yield
            print("ok    ", name, flush=True)
        except Exception:
            self.failed.append(name)
            print("FAILED", name, traceback.format_exc(limit=-2), sep="\n", flush=True)


def unit(vector):
    """A vector of numbers and of length 1."""
    return len(vector) >= 10 and abs(math.sqrt(sum(x * x for x in vector)) - 1) < 1e-3


def page_generation(walk, server):
    """The page's examples of a model that generates."""
    model = server.model
    with walk.example("generate"):
        answer = server.asked("/generate", {"text": QUESTION})
        assert isinstance(answer["text"], str) and 0 < answer["meta_info"]["completion_tokens"] <= 128
    with walk.example("get_model_info"):
        info = server.get("/get_model_info").json()
        assert info["model_path"] == info["tokenizer_path"] == model
        assert info["is_generation"] is True and info["preferred_sampling_params"] is None
        assert info.keys() == {"model_path", "is_generation", "tokenizer_path", "preferred_sampling_params"}
        more = server.get("/model_info").json()
        assert {"weight_version", "has_image_understanding", "has_audio_understanding"} < more.keys()
    with walk.example("get_server_info"):
        for path in ("/get_server_info", "/server_info"):
            info = server.get(path).json()
            assert info["model_path"] == model and info["max_total_num_tokens"] > 0 and info["internal_states"]
    with walk.example("health_generate, health"):
        for path in ("/health_generate", "/health"):
            answer = server.get(path)
            assert (answer.status, answer.text) == (200, "")
    with walk.example("flush_cache"):
        answer = server.post("/flush_cache")
        assert answer.status == 200 and answer.text.startswith("Cache flushed.\n")
    with walk.example("update_weights_from_disk"):
        for path in ("/update_weights_from_disk", "/update_weights"):
            answer = server.asked(path, {"model_path": model})
            assert answer["success"] is True and answer["message"] == "Succeeded to update model weights."
    with walk.example("update_weights_from_disk, wrong name"):
        wrong = "qwen/qwen2.5-0.5b-instruct-wrong"
        answer = server.post("/update_weights_from_disk", {"model_path": wrong})
        assert answer.status == 400 and answer.json()["success"] is False
        assert answer.json()["message"] == f"Failed to get weights iterator: {wrong} (repository not found)."
    with walk.example("tokenize, detokenize"):
        text = "SGLang provides efficient tokenization endpoints."
        tokens = server.asked("/tokenize", {"model": model, "prompt": text, "add_special_tokens": False})
        assert tokens["tokens"] and tokens["count"] == len(tokens["tokens"]) and tokens["max_model_len"] > 0
        body = {"model": model, "tokens": tokens["tokens"], "skip_special_tokens": True}
        assert server.asked("/detokenize", body)["text"] == text
    with walk.example("v1/score"):
        labels = [server.asked("/tokenize", {"prompt": word, "add_special_tokens": False})["tokens"][0]
                  for word in (" yes", " no")]
        body = {"query": "Is it sunny? ", "items": ["yes", "no", "maybe"], "label_token_ids": labels,
                "apply_softmax": True, "model": model}
        scores = server.asked("/v1/score", body)["scores"]
        assert len(scores) == 3 and all(abs(sum(row) - 1) < 1e-4 for row in scores)


def other_generation(walk, server):
    """What else a client of a model that generates meets."""
    greedy = {"temperature": 0, "max_new_tokens": 8, "ignore_eos": True}
    plain = server.asked("/generate", {"text": QUESTION, "sampling_params": greedy})
    with walk.example("a stream"):
        frames = server.post("/generate", {"text": QUESTION, "sampling_params": greedy, "stream": True}).frames()
        assert frames[-1]["text"] == plain["text"] and frames[-1]["output_ids"] == plain["output_ids"]
        assert all(b["text"].startswith(a["text"]) for a, b in zip(frames, frames[1:]))
    with walk.example("a batch, ids, log probabilities"):
        ids = server.asked("/tokenize", {"prompt": QUESTION})["tokens"]
        body = {"input_ids": [ids, ids[:2]], "sampling_params": greedy, "return_logprob": True,
                "logprob_start_len": 0, "top_logprobs_num": 2}
        first, second = server.asked("/generate", body)
        assert first["output_ids"] == plain["output_ids"] and len(second["output_ids"]) == 8
        assert len(first["meta_info"]["input_token_logprobs"]) == len(ids)
    with walk.example("a chat"):
        body = {"model": "m", "messages": [{"role": "user", "content": QUESTION}], "max_tokens": 8}
        assert server.asked("/v1/chat/completions", body)["choices"][0]["message"]["role"] == "assistant"
    with walk.example("hidden states"):
        body = {"text": QUESTION, "sampling_params": greedy, "return_hidden_states": True}
        states = server.asked("/generate", body)["meta_info"]["hidden_states"]
        assert len(states) == 8 and len(states[0][0]) == len(states[1])
    with walk.example("a session"):
        session = server.asked("/open_session", {"capacity_of_str_len": 1000})
        turn = {"text": QUESTION, "sampling_params": greedy, "session_params": {"id": session, "rid": None}}
        first = server.asked("/generate", turn)
        assert first["output_ids"] == plain["output_ids"]
        turn["session_params"] = {"id": session, "rid": first["meta_info"]["id"]}
        second = server.asked("/generate", turn)
        assert second["meta_info"]["prompt_tokens"] > first["meta_info"]["prompt_tokens"] + 8 - 1
        closed = server.post("/close_session", {"session_id": session})
        assert (closed.status, closed.text) == (200, "")
    with walk.example("pause and continue"):
        assert server.asked("/pause_generation", {"mode": "in_place"})["status"] == "ok"
        assert server.get("/ready").status == 503
        assert server.asked("/continue_generation", {})["status"] == "ok"
        assert server.get("/ready").status == 200
    with walk.example("abort_request"):
        answer = server.post("/abort_request", {"rid": "nobody's"})
        assert (answer.status, answer.text) == (200, "")
    with walk.example("get_weights_by_name, update_weight_version"):
        numbers = server.asked("/get_weights_by_name", {"name": "model.norm.weight", "truncate_size": 3})
        assert len(numbers) == 3 and all(isinstance(x, float) for x in numbers)
        answer = server.asked("/update_weight_version", {"new_version": "v3"})
        assert answer == {"success": True, "message": "Weight version updated to v3", "new_version": "v3"}
        again = server.asked("/generate", {"text": QUESTION, "sampling_params": greedy})
        assert again["meta_info"]["weight_version"] == "v3", again["meta_info"]
        assert again["output_ids"] == plain["output_ids"], (again, plain)
    with walk.example("release and resume memory"):
        assert server.asked("/release_memory_occupation", {}) is None
        assert server.post("/resume_memory_occupation", {}).status == 200
        assert server.asked("/generate", {"text": QUESTION, "sampling_params": greedy})["text"] == plain["text"]
    with walk.example("logging, traces, internal state"):
        assert server.post("/configure_logging", {"log_requests": False}).status == 200
        assert server.asked("/set_internal_state", {"server_args": {"foo": 1}}) == [False]
        assert server.post("/start_profile", {"output_dir": server.folder}).text == "Start profiling.\n"
        server.asked("/generate", {"text": QUESTION, "sampling_params": greedy})
        assert server.post("/stop_profile").status == 200
        assert server.get("/freeze_gc").status == 200
    with walk.example("v1/loads, metrics, openapi.json"):
        assert server.get("/v1/loads").json()["loads"][0]["num_running_reqs"] == 0
        assert "sglang:cache_config_info{" in server.get("/metrics").text
        assert "/generate" in server.get("/openapi.json").json()["paths"]
    with walk.example("embeddings are not for this kind of model"):
        answer = server.post("/encode", {"text": QUESTION})
        assert answer.status == 400 and "--is-embedding" in answer.json()["error"]["message"]


def embedding(walk, server):
    """A model that makes vectors."""
    with walk.example("encode"):
        answer = server.asked("/encode", {"model": server.model, "text": "Once upon a time"})
        assert unit(answer["embedding"])
    with walk.example("v1/embeddings"):
        body = {"model": server.model, "input": ["Once upon a time", "hi"]}
        rows = server.asked("/v1/embeddings", body)["data"]
        assert len(rows) == 2 and rows[0]["embedding"] == answer["embedding"] and unit(rows[1]["embedding"])
    with walk.example("generation is not for this kind of model"):
        assert server.post("/generate", {"text": QUESTION}).status == 400
        assert server.get("/get_model_info").json()["is_generation"] is False


def reranker(walk, server):
    """A cross-encoder."""
    with walk.example("v1/rerank"):
        documents = ["hi", "The giant panda (Ailuropoda melanoleuca), sometimes called a panda bear or simply panda, is a "
                           "bear species endemic to China."]
        body = {"model": server.model, "query": "what is panda?", "documents": documents}
        items = server.asked("/v1/rerank", body)
        assert sorted(item["document"] for item in items) == sorted(documents)
        assert all(isinstance(item["score"], float) for item in items) and items[0]["score"] >= items[1]["score"]


def reward(walk, server):
    """A model that judges answers; prompts as its chat template would write them."""
    with walk.example("classify"):
        question = "What is the range of the numeric output of a sigmoid node in a neural network?"
        prompts = [f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\nThe output of a sigmoid node is "
                   f"bounded between {least} and 1.<|im_end|>\n" for least in (-1, 0)]
        items = server.asked("/classify", {"model": server.model, "text": prompts})
        assert len(items) == 2 and all(isinstance(item["embedding"][0], float) for item in items)


def experts(walk, server):
    """A mixture of experts."""
    with walk.example("expert distribution"):
        answer = server.post("/start_expert_distribution_record")
        assert (answer.status, answer.text) == (200, "Start recording the expert distribution.\n")
        meta = server.asked("/generate", {"text": QUESTION})["meta_info"]
        assert server.post("/stop_expert_distribution_record").status == 200
        answer = server.post("/dump_expert_distribution_record")
        assert (answer.status, answer.text) == (200, "Dump expert distribution record.\n")
        path = answer.headers["x-expert-distribution-file"]
        assert os.path.dirname(path) == server.folder and os.path.getsize(path) > 0
        with open(path[:-3] + ".csv", encoding="utf-8") as file:
            rows = [line.split(",") for line in file.read().split("\n")[1:] if line]
        # Every token but the last one went through each layer's experts, a fixed number of them.
        counts = {}
        for layer, _, count in ((int(row[0]), row[1], int(row[2])) for row in rows):
            counts[layer] = counts.get(layer, 0) + count
        tokens = meta["prompt_tokens"] + meta["completion_tokens"] - 1
        totals = {count for count in counts.values() if count}
        assert len(totals) == 1 and totals.pop() % tokens == 0, (counts, tokens)


def main():
    """Walks the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--srt", required=True)
    parser.add_argument("--fixtures", default=os.path.join(HERE, "..", "Fixtures"))
    parser.add_argument("--only", default="")
    tiny = {"generation": "qwen2-tied", "embedding": "qwen3-embedding", "reranker": "xlmr-pairs",
            "reward": "qwen2-reward", "experts": "qwen2moe"}
    for kind in tiny:
        parser.add_argument("--" + kind)
    options = parser.parse_args()
    vectors = ["--is-embedding"]
    parts = {
        "generation": (page_generation, []),
        "other": (other_generation, ["--enable-metrics", "--enable-return-hidden-states", "--enable-memory-saver"]),
        "embedding": (embedding, vectors),
        "reranker": (reranker, ["--disable-radix-cache", "--chunked-prefill-size", "-1", "--attention-backend", "triton",
                                *vectors]),
        "reward": (reward, vectors),
        "experts": (experts, ["--expert-distribution-recorder-mode", "stat"]),
    }
    walk = Walk()
    for name, (examples, flags) in parts.items():
        if options.only not in name:
            continue
        kind = "generation" if name == "other" else name
        model = getattr(options, kind) or os.path.abspath(os.path.join(options.fixtures, tiny[kind]))
        print(f"{name}: {model}", flush=True)
        server = Server(options.srt, model, flags)
        try:
            examples(walk, server)
        finally:
            with walk.example("its end"):
                status = server.end()
                assert status == 0, f"exit status {status}"
    print(f"{walk.count - len(walk.failed)} of {walk.count} examples as on the page")
    return bool(walk.failed) or walk.count == 0


if __name__ == "__main__":
    sys.exit(main())
