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
# Each kind of layer has a rotation of its own.
GEMMA3 = {"full_attention": {"rope_theta": 1000000.0, "rope_type": "linear", "factor": 8.0},
          "sliding_attention": {"rope_theta": 10000.0, "rope_type": "default"}}

# Pairs of the larger heads turn as if all did, and half of them stay.
GEMMA4 = {"full_attention": {"rope_theta": 1000000.0, "rope_type": "proportional", "partial_rotary_factor": 0.5},
          "sliding_attention": {"rope_theta": 10000.0, "rope_type": "default"}}

MINISTRAL = {"rope_theta": 1000000.0, "rope_type": "yarn", "factor": 8.0, "beta_fast": 32.0, "beta_slow": 1.0,
             "original_max_position_embeddings": 64, "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.3}

# Decoders whose layers differ from Llama's.
MODELS += [
    TinyModel("gemma2", "gemma2", 40, 2, 1, 20, 56, 3, tied=True, embedding_spread=0.12, seed=20,
              extra={"hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": 20, "sliding_window": 24,
                     "attn_logit_softcapping": 5.0, "final_logit_softcapping": 6.0}),
    TinyModel("gemma3", "gemma3_text", 36, 3, 1, 12, 40, 6, tied=True, embedding_spread=0.12, seed=21, rope=GEMMA3,
              extra={"hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": 12, "sliding_window": 20}),
    TinyModel("gemma3-vision", "gemma3_text", 32, 4, 2, 8, 40, 3, tied=True, embedding_spread=0.12, seed=22, rope=GEMMA3,
              outer=("Gemma3ForConditionalGeneration", "gemma3"),
              extra={"hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": 11, "sliding_window": 33,
                     "layer_types": ["sliding_attention", "sliding_attention", "full_attention"]},
              stored_keys={"rope_parameters": None, "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0,
                           "rope_scaling": {"rope_type": "linear", "factor": 8.0}, "sliding_window_pattern": 3,
                           "layer_types": None, "num_key_value_heads": 2}),
    TinyModel("gemma4", "gemma4_text", 40, 4, 2, 12, 48, 6, tied=True, embedding_spread=0.12, seed=42, rope=GEMMA4,
              extra={"hidden_activation": "gelu_pytorch_tanh", "sliding_window": 20, "global_head_dim": 20,
                     "layer_types": ["sliding_attention", "sliding_attention", "full_attention"] * 2, "num_kv_shared_layers": 3,
                     "use_double_wide_mlp": True, "hidden_size_per_layer_input": 12,
                     "vocab_size_per_layer_input": fixture_tokenizer.VOCABULARY_SIZE, "final_logit_softcapping": 6.0}),
    TinyModel("gemma4-experts", "gemma4_text", 36, 4, 2, 8, 40, 3, tied=True, embedding_spread=0.12, seed=43, rope=GEMMA4,
              extra={"hidden_activation": "gelu_pytorch_tanh", "sliding_window": 21, "global_head_dim": 16,
                     "layer_types": ["sliding_attention", "sliding_attention", "full_attention"], "attention_k_eq_v": True,
                     "num_global_key_value_heads": 1, "hidden_size_per_layer_input": 0, "enable_moe_block": True, "num_experts": 6,
                     "top_k_experts": 2, "moe_intermediate_size": 24}),
    TinyModel("gemma4-vision", "gemma4_text", 32, 4, 1, 8, 40, 3, tied=True, embedding_spread=0.12, seed=44, rope=GEMMA4,
              outer=("Gemma4ForConditionalGeneration", "gemma4"),
              extra={"hidden_activation": "gelu_pytorch_tanh", "sliding_window": 33, "global_head_dim": 12,
                     "layer_types": ["sliding_attention", "full_attention", "full_attention"], "hidden_size_per_layer_input": 8,
                     "vocab_size_per_layer_input": fixture_tokenizer.VOCABULARY_SIZE, "use_bidirectional_attention": "vision"},
              stored_keys={"global_head_dim": None, "per_layer_config": {"1": {"head_dim": 12}, "2": {"head_dim": 12}}}),
    TinyModel("phi3", "phi3", 48, 4, 2, 12, 56, 2, tied=False, seed=23, max_positions=256, old_dialect=True,
              rope={"rope_theta": 10000.0, "rope_type": "longrope", "partial_rotary_factor": 0.67,
                    "short_factor": [1.0, 1.1, 1.2, 1.3], "long_factor": [1.5, 2.0, 3.0, 5.0]},
              extra={"original_max_position_embeddings": 4, "sliding_window": 40},
              stored_keys={"partial_rotary_factor": 0.67}),
    TinyModel("smollm3", "smollm3", 40, 4, 2, 8, 48, 4, tied=True, seed=24, rope={"rope_theta": 50000.0, "rope_type": "default"}),
    TinyModel("olmo2", "olmo2", 40, 5, 5, 8, 56, 3, tied=False, seed=25),
    TinyModel("olmo3", "olmo3", 48, 4, 2, 12, 56, 4, tied=False, seed=26,
              rope={"full_attention": {"rope_theta": 500000.0, "rope_type": "yarn", "factor": 4.0, "attention_factor": 1.138629436111989,
                                       "original_max_position_embeddings": 128},
                    "sliding_attention": {"rope_theta": 500000.0, "rope_type": "default"}},
              extra={"sliding_window": 17, "layer_types": ["sliding_attention", "full_attention"] * 2}),
    TinyModel("olmoe", "olmoe", 32, 4, 4, 8, 24, 2, tied=False, seed=27,
              extra={"num_experts": 6, "num_experts_per_tok": 3, "norm_topk_prob": False}),
    TinyModel("exaone4", "exaone4", 48, 4, 2, 12, 56, 4, tied=False, seed=45,
              extra={"sliding_window": 18, "layer_types": ["sliding_attention"] * 3 + ["full_attention"]},
              stored_keys={"sliding_window_pattern": "LLLG"}),
    TinyModel("exaone4-whole", "exaone4", 40, 5, 1, 8, 48, 2, tied=True, seed=46,
              extra={"sliding_window": None, "layer_types": ["full_attention"] * 2},
              stored_keys={"sliding_window": fixture_models.NULL}),
    TinyModel("cohere", "cohere", 40, 5, 1, 8, 56, 3, tied=True, seed=47, embedding_spread=0.2,
              extra={"layer_norm_eps": 1e-5, "logit_scale": 1.7}),
    TinyModel("granite", "granite", 40, 5, 1, 8, 56, 3, tied=True, seed=28, embedding_spread=0.1,
              extra={"embedding_multiplier": 6.0, "attention_multiplier": 0.21, "residual_multiplier": 0.4, "logits_scaling": 0.3}),
    TinyModel("granitemoe", "granitemoe", 32, 4, 2, 8, 24, 2, tied=True, seed=29, embedding_spread=0.1,
              extra={"embedding_multiplier": 6.0, "attention_multiplier": 0.3, "residual_multiplier": 0.5, "logits_scaling": 0.3,
                     "num_local_experts": 5, "num_experts_per_tok": 2}),
    TinyModel("cohere2", "cohere2", 40, 5, 1, 8, 56, 4, tied=True, seed=30, embedding_spread=0.2,
              extra={"sliding_window": 21, "sliding_window_pattern": 4, "layer_norm_eps": 1e-5, "logit_scale": 1.7}),
    TinyModel("glm4", "glm4", 40, 4, 2, 16, 56, 2, tied=False, seed=31,
              rope={"rope_theta": 10000.0, "rope_type": "default", "partial_rotary_factor": 0.5}, extra={"attention_bias": True}),
    TinyModel("starcoder2", "starcoder2", 40, 5, 1, 8, 72, 2, tied=True, seed=32, old_dialect=True,
              extra={"hidden_act": "gelu_pytorch_tanh", "norm_epsilon": 1e-5, "sliding_window": 30, "use_bias": True}),
    TinyModel("stablelm", "stablelm", 48, 3, 3, 16, 56, 2, tied=False, seed=33,
              rope={"rope_theta": 10000.0, "rope_type": "default", "partial_rotary_factor": 0.25},
              extra={"layer_norm_eps": 1e-5, "use_qkv_bias": True}),
    TinyModel("stablelm-parallel", "stablelm", 32, 4, 2, 8, 40, 3, tied=True, seed=34, embedding_spread=0.2,
              rope={"rope_theta": 10000.0, "rope_type": "default", "partial_rotary_factor": 0.5},
              extra={"layer_norm_eps": 1e-5, "use_parallel_residual": True}),
    TinyModel("seed-oss", "seed_oss", 40, 4, 2, 12, 56, 2, tied=False, seed=35,
              extra={"attention_bias": True, "attention_out_bias": False}),
    TinyModel("ernie45", "ernie4_5", 40, 4, 1, 12, 56, 2, tied=True, seed=36, extra={"use_bias": True}),
    TinyModel("ministral3", "ministral3", 40, 4, 2, 12, 56, 2, tied=False, seed=37, rope=MINISTRAL),
    TinyModel("mistral3-vision", "ministral3", 32, 4, 2, 8, 40, 2, tied=True, seed=38, rope=MINISTRAL, embedding_spread=0.2,
              outer=("Mistral3ForConditionalGeneration", "mistral3")),
    TinyModel("glm4moe", "glm4_moe", 32, 4, 2, 16, 48, 3, tied=False, seed=39,
              rope={"rope_theta": 10000.0, "rope_type": "default", "partial_rotary_factor": 0.5},
              extra={"n_routed_experts": 6, "num_experts_per_tok": 2, "moe_intermediate_size": 24, "n_shared_experts": 2,
                     "first_k_dense_replace": 1, "routed_scaling_factor": 1.7, "use_qk_norm": True, "attention_bias": True,
                     "num_nextn_predict_layers": 1}),
    TinyModel("ernie45moe", "ernie4_5_moe", 32, 4, 2, 8, 48, 3, tied=True, seed=40,
              extra={"moe_num_experts": 7, "moe_k": 3, "moe_intermediate_size": 24, "moe_num_shared_experts": 2,
                     "moe_layer_start_index": 1, "use_bias": False}),
    TinyModel("gpt-oss", "gpt_oss", 64, 4, 2, 12, 32, 2, tied=False, seed=41,
              rope={"rope_theta": 150000.0, "rope_type": "yarn", "factor": 8.0, "beta_fast": 32.0, "beta_slow": 1.0,
                    "truncate": False, "original_max_position_embeddings": 64},
              extra={"num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 19, "swiglu_limit": 7.0,
                     "attention_bias": True},
              stored_keys={"quantization_config": {"quant_method": "mxfp4", "modules_to_not_convert": ["lm_head"]}}),
    # In plain numbers the experts' stacks have the inputs first.
    TinyModel("gpt-oss-plain", "gpt_oss", 40, 4, 2, 12, 28, 2, tied=False, seed=47,
              rope={"rope_theta": 150000.0, "rope_type": "yarn", "factor": 8.0, "beta_fast": 32.0, "beta_slow": 1.0,
                    "truncate": False, "original_max_position_embeddings": 64},
              extra={"num_local_experts": 5, "num_experts_per_tok": 2, "sliding_window": 13, "swiglu_limit": 7.0,
                     "attention_bias": True}),
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
    if tiny.kind in fixture_gguf.TWINS and not tiny.outer:
        fixture_gguf.save_twin(tiny, model, tokenizer, HERE / "twins" / f"{tiny.name}.gguf")
    fixture_tokenizer.save(tokenizer, folder)
    prompts = fixture_tokenizer.prompts(tokenizer, fixture_goldens.PROMPT_LENGTHS)
    records = [fixture_goldens.golden(model, text, ids) for text, ids in prompts]
    for record in records:
        record["output_text"] = tokenizer.decode(record["output_ids"], skip_special_tokens=False)
    rotary = model.model.rotary_emb
    part = "" if hasattr(rotary, "inv_freq") else "full_attention_"
    header = {"model": tiny.name, "architecture": tiny.outer[0] if tiny.outer else type(model).__name__,
              "rope_rule": tiny.reference_rope()[1],
              "rope_frequencies": getattr(rotary, part + "inv_freq").double().tolist(),
              "rope_magnitude": getattr(rotary, part + "attention_scaling")}
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
