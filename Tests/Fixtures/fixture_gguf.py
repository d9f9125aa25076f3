"""A folder's GGUF twin, laid out as llama.cpp's converter does: llama.cpp names, rows of llama's q and k permuted for its RoPE, experts
stacked."""

import json
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Kind

import fixture_tokenizer

BLOCK_NAMES = {
    "input_layernorm.weight": "attn_norm",
    "self_attn.q_proj.weight": "attn_q",
    "self_attn.k_proj.weight": "attn_k",
    "self_attn.v_proj.weight": "attn_v",
    "self_attn.o_proj.weight": "attn_output",
    "post_attention_layernorm.weight": "ffn_norm",
    "mlp.gate_proj.weight": "ffn_gate",
    "mlp.up_proj.weight": "ffn_up",
    "mlp.down_proj.weight": "ffn_down",
    "mlp.gate.weight": "ffn_gate_inp",
    "mlp.experts.down_proj": "ffn_down_exps",
    "mlp.shared_expert_gate.weight": "ffn_gate_inp_shexp",
    "mlp.shared_expert.gate_proj.weight": "ffn_gate_shexp",
    "mlp.shared_expert.up_proj.weight": "ffn_up_shexp",
    "mlp.shared_expert.down_proj.weight": "ffn_down_shexp",
}
ARCHITECTURES = {"llama": "llama", "qwen2_moe": "qwen2moe"}
# A spread of block formats; norms stay float32.
KINDS = {
    "token_embd": Kind.Q8_0, "output": Kind.F16, "attn_q": Kind.Q4_0, "attn_k": Kind.Q8_0, "attn_v": Kind.Q4_1,
    "attn_output": Kind.F32, "ffn_gate": Kind.BF16, "ffn_up": Kind.F16, "ffn_down": Kind.Q8_0,
    "ffn_gate_exps": Kind.Q4_0, "ffn_up_exps": Kind.Q8_0, "ffn_down_exps": Kind.Q4_1, "ffn_gate_shexp": Kind.F16,
    "ffn_down_shexp": Kind.Q5_0,
}


def gguf_name(name: str) -> str:
    """llama.cpp's name of a Hugging Face tensor."""
    if name.startswith("model.layers."):
        _, _, index, rest = name.split(".", 3)
        module, _, suffix = rest.rpartition(".")
        return f"blk.{index}.{BLOCK_NAMES.get(rest) or BLOCK_NAMES[module + '.weight']}" + (".bias" if suffix == "bias" else ".weight")
    names = {"model.embed_tokens.weight": "token_embd", "lm_head.weight": "output", "model.norm.weight": "output_norm"}
    return names[name] + ".weight"


def tensors(model) -> list:
    """Each parameter under its name in the file; the reference has gate and up of the experts in one."""
    found = []
    for name, parameter in sorted(model.named_parameters()):
        if not name.endswith("experts.gate_up_proj"):
            found.append((gguf_name(name), parameter))
            continue
        for part, rows in zip(("gate", "up"), parameter.chunk(2, dim=1)):
            found.append((f"blk.{name.split('.')[2]}.ffn_{part}_exps.weight", rows))
    return found


