"""Tiny random models that give vectors, scores or classes, with the files that sentence-transformers puts beside them."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from torch import nn

import fixture_text_tokenizers as kinds
import fixture_tokenizer

BERT_SPECIALS = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "mask_token": "[MASK]"}
ROBERTA_SPECIALS = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>",
                    "unk_token": "<unk>", "mask_token": "<mask>"}
CHAT_SPECIALS = {"pad_token": fixture_tokenizer.SPECIALS[0], "bos_token": fixture_tokenizer.SPECIALS[1],
                 "eos_token": fixture_tokenizer.SPECIALS[2]}
PAIR = "{first} $A {last} $B {last}"

TOKENIZERS = {
    "bert": (kinds.bert, "BertTokenizer", BERT_SPECIALS),
    "mpnet": (kinds.mpnet, "MPNetTokenizer", {**ROBERTA_SPECIALS, "unk_token": "[UNK]"}),
    "xlmr": (kinds.unigram, "XLMRobertaTokenizer", ROBERTA_SPECIALS),
    "modern": (lambda: kinds.byte_level("<|im_start|>", "<|im_end|>", PAIR), "PreTrainedTokenizerFast",
               {"cls_token": "<|im_start|>", "sep_token": "<|im_end|>", "pad_token": "<|endoftext|>"}),
    "qwen": (lambda: kinds.byte_level("", "<|endoftext|>", "$A $B {last}"), "PreTrainedTokenizerFast", CHAT_SPECIALS),
    "plain": (fixture_tokenizer.build, "PreTrainedTokenizerFast", CHAT_SPECIALS),
    "gemma": (kinds.gemma, "GemmaTokenizerFast",
              {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>"}),
}


def internlm2(tensors: dict, config: dict) -> tuple[dict, dict]:
    """A Llama as InternLM2 stores it: one tensor for queries, keys and values, group by group, and other names."""
    size = config["head_dim"]
    each = config["num_attention_heads"] // config["num_key_value_heads"]
    renamed = {}
    for name, tensor in tensors.items():
        if ".self_attn." in name:
            if ".q_proj." in name:
                parts = [tensors[name.replace("q_proj", part)] for part in ("q_proj", "k_proj", "v_proj")]
                grouped = [part.unflatten(0, (-1, count * size)) for part, count in zip(parts, (each, 1, 1))]
                renamed[name.replace("self_attn.q_proj", "attention.wqkv")] = torch.cat(grouped, 1).flatten(0, 1).contiguous()
            elif ".o_proj." in name:
                renamed[name.replace("self_attn.o_proj", "attention.wo")] = tensor
            continue
        for old, new in (("embed_tokens", "tok_embeddings"), ("input_layernorm", "attention_norm"),
                         ("post_attention_layernorm", "ffn_norm"), ("mlp.gate_proj", "feed_forward.w1"),
                         ("mlp.up_proj", "feed_forward.w3"), ("mlp.down_proj", "feed_forward.w2"), ("score.", "v_head."),
                         ("lm_head.", "output.")):
            name = name.replace(old, new)
        renamed[name] = tensor
    kept = {key: config[key] for key in (
        "hidden_size", "num_hidden_layers", "intermediate_size", "num_attention_heads", "num_key_value_heads", "vocab_size",
        "max_position_embeddings", "rms_norm_eps", "hidden_act", "bos_token_id", "eos_token_id", "pad_token_id")}
    name = "InternLM2ForRewardModel" if "v_head.weight" in renamed else "InternLM2ForCausalLM"
    return renamed, {"architectures": [name], "model_type": "internlm2", **kept, "bias": True,
                     "rope_theta": config["rope_parameters"]["rope_theta"], "rope_scaling": None, "torch_dtype": "bfloat16"}


@dataclass
class TinyEncoder:
    """One folder."""

    name: str
    model: str
    tokenizer: str
    settings: dict
    #: What sentence-transformers finds in modules.json, in order: a pooling mode, "normalize", or (outputs, bias, activation).
    modules: list = field(default_factory=list)
    extra: dict = field(default_factory=dict)
    #: Bare tensor names, as AutoModel saves them, or with the base model's prefix.
    seed: int = 0

    def build(self):
        """The reference model in float32, its weights rounded to bfloat16, which the folder holds."""
        config_class = getattr(transformers, self.model).config_class
        config = config_class(**self.settings)
        config._attn_implementation = "eager"
        model = getattr(transformers, self.model)(config).float().eval()
        if self.model == "Qwen2ForSequenceClassification" and self.extra.get("reward"):
            model.score = nn.Sequential(
                nn.Linear(config.hidden_size, config.hidden_size), nn.ReLU(), nn.Linear(config.hidden_size, 1))
        if self.extra.get("attributes"):
            size = config.hidden_size
            model.weights = nn.Module()
            model.weights.fc = nn.Sequential(
                nn.Linear(size, size), nn.SELU(), nn.Linear(size, size), nn.SELU(), nn.Linear(size, config.num_labels // 2))
        generator = torch.Generator().manual_seed(self.seed)
        with torch.no_grad():
            for name, parameter in sorted(model.named_parameters()):
                values = torch.randn(parameter.shape, generator=generator)
                if "norm" in name.lower() and name.endswith("weight"):
                    values = (0 if "Gemma" in self.model else 1) + 0.3 * values
                elif "relative_attention_bias" in name:
                    values = 1.5 * values
                elif "embeddings" in name or "embed_tokens" in name:
                    values = 0.5 * values
                elif name.endswith("bias"):
                    values = 0.4 * values
                else:
                    values = 1.6 * values / parameter.shape[1] ** 0.5
                parameter.copy_(values.to(torch.bfloat16).float())
        return model

    def save(self, model, tokenizer, folder: Path) -> None:
        """Weights, configuration, tokenizer and modules."""
        folder.mkdir(parents=True, exist_ok=True)
        model.save_pretrained(folder)
        tensors = {}
        from safetensors import safe_open
        with safe_open(folder / "model.safetensors", "pt") as stored:
            for name in stored.keys():
                tensors[name] = stored.get_tensor(name).to(torch.bfloat16).contiguous()
        config = json.loads((folder / "config.json").read_text())
        if self.extra.get("internlm2"):
            tensors, config = internlm2(tensors, config)
        if self.extra.get("attributes"):
            config["architectures"] = ["LlamaForSequenceClassificationWithNormal_Weights"]
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        config.pop("transformers_version", None)
        config["dtype"] = "bfloat16"
        if self.extra.get("reward"):
            config["architectures"] = ["Qwen2ForRewardModel"]
        (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
        kind, specials = TOKENIZERS[self.tokenizer][1:]
        kinds.save(tokenizer, folder, kind, specials, self.settings["max_position_embeddings"])
        self.save_modules(folder)

    def save_modules(self, folder: Path) -> None:
        """modules.json and the folders it names."""
        if not self.modules:
            return
        entries = [("", "Transformer")]
        width = self.settings["hidden_size"]
        generator = torch.Generator().manual_seed(self.seed + 1000)
        for number, module in enumerate(self.modules, start=1):
            name = {"normalize": "Normalize"}.get(module, "Pooling" if isinstance(module, str) else "Dense")
            place = folder / f"{number}_{name}"
            place.mkdir(exist_ok=True)
            entries.append((place.name, name))
            if name == "Pooling":
                modes = {f"pooling_mode_{mode}": mode == module for mode in (
                    "cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken")}
                config = {"word_embedding_dimension": width, **modes, "include_prompt": True}
                (place / "config.json").write_text(json.dumps(config, indent=1) + "\n")
            elif name == "Dense":
                outputs, bias, activation = module
                weight = torch.randn(outputs, width, generator=generator) / width**0.5
                tensors = {"linear.weight": weight.to(torch.bfloat16).float()}
                if bias:
                    tensors["linear.bias"] = torch.randn(outputs, generator=generator) * 0.3
                save_file(tensors, place / "model.safetensors")
                config = {"in_features": width, "out_features": outputs, "bias": bias, "activation_function": activation}
                (place / "config.json").write_text(json.dumps(config, indent=1) + "\n")
                width = outputs
            else:
                place.rmdir()
        modules = [{"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
                   for i, (path, kind) in enumerate(entries)]
        (folder / "modules.json").write_text(json.dumps(modules, indent=1) + "\n")
        settings = {"max_seq_length": self.settings["max_position_embeddings"] - 4, "do_lower_case": False}
        (folder / "sentence_bert_config.json").write_text(json.dumps(settings, indent=1) + "\n")
