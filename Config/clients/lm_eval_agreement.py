#!/usr/bin/env python3
"""lm-eval over a server agrees with its own transformers backend on the same model: scores of choices and of running text.

The tasks are made here, so nothing is fetched. SRT names the binary, MODEL a folder that both can read (the tests' tiny one)."""
import json
import os
import sys
import tempfile

import server

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
import lm_eval  # noqa: E402
from lm_eval.tasks import TaskManager  # noqa: E402

MODEL = os.environ.get("MODEL", os.path.join(server.ROOT, "Tests/Fixtures/llama-tied"))
QUESTIONS = [
    ("The capital of France is", ["Paris", "a river", "seven"], 0), ("Two and two make", ["five", "four", "nothing"], 1),
    ("Water freezes at", ["zero degrees", "noon", "the library"], 0), ("The opposite of hot is", ["wet", "cold", "late"], 1),
    ("A week has", ["seven days", "ten days", "no end"], 0), ("Grün is the German word for", ["red", "green", "fast"], 1),
    ("The sun rises in the", ["west", "north", "east"], 2), ("Bees make", ["honey", "glass", "水"], 0),
    ("A triangle has", ["four sides", "three sides", "a lid"], 1), ("Ice is made of", ["sand", "wood", "water"], 2),
]
TEXTS = [
    "The keeper climbed the ninety-four steps and lit the lamp, as he had done every evening for twenty years.",
    "No one who had ever seen her in her infancy would have supposed her born to be a heroine.",
    "Die Brücke über den Fluß wurde im Jahr 1904 gebaut; 水位は上がった, and the water rose.",
    "def add(a, b):\n    return a + b\n\nprint(add(1, 2))\n",
]
CHOICES = """
task: srt_choices
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/choices.jsonl}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{question}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{answer}}}}"
target_delimiter: " "
metric_list: [{{metric: acc}}, {{metric: acc_norm}}]
"""
RUNNING = """
task: srt_running
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/running.jsonl}}}}
test_split: test
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{{{text}}}}"
metric_list: [{{metric: word_perplexity}}, {{metric: byte_perplexity}}, {{metric: bits_per_byte}}]
"""


def write(folder):
    with open(folder + "/choices.jsonl", "w") as file:
        for question, choices, answer in QUESTIONS:
            print(json.dumps({"question": question, "choices": choices, "answer": answer}), file=file)
    with open(folder + "/running.jsonl", "w") as file:
        for text in TEXTS:
            print(json.dumps({"text": text}), file=file)
    for name, text in (("choices", CHOICES), ("running", RUNNING)):
        with open(f"{folder}/{name}.yaml", "w") as file:
            file.write(text.format(folder=folder))


def scores(folder, model, arguments):
    """All metrics by their names, and the log probability of every choice and text."""
    found = lm_eval.simple_evaluate(
        model=model, model_args=arguments, tasks=["srt_choices", "srt_running"],
        task_manager=TaskManager(include_path=folder, include_defaults=False), log_samples=True, bootstrap_iters=0,
        verbosity="ERROR")
    metrics = {
        f"{task} {name.split(',')[0]}": value for task, values in found["results"].items()
        for name, value in values.items() if isinstance(value, float) and "stderr" not in name}
    single = []
    for task, samples in sorted(found["samples"].items()):
        for sample in sorted(samples, key=lambda sample: sample["doc_id"]):
            for answer in sample["filtered_resps"]:
                single.append(answer[0] if isinstance(answer, (list, tuple)) else answer)
    return metrics, [float(value) for value in single]


def main():
    with tempfile.TemporaryDirectory() as folder:
        write(folder)
        with server.serving(MODEL, "--served-model-name", "m", "--dtype", "float32") as worker:
            ours = scores(
                folder, "local-completions",
                f"model=m,base_url={worker.url}/v1/completions,tokenizer={MODEL},num_concurrent=4,max_retries=1")
        theirs = scores(folder, "hf", f"pretrained={MODEL},dtype=float32,device=cpu")
    for name in sorted(theirs[0]):
        print(f"{name}: {ours[0].get(name)} over the server, {theirs[0][name]} by transformers")
    different = [n for n in theirs[0] if abs(ours[0].get(n, 1e9) - theirs[0][n]) > 5e-5 * max(1, abs(theirs[0][n]))]
    furthest = max(abs(a - b) / max(1, abs(b)) for a, b in zip(*(s[1] for s in (ours, theirs))))
    print(f"{len(theirs[1])} log probabilities, at most {furthest:.2e} apart")
    same = not different and len(ours[1]) == len(theirs[1]) > 0 and furthest <= 5e-5
    print("agree" if same else f"DISAGREE in {different}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
