"""Tiny random models, saved as Hugging Face lays them out, in either config dialect."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import gguf
import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

import fixture_tokenizer

STORED = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}
NAMES = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}

NULL = "null"


@dataclass
class TinyModel:
    """One folder: a configuration, how its weights are stored, and how wide they are spread."""

    name: str
    kind: str
    hidden: int
    heads: int
    key_value_heads: int
    head_dimension: int
    intermediate: int
    layers: int
    tied: bool
    stored: str = "BF16"
    rope: dict = field(default_factory=lambda: {"rope_theta": 10000.0, "rope_type": "default"})
    old_dialect: bool = False
    max_positions: int = 512
    shards: int = 1
    extra: dict = field(default_factory=dict)
    # Keys of the stored config.json that differ from what the reference is made of; None takes one away, NULL is a null.
    stored_keys: dict = field(default_factory=dict)
    # The name under which a network that also sees images has this one inside.
    outer: tuple[str, str] | None = None
    embedding_spread: float = 0.4
    seed: int = 0

    @property
    def is_mxfp4(self) -> bool:
        """Whether the experts are stored in MXFP4."""
        return self.stored_keys.get("quantization_config", {}).get("quant_method") == "mxfp4"

    def settings(self) -> dict:
        """The keys of config.json without RoPE."""
        return {
            "model_type": self.kind,
            "hidden_size": self.hidden,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.key_value_heads,
            "head_dim": self.head_dimension,
            "intermediate_size": self.intermediate,
            "num_hidden_layers": self.layers,
            "vocab_size": fixture_tokenizer.VOCABULARY_SIZE,
            "max_position_embeddings": self.max_positions,
            "rms_norm_eps": 1e-5,
            "hidden_act": "silu",
            "tie_word_embeddings": self.tied,
            "bos_token_id": fixture_tokenizer.TURN_START,
            "eos_token_id": fixture_tokenizer.TURN_END,
            "pad_token_id": fixture_tokenizer.END_OF_TEXT,
            **self.extra,
        }

    def reference_rope(self) -> tuple[dict, str]:
        """RoPE as the reference computes it, and a sentence about it: SGLang's dynamic rule is a plain RoPE of another base."""
        if self.rope.get("rope_type") == "longrope":
            return {**self.rope, "short_factor": self.rope["long_factor"]}, (
                "the long factors at all lengths, since the server's context is longer than the original one")
        if self.rope.get("rope_type") != "dynamic":
            return dict(self.rope), "as transformers has it"
        factor, d = self.rope["factor"], self.head_dimension
        theta = self.rope["rope_theta"] * (factor * factor - factor + 1) ** (d / (d - 2))
        return {"rope_theta": theta, "rope_type": "default"}, (
            "SGLang's static dynamic NTK: plain RoPE of theta * (factor^2 - factor + 1)^(d/(d-2)) at all lengths")

    def stored_config(self, architecture: str) -> dict:
        """config.json: `rope_parameters` in the new dialect, `rope_theta` and `rope_scaling` in the old one."""
        config = {"architectures": [architecture], **self.settings()}
        if self.head_dimension * self.heads == self.hidden and not self.kind.startswith("gemma"):
            del config["head_dim"]
        if not self.old_dialect:
            return self.finished({**config, "dtype": NAMES[self.stored], "rope_parameters": self.rope})
        scaling = {k: v for k, v in self.rope.items() if k != "rope_theta"}
        config |= {"torch_dtype": NAMES[self.stored], "rope_theta": self.rope["rope_theta"]}
        scaling.pop("partial_rotary_factor", None)
        config["rope_scaling"] = None if scaling["rope_type"] == "default" else scaling
        if scaling["rope_type"] == "linear":
            config["rope_scaling"] = {"type": "linear", "factor": scaling["factor"]}
        return self.finished(config)

    def finished(self, config: dict) -> dict:
        """With the keys of the folder alone, and inside the configuration of a network that sees images."""
        config = {k: None if v == NULL else v for k, v in (config | self.stored_keys).items() if v is not None}
        if not self.outer:
            return config
        name, kind = self.outer
        return {"architectures": [name], "model_type": kind, "dtype": config.pop("dtype"),
                "text_config": {k: v for k, v in config.items() if k != "architectures"},
                "eos_token_id": config["eos_token_id"]}


def make(tiny: TinyModel) -> AutoModelForCausalLM:
    """The reference model in float32, its weights already rounded to what the folder will hold."""
    rope, _ = tiny.reference_rope()
    config = AutoConfig.for_model(**tiny.settings(), rope_parameters=rope)
    config._attn_implementation = "eager"
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    generator = torch.Generator().manual_seed(tiny.seed)
    with torch.no_grad():
        for name, parameter in sorted([*model.named_parameters(), *stored_buffers(model)]):
            values = torch.randn(parameter.shape, generator=generator)
            is_norm = name.endswith(".weight") and "norm" in name.split(".")[-2]
            if is_norm or name.endswith(("layer_scalar", "router.scale", "per_expert_scale")):
                # Gemma's weights are what is added to one; its last norm is loud, since its embeddings, which are the head, are low.
                is_gemma = tiny.kind in ("gemma2", "gemma3_text")
                loud = 2 if name == "model.norm.weight" and tiny.kind.startswith("gemma") else 0
                values = loud + (0 if is_gemma else 1) + 0.3 * values
            elif "embed_tokens" in name or "lm_head" in name:
                values = tiny.embedding_spread * values
            elif name.endswith("e_score_correction_bias"):
                values = 0.2 * values
            elif name.endswith("bias"):
                values = 0.5 * values
            else:
                values = 2.2 * values / parameter.shape[-1] ** 0.5
            parameter.copy_(values.to(STORED[tiny.stored]).float())
            if tiny.is_mxfp4 and name.endswith(("experts.gate_up_proj", "experts.down_proj")):
                parameter.copy_(mxfp4_values(mxfp4_blocks(parameter)))
    return model


