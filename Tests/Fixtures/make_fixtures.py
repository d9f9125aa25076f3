#!/usr/bin/env python3
"""Makes the tiny models of the test suite and their goldens (see README.md).

usage: make_fixtures.py [NAME …]             the folders named, or all
       make_fixtures.py --smollm2 FILE.gguf  the goldens of the real SmolLM2-135M-Instruct"""

import os
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

import fixture_gguf
import fixture_goldens
import fixture_models
import fixture_tokenizer
from fixture_models import TinyModel

HERE = Path(__file__).resolve().parent

LLAMA3 = {"rope_theta": 5000.0, "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 64}
YARN = {"rope_theta": 10000.0, "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 96}

MODELS = [
    TinyModel("llama-tied", "llama", 80, 5, 1, 16, 104, 2, tied=True, old_dialect=True, seed=1),
    TinyModel("llama-untied", "llama", 48, 6, 2, 16, 72, 3, tied=False, stored="F32", shards=3, seed=2),
    TinyModel("llama-rope-llama3", "llama", 48, 3, 1, 16, 88, 2, tied=True, rope=LLAMA3, seed=3,
              extra={"attention_bias": True, "mlp_bias": True}),
    TinyModel("llama-rope-linear", "llama", 48, 2, 1, 24, 72, 2, tied=True, old_dialect=True, max_positions=128,
              rope={"rope_theta": 10000.0, "rope_type": "linear", "factor": 2.5}, seed=4),
    TinyModel("llama-rope-dynamic", "llama", 48, 3, 3, 16, 72, 2, tied=True, old_dialect=True, max_positions=64, stored="F16",
              rope={"rope_theta": 10000.0, "rope_type": "dynamic", "factor": 4.0}, seed=5),
    TinyModel("llama-rope-yarn", "llama", 48, 4, 2, 16, 72, 2, tied=True, old_dialect=True, max_positions=384, rope=YARN, seed=6),
    TinyModel("qwen2-tied", "qwen2", 48, 3, 1, 16, 104, 2, tied=True, old_dialect=True, seed=7),
    TinyModel("qwen2-untied", "qwen2", 80, 5, 1, 16, 72, 2, tied=False, seed=8,
              rope={"rope_theta": 1000000.0, "rope_type": "default"}),
    TinyModel("qwen3-tied", "qwen3", 48, 4, 2, 24, 72, 2, tied=True, seed=9),
    TinyModel("qwen3-untied", "qwen3", 56, 6, 3, 16, 88, 3, tied=False, old_dialect=True, seed=10),
    TinyModel("qwen2moe", "qwen2_moe", 48, 3, 1, 16, 72, 3, tied=False, seed=12,
              extra={"num_experts": 6, "num_experts_per_tok": 2, "moe_intermediate_size": 40,
                     "shared_expert_intermediate_size": 56, "mlp_only_layers": [1]}),
    TinyModel("qwen3moe", "qwen3_moe", 40, 4, 2, 16, 64, 4, tied=True, old_dialect=True, seed=13,
              extra={"num_experts": 9, "num_experts_per_tok": 4, "moe_intermediate_size": 36, "norm_topk_prob": True,
                     "decoder_sparse_step": 2}),
    TinyModel("mixtral", "mixtral", 40, 4, 2, 16, 56, 2, tied=False, seed=15,
              extra={"num_local_experts": 5, "num_experts_per_tok": 2}),
]
GGUF = TinyModel("llama-gguf", "llama", 64, 4, 2, 16, 96, 2, tied=False, stored="F32", seed=11)
MOE_GGUF = TinyModel("qwen2moe-gguf", "qwen2_moe", 64, 4, 2, 16, 96, 2, tied=False, stored="F32", seed=14,
                     extra={"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32,
                            "shared_expert_intermediate_size": 64})

SMOLLM2_PROMPTS = [
    "The capital of France is",
    "def fibonacci(n):\n    ",
    "<|im_start|>user\nName three primary colours.<|im_end|>\n<|im_start|>assistant\n",
    "Once upon a time, in a village by the sea, there lived an old clockmaker who",
    "Question: What is 17 + 25?\nAnswer:",
    fixture_tokenizer.PASSAGE,
]


def make_model(tiny: TinyModel, tokenizer) -> None:
    """One folder: weights, tokenizer, goldens."""
    folder = HERE / tiny.name
    model = fixture_models.make(tiny)
    if tiny in (GGUF, MOE_GGUF):
        fixture_gguf.save(tiny, model, tokenizer, folder / "tiny.gguf")
    else:
        fixture_models.save(tiny, model, folder)
        fixture_models.check_reload(tiny, model, folder)
    fixture_tokenizer.save(tokenizer, folder)
    prompts = fixture_tokenizer.prompts(tokenizer, fixture_goldens.PROMPT_LENGTHS)
    records = [fixture_goldens.golden(model, text, ids) for text, ids in prompts]
    for record in records:
        record["output_text"] = tokenizer.decode(record["output_ids"], skip_special_tokens=False)
    rotary = model.model.rotary_emb
    header = {"model": tiny.name, "architecture": type(model).__name__, "rope_rule": tiny.reference_rope()[1],
              "rope_frequencies": rotary.inv_freq.double().tolist(), "rope_magnitude": rotary.attention_scaling}
    fixture_goldens.write(folder / "golden.json", header, records)
    print(fixture_goldens.summary(tiny.name, records))


def make_smollm2(path: str) -> None:
    """Greedy text and ids of the real model, dequantised to float32."""
    folder, name = os.path.split(os.path.abspath(path))
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    model = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=name, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)).eval()
    records = []
    for text in SMOLLM2_PROMPTS:
        record = fixture_goldens.golden(model, text, tokenizer(text, add_special_tokens=False)["input_ids"])
        record["output_text"] = tokenizer.decode(record["output_ids"], skip_special_tokens=False)
        records.append(record)
    header = {"model": "SmolLM2-135M-Instruct.Q4_1.gguf", "architecture": "LlamaForCausalLM", "rope_rule": "as transformers has it"}
    fixture_goldens.write(HERE / "smollm2.golden.json", header, records)
    print(fixture_goldens.summary("smollm2", records))


def main(arguments: list[str]) -> None:
    """Dispatches on the command line."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    if arguments[:1] == ["--smollm2"]:
        make_smollm2(arguments[1])
        return
    tokenizer = fixture_tokenizer.build()
    for tiny in MODELS + [GGUF, MOE_GGUF]:
        if not arguments or tiny.name in arguments:
            make_model(tiny, tokenizer)


if __name__ == "__main__":
    main(sys.argv[1:])