def permuted(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of each head from halves (x0 … | y0 …) to pairs (x0 y0 x1 y1 …)."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def write_sizes(writer: gguf.GGUFWriter, tiny, layers: int) -> None:
    """The sizes that every architecture has."""
    writer.add_context_length(tiny.max_positions)
    writer.add_embedding_length(tiny.hidden)
    writer.add_block_count(layers)
    shared = tiny.extra.get("num_kv_shared_layers", 0)
    doubled = [tiny.intermediate] * (layers - shared) + [2 * tiny.intermediate] * shared
    writer.add_feed_forward_length(doubled if tiny.extra.get("use_double_wide_mlp") else tiny.intermediate)
    writer.add_head_count(tiny.heads)
    full = tiny.extra.get("num_global_key_value_heads")
    kinds = tiny.extra.get("layer_types", [])
    writer.add_head_count_kv([full if k == "full_attention" else tiny.key_value_heads for k in kinds] if full else tiny.key_value_heads)


def write_metadata(writer: gguf.GGUFWriter, tiny, tokenizer) -> None:
    """Architecture and tokenizer keys."""
    write_sizes(writer, tiny, tiny.layers)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(tiny.rope["rope_theta"])
    writer.add_rope_dimension_count(tiny.head_dimension)
    writer.add_vocab_size(fixture_tokenizer.VOCABULARY_SIZE)
    if "num_experts" in tiny.extra:
        writer.add_expert_count(tiny.extra["num_experts"])
        writer.add_expert_used_count(tiny.extra["num_experts_per_tok"])
        writer.add_expert_feed_forward_length(tiny.extra["moe_intermediate_size"])
        writer.add_expert_shared_feed_forward_length(tiny.extra["shared_expert_intermediate_size"])
    write_tokenizer(writer, tokenizer)


def write_tokenizer(writer: gguf.GGUFWriter, tokenizer) -> None:
    """The tokenizer all tiny models share."""
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    specials = set(fixture_tokenizer.SPECIALS)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if t in specials else gguf.TokenType.NORMAL for t in tokens])
    writer.add_token_merges([" ".join(pair) for pair in model["merges"]])
    writer.add_bos_token_id(fixture_tokenizer.TURN_START)
    writer.add_eos_token_id(fixture_tokenizer.TURN_END)
    writer.add_pad_token_id(fixture_tokenizer.END_OF_TEXT)
    writer.add_add_bos_token(False)
    writer.add_chat_template(fixture_tokenizer.CHAT_TEMPLATE)