def mxfp4_blocks(weight):
    """Experts' `[experts][in][out]` as blocks of MXFP4 along the inputs, `[experts][out][in]`."""
    values = weight.detach().transpose(1, 2).contiguous().numpy()
    return gguf.quants.quantize(values, gguf.GGMLQuantizationType.MXFP4)


def mxfp4_values(blocks):
    """The numbers that the blocks stand for, as the reference has them."""
    values = gguf.quants.dequantize(blocks, gguf.GGMLQuantizationType.MXFP4)
    return torch.from_numpy(values.copy()).transpose(1, 2)


def mxfp4_parts(weight) -> tuple:
    """Blocks and scales as published checkpoints have them: neighbours share a byte."""
    experts, inputs, outputs = weight.shape
    raw = torch.from_numpy(mxfp4_blocks(weight).copy()).reshape(experts, outputs, inputs // 32, 17)
    numbers = torch.cat([raw[..., 1:] & 15, raw[..., 1:] >> 4], dim=-1)
    return (numbers[..., 0::2] | numbers[..., 1::2] << 4).contiguous(), raw[..., 0].contiguous()


def stored_buffers(model) -> list:
    """The buffers that checkpoints have: what some routers add to scores before they choose, and factors on layers."""
    return [(n, b) for n, b in model.named_buffers() if n.endswith(("e_score_correction_bias", "layer_scalar"))]


# Models that are saved as a part of one that sees images.
OUTER: dict = {}


def stored_tensors(model, in_mxfp4: bool = False) -> dict:
    """Parameters under the names of published checkpoints: experts, which the reference stacks, one by one, but for some."""
    tensors = {}
    for name, parameter in sorted([*model.named_parameters(), *stored_buffers(model)]):
        place, _, part = name.rpartition(".experts.")
        if not place or model.config.model_type == "gemma4_text":
            tensors[published(name, model)] = parameter.detach()
            continue
        if model.config.model_type == "gpt_oss":
            if part.endswith("bias") or not in_mxfp4:
                tensors[name] = parameter.detach()
            else:
                tensors[name + "_blocks"], tensors[name + "_scales"] = mxfp4_parts(parameter)
            continue
        if model.config.model_type == "granitemoe":
            stack = {"gate_up_proj": "input_linear", "down_proj": "output_linear"}[part]
            tensors[f"{place}.{stack}.weight"] = parameter.detach()
            continue
        for expert, weight in enumerate(parameter.detach()):
            pieces = {"gate_up_proj": ("gate_proj", "up_proj"), "down_proj": ("down_proj",)}[part]
            for piece, rows in zip(pieces, weight.chunk(len(pieces))):
                tensors[published(f"{place}.experts.{expert}.{piece}.weight", model)] = rows
    return tensors


def published(name: str, model) -> str:
    """Mixtral's checkpoints have names of their own, and text parts a place."""
    if OUTER.get(model):
        name = name.replace("model.", "model.language_model.", 1) if model.config.model_type == "gemma4_text" else "language_model." + name
    if model.config.model_type == "ernie4_5_moe":
        return name.replace("gate.moe_statics", "moe_statics")
    if model.config.model_type == "granitemoe":
        return name.replace("router.weight", "router.layer.weight")
    if model.config.model_type != "mixtral":
        return name
    for old, new in (("mlp.", "block_sparse_moe."), ("gate_proj", "w1"), ("down_proj", "w2"), ("up_proj", "w3")):
        name = name.replace(old, new)
    return name


def save(tiny: TinyModel, model, folder: Path) -> None:
    """Writes config.json, generation_config.json and the weights, in one file or in shards with an index."""
    folder.mkdir(parents=True, exist_ok=True)
    OUTER[model] = tiny.outer is not None
    (folder / "config.json").write_text(json.dumps(tiny.stored_config(type(model).__name__), indent=1) + "\n")
    generation = {"bos_token_id": 1, "eos_token_id": [fixture_tokenizer.TURN_END], "pad_token_id": 0}
    (folder / "generation_config.json").write_text(json.dumps(generation, indent=1) + "\n")
    tensors = {n: p if p.dtype == torch.uint8 else p.to(STORED[tiny.stored]).contiguous() for n, p in stored_tensors(model, tiny.is_mxfp4).items()}
    if tiny.shards == 1:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        return
    names, where = list(tensors), {}
    for shard in range(tiny.shards):
        file = f"model-{shard + 1:05d}-of-{tiny.shards:05d}.safetensors"
        part = names[shard :: tiny.shards]
        save_file({n: tensors[n] for n in part}, folder / file, metadata={"format": "pt"})
        where |= {n: file for n in part}
    total = sum(t.numel() * t.element_size() for t in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(where.items()))}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")


def check_reload(tiny: TinyModel, model, folder: Path) -> None:
    """transformers reads the folder back as the same model (dynamic apart, where its rule differs beyond max_positions)."""
    if tiny.outer or tiny.is_mxfp4:
        return
    again = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    if tiny.rope.get("rope_type") in ("dynamic", "longrope"):
        return
    ids = torch.arange(0, min(tiny.max_positions, 300)).remainder(fixture_tokenizer.VOCABULARY_SIZE)[None]
    with torch.no_grad():
        difference = (again(ids).logits - model(ids).logits).abs().max()
    assert difference < 1e-3, f"{tiny.name}: reload differs by {difference}"
