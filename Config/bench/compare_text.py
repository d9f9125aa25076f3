#!/usr/bin/env python3
"""What a GGUF file says in srt beside what it says in transformers, which unpacks it to float32.

usage: compare_text.py reference MODEL.gguf REFERENCE.json     needs torch, transformers and gguf
       compare_text.py compare REFERENCE.json URL              of a server of the same file

The reference goes on greedily from prompts in several languages. The server is asked for the same twice: for its own greedy texts, and for
log probabilities of the reference's tokens, so that a near tie does not end the comparison."""

import json
import sys
import urllib.request
from pathlib import Path

PROMPTS = [
    "The capital of France is",
    "Once upon a time, in a village by the sea, there lived an old clockmaker who",
    "Question: What is 17 + 25?\nAnswer:",
    "def fibonacci(n):\n    ",
    "Die Hauptstadt von Österreich ist",
    "La mer était calme, et le vieux pêcheur",
    "日本の首都は",
    "Столица России —",
    "عاصمة مصر هي",
    "인공지능은",
]
TOKENS = 32


def long_prompt() -> str:
    """More than a window of text."""
    return (Path(__file__).parent / "northanger-abbey.txt").read_text()[:3500]


def reference(file: str, out: str) -> None:
    """Greedy tokens with their margins and log probabilities."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    torch.set_num_threads(1)
    path = Path(file)
    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    model = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)).eval()
    records = []
    for text in [*PROMPTS, long_prompt()]:
        ids = tokenizer(text)["input_ids"]
        record = {"text": text, "ids": ids, "output": [], "margins": [], "logprobs": []}
        step, past = torch.tensor([ids]), None
        with torch.no_grad():
            for _ in range(TOKENS):
                answer = model(step, past_key_values=past, use_cache=True)
                past = answer.past_key_values
                best = answer.logits[0, -1].log_softmax(-1).topk(2)
                record["output"].append(int(best.indices[0]))
                record["margins"].append(float(best.values[0] - best.values[1]))
                record["logprobs"].append(float(best.values[0]))
                step = best.indices[:1][None]
        record["output_text"] = tokenizer.decode(record["output"])
        print(len(ids), repr(record["output_text"]), flush=True)
        records.append(record)
    Path(out).write_text(json.dumps(records, ensure_ascii=False, indent=1))


def ask(url: str, body: dict) -> dict:
    """One request of the native endpoint."""
    request = urllib.request.Request(url + "/generate", json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.load(answer)


def compare(file: str, url: str) -> None:
    """A line for each prompt, and one for all."""
    greedy = {"max_new_tokens": TOKENS, "temperature": 0, "ignore_eos": True}
    errors, same, clear, wrong = [], 0, 0, 0
    for record in json.loads(Path(file).read_text()):
        ids, output = record["ids"], record["output"]
        own = ask(url, {"text": record["text"], "sampling_params": greedy, "return_logprob": True})
        tokenized = own["meta_info"]["prompt_tokens"] == len(ids)
        texts = [token[1] for token in own["meta_info"]["output_token_logprobs"]]
        equal = next((i for i, (a, b) in enumerate(zip(texts, output)) if a != b), TOKENS)
        forced = ask(url, {"input_ids": ids + output, "sampling_params": {**greedy, "max_new_tokens": 1}, "return_logprob": True,
                           "logprob_start_len": len(ids) - 1, "top_logprobs_num": 1})["meta_info"]
        found = forced["input_token_logprobs"][1:]
        best = forced["input_top_logprobs"][1:]
        differences = [abs(a[0] - b) for a, b in zip(found, record["logprobs"])]
        misses = [i for i, top in enumerate(best) if top[0][1] != output[i]]
        errors += differences
        same += equal == TOKENS
        clear += sum(margin > 0.5 for margin in record["margins"])
        wrong += sum(record["margins"][i] > 0.5 for i in misses)
        print(f"{len(ids):4} tokens {'' if tokenized else '(other tokens) '}greedy equal {equal:2} of {TOKENS}, likeliest "
              f"{TOKENS - len(misses)} of {TOKENS} (margins of the others {[round(record['margins'][i], 3) for i in misses]}), "
              f"mean difference {sum(differences) / len(differences):.5f}, largest {max(differences):.5f}: {own['text'][:60]!r}")
    print(f"{same} texts wholly equal; log probabilities differ by {sum(errors) / len(errors):.5f} on average, {max(errors):.5f} at most; "
          f"likeliest another at {wrong} of {clear} places with a margin above 0.5")


if __name__ == "__main__":
    {"reference": reference, "compare": compare}[sys.argv[1]](*sys.argv[2:])