def save(tiny, model, tokenizer, path: Path) -> None:
    """Writes the file and leaves in `model` the weights as a reader will dequantise them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(str(path), ARCHITECTURES[tiny.kind])
    write_metadata(writer, tiny, tokenizer)
    for target, parameter in tensors(model):
        part, values = target.split(".")[-2], parameter.detach().numpy()
        kind = KINDS.get(part, Kind.F32) if target.endswith(".weight") else Kind.F32
        blocks = gguf.quants.quantize(values, kind)
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(gguf.quants.dequantize(blocks, kind).reshape(values.shape).copy()))
        heads = {"attn_q": tiny.heads, "attn_k": tiny.key_value_heads}.get(part) if tiny.kind == "llama" else None
        blocks = permuted(blocks, heads) if heads else blocks
        # The converter squeezes the row that is no matrix.
        writer.add_tensor(target, blocks[0] if part == "ffn_gate_inp_shexp" else blocks, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


TWINS = {
    "gemma2": "gemma2", "gemma3_text": "gemma3", "gemma4_text": "gemma4", "phi3": "phi3", "smollm3": "smollm3", "olmo2": "olmo2", "olmo3": "olmo2",
    "olmoe": "olmoe", "exaone4": "exaone4", "cohere": "command-r", "granite": "granite", "granitemoe": "granitemoe", "cohere2": "cohere2", "glm4": "glm4",
    "starcoder2": "starcoder2", "stablelm": "stablelm", "seed_oss": "seed_oss", "ernie4_5": "ernie4_5",
    "ministral3": "mistral3", "glm4_moe": "glm4moe", "ernie4_5_moe": "ernie4_5-moe", "gpt_oss": "gpt-oss",
}
# Kinds whose rows of q and k the converter orders for llama.cpp's rotation of neighbours.
PERMUTED = ("smollm3", "granite", "granitemoe", "ministral3")


def twin_metadata(writer: gguf.GGUFWriter, tiny) -> None:
    """The keys of a kind that its converter class writes."""
    extra, prefix = tiny.extra, TWINS[tiny.kind]
    full = tiny.rope.get("full_attention", tiny.rope)
    writer.add_rope_freq_base(full["rope_theta"])
    size = extra.get("global_head_dim", tiny.head_dimension)
    part = full.get("partial_rotary_factor", 1)
    writer.add_rope_dimension_count(size if full["rope_type"] == "proportional" else int(size * part))
    writer.add_key_length(size)
    writer.add_value_length(size)
    if prefix == "gemma4":
        writer.add_key_length_swa(tiny.head_dimension)
        writer.add_value_length_swa(tiny.head_dimension)
        writer.add_rope_dimension_count_swa(tiny.head_dimension)
        writer.add_rope_freq_base_swa(tiny.rope["sliding_attention"]["rope_theta"])
        writer.add_shared_kv_layers(extra.get("num_kv_shared_layers", 0))
        writer.add_embedding_length_per_layer_input(extra["hidden_size_per_layer_input"])
        turned = int(size * part / 2)
        writer.add_tensor("rope_freqs.weight", np.array([1.0] * turned + [1e30] * (size // 2 - turned), dtype=np.float32))
    if full["rope_type"] in ("yarn", "linear"):
        writer.add_rope_scaling_type(gguf.RopeScalingType(full["rope_type"]))
        writer.add_rope_scaling_factor(full["factor"])
    if full["rope_type"] == "yarn":
        writer.add_rope_scaling_orig_ctx_len(full["original_max_position_embeddings"])
    if "mscale_all_dim" in full:
        writer.add_rope_scaling_yarn_log_mul(full["mscale_all_dim"])
        writer.add_attn_temperature_scale(full["llama_4_scaling_beta"])
    if full["rope_type"] == "longrope":
        writer.add_rope_scaling_orig_ctx_len(extra["original_max_position_embeddings"])
        ratio = tiny.max_positions / extra["original_max_position_embeddings"]
        writer.add_rope_scaling_attn_factors(float(np.sqrt(1 + np.log(ratio) / np.log(extra["original_max_position_embeddings"]))))
        for length in ("long", "short"):
            writer.add_tensor(f"rope_factors_{length}.weight", np.array(full[f"{length}_factor"], dtype=np.float32))
    if extra.get("sliding_window"):
        writer.add_sliding_window(extra["sliding_window"])
    if tiny.kind in ("olmo3", "gemma4_text") or tiny.kind == "exaone4" and extra["sliding_window"]:
        writer.add_sliding_window_pattern([kind == "sliding_attention" for kind in extra["layer_types"]])
    for key, add in (("attn_logit_softcapping", writer.add_attn_logit_softcapping), ("logit_scale", writer.add_logit_scale),
                     ("final_logit_softcapping", writer.add_final_logit_softcapping), ("logits_scaling", writer.add_logit_scale),
                     ("attention_multiplier", writer.add_attention_scale), ("residual_multiplier", writer.add_residual_scale),
                     ("embedding_multiplier", writer.add_embedding_scale),
                     ("use_parallel_residual", writer.add_parallel_residual)):
        if key in extra:
            add(extra[key])
    if any(key in extra for key in ("layer_norm_eps", "norm_epsilon")):
        writer.add_layer_norm_eps(1e-5)
    else:
        writer.add_layer_norm_rms_eps(1e-5)
    count = next((extra[key] for key in ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts") if key in extra), 0)
    if not count:
        return
    writer.add_expert_count(count)
    writer.add_expert_used_count(next(extra[key] for key in ("num_experts_per_tok", "moe_k", "top_k_experts") if key in extra))
    if "moe_intermediate_size" in extra:
        writer.add_expert_feed_forward_length(extra["moe_intermediate_size"])
    if prefix == "glm4moe":
        writer.add_expert_shared_count(extra["n_shared_experts"])
        writer.add_leading_dense_block_count(extra["first_k_dense_replace"])
        writer.add_expert_weights_scale(extra["routed_scaling_factor"])
        writer.add_expert_weights_norm(True)
        writer.add_nextn_predict_layers(extra["num_nextn_predict_layers"])
    if prefix == "ernie4_5-moe":
        writer.add_expert_shared_count(extra["moe_num_shared_experts"])
        writer.add_leading_dense_block_count(extra["moe_layer_start_index"])
        writer.add_interleave_moe_layer_step(1)


# What the table of names has no entry for.
GEMMA4_PARTS = {
    "layer_scalar": "layer_output_scale.weight", "router.scale": "ffn_gate_inp.scale", "router.per_expert_scale": "ffn_down_exps.scale",
    "experts.gate_up_proj": "ffn_gate_up_exps.weight", "experts.down_proj": "ffn_down_exps.weight",
}


def twin_tensors(tiny, model) -> list:
    """Each number of a model under the name that gguf's own table has for it."""
    arch = next(a for a, n in gguf.MODEL_ARCH_NAMES.items() if n == TWINS[tiny.kind])
    names = gguf.get_tensor_name_map(arch, tiny.layers)
    found = []
    for name, parameter in [*model.named_parameters(), *(b for b in model.named_buffers() if b[0].endswith(("e_score_correction_bias", "layer_scalar")))]:
        values = parameter.detach().float().numpy()
        block = f"blk.{name.split('.')[2]}" if ".layers." in name else ""
        if name == "lm_head.weight" and tiny.tied:
            continue
        if name.endswith("e_score_correction_bias"):
            found.append((f"{block}.exp_probs_b.bias", values.reshape(-1)))
        elif tiny.kind == "gemma4_text" and name.split(".", 3)[-1] in GEMMA4_PARTS:
            found.append((f"{block}.{GEMMA4_PARTS[name.split('.', 3)[-1]]}", values))
        elif tiny.kind == "gpt_oss" and ".experts." in name:
            # Of gate and up, which take turns, and as outputs by inputs.
            rows = values if name.endswith("bias") else values.swapaxes(1, 2)
            suffix = "bias" if name.endswith("bias") else "weight"
            parts = {"down": rows} if "down" in name else {"gate": rows[:, 0::2], "up": rows[:, 1::2]}
            found += [(f"{block}.ffn_{part}_exps.{suffix}", part_rows) for part, part_rows in parts.items()]
        elif name.endswith("self_attn.sinks"):
            found.append((f"{block}.attn_sinks.weight", values))
        elif name.endswith("experts.gate_up_proj"):
            for part, rows in zip(("gate", "up"), np.split(values, 2, axis=1)):
                found.append((f"{block}.ffn_{part}_exps.weight", rows))
        elif name.endswith("experts.down_proj"):
            found.append((f"{block}.ffn_down_exps.weight", values))
        else:
            if tiny.kind == "granitemoe":
                name = name.replace("router.weight", "router.layer.weight")
            target = names.get_name(name, try_suffixes=(".weight", ".bias"))
            assert target, f"{tiny.name}: no name for {name}"
            found.append((target, values))
    return found


