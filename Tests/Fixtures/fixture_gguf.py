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


def write_metadata(writer: gguf.GGUFWriter, tiny, tokenizer) -> None:
    """Architecture and tokenizer keys."""
    writer.add_context_length(tiny.max_positions)
    writer.add_embedding_length(tiny.hidden)
    writer.add_block_count(tiny.layers)
    writer.add_feed_forward_length(tiny.intermediate)
    writer.add_head_count(tiny.heads)
    writer.add_head_count_kv(tiny.key_value_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(tiny.rope["rope_theta"])
    writer.add_rope_dimension_count(tiny.head_dimension)
    writer.add_vocab_size(fixture_tokenizer.VOCABULARY_SIZE)
    if "num_experts" in tiny.extra:
        writer.add_expert_count(tiny.extra["num_experts"])
        writer.add_expert_used_count(tiny.extra["num_experts_per_tok"])
        writer.add_expert_feed_forward_length(tiny.extra["moe_intermediate_size"])
        writer.add_expert_shared_feed_forward_length(tiny.extra["shared_expert_intermediate_size"])
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