def save_twin(tiny, model, tokenizer, path: Path) -> None:
    """The same numbers as in the model's folder: matrices in bfloat16, which holds them, and vectors in float32."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(str(path), TWINS[tiny.kind])
    layers = tiny.layers + (tiny.extra.get("num_nextn_predict_layers", 0) if tiny.kind == "glm4_moe" else 0)
    write_sizes(writer, tiny, layers)
    twin_metadata(writer, tiny)
    write_tokenizer(writer, tokenizer)
    for target, values in twin_tensors(tiny, model):
        part = target.split(".")[-2]
        if tiny.kind in ("gemma2", "gemma3_text") and target.endswith("norm.weight"):
            values = values + 1
        heads = {"attn_q": tiny.heads, "attn_k": tiny.key_value_heads}.get(part) if tiny.kind in PERMUTED else None
        if heads and values.ndim == 2:
            values = permuted(values, heads)
        kind = Kind.BF16 if values.ndim > 1 and part != "ffn_gate_inp" else Kind.F32
        if tiny.kind == "gpt_oss" and part.endswith("_exps"):
            stored = Kind.MXFP4 if tiny.is_mxfp4 else Kind.BF16
            kind = stored if target.endswith("weight") else Kind.F32
        writer.add_tensor(target, gguf.quants.quantize(np.ascontiguousarray(values, dtype=np.float32), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


ENCODER_NAMES = {
    "bert": {
        "embeddings.word_embeddings": "token_embd", "embeddings.position_embeddings": "position_embd",
        "embeddings.token_type_embeddings": "token_types", "embeddings.LayerNorm": "token_embd_norm",
        "attention.self.query": "attn_q", "attention.self.key": "attn_k", "attention.self.value": "attn_v",
        "attention.output.dense": "attn_output", "attention.output.LayerNorm": "attn_output_norm",
        "intermediate.dense": "ffn_up", "output.dense": "ffn_down", "output.LayerNorm": "layer_output_norm",
    },
    "nomic-bert": {
        "embeddings.word_embeddings": "token_embd", "embeddings.token_type_embeddings": "token_types",
        "emb_ln": "token_embd_norm", "attn.Wqkv": "attn_qkv", "attn.out_proj": "attn_output", "norm1": "attn_output_norm",
        "mlp.fc11": "ffn_up", "mlp.fc12": "ffn_gate", "mlp.fc2": "ffn_down", "norm2": "layer_output_norm",
    },
}
POOLING = {"mean_tokens": gguf.PoolingType.MEAN, "cls_token": gguf.PoolingType.CLS, "lasttoken": gguf.PoolingType.LAST}


def encoder_name(architecture: str, name: str) -> str:
    """llama.cpp's name of an encoder's tensor."""
    names = ENCODER_NAMES[architecture]
    module, _, kind = name.rpartition(".")
    if module.startswith("encoder.layer"):
        _, _, index, rest = module.split(".", 3)
        return f"blk.{index}.{names[rest]}.{kind}"
    return f"{names[module]}.{kind}"


def save_encoder(architecture: str, settings: dict, pooling: str, tensors: dict, tokenizer, path: Path) -> None:
    """An encoder's twin: the same numbers, which half precision holds but for rounding; WordPiece as llama.cpp writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_context_length(settings["max_position_embeddings"])
    writer.add_embedding_length(settings["hidden_size"])
    writer.add_block_count(settings["num_hidden_layers"])
    writer.add_feed_forward_length(settings["intermediate_size"])
    writer.add_head_count(settings["num_attention_heads"])
    writer.add_layer_norm_eps(1e-12)
    writer.add_causal_attention(False)
    writer.add_pooling_type(POOLING[pooling])
    if "rope_parameters" in settings:
        writer.add_rope_freq_base(settings["rope_parameters"]["rope_theta"])
    words = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    special = [word.startswith("[") and word.endswith("]") for word, _ in words]
    phantom = lambda word: word[2:] if word.startswith("##") else "\u2581" + word
    writer.add_token_type_count(settings["type_vocab_size"])
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([word if own else phantom(word) for (word, _), own in zip(words, special)])
    writer.add_token_types([gguf.TokenType.CONTROL if own else gguf.TokenType.NORMAL for own in special])
    for name, word in (("unk", "UNK"), ("sep", "SEP"), ("pad", "PAD"), ("bos", "CLS"), ("mask", "MASK")):
        getattr(writer, f"add_{name}_token_id")(dict(words)[f"[{word}]"])
    for name, values in sorted(tensors.items()):
        if name.startswith("pooler."):
            continue
        kind = Kind.BF16 if values.dim() == 2 and ".layer" in name else Kind.F32
        blocks = gguf.quants.quantize(values.float().numpy(), kind)
        writer.add_tensor(encoder_name(architecture, name), blocks, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
