#!/usr/bin/env python3
"""Makes the tiny models that give vectors, scores or classes, and their goldens (see README.md).

usage: make_encoders.py [NAME …]      the folders named, or all
       make_encoders.py --variants    the goldens of folders whose files for texts say something else, and of sparse vectors
       make_encoders.py --internlm2   InternLM2 as it predicts tokens
       make_encoders.py --minilm DIR  the goldens of the real all-MiniLM-L6-v2"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer

import fixture_encoders
import fixture_gguf
import fixture_goldens
import fixture_models
import fixture_tokenizer
import fixture_variants
from fixture_encoders import TOKENIZERS, TinyEncoder

HERE = Path(__file__).resolve().parent
SMALL = {"num_hidden_layers": 2, "max_position_embeddings": 320, "pad_token_id": 0}
IDENTITY, TANH = "torch.nn.modules.linear.Identity", "torch.nn.modules.activation.Tanh"
ROTARY = {"sliding_attention": {"rope_type": "default", "rope_theta": 500.0},
          "full_attention": {"rope_type": "default", "rope_theta": 8000.0}}


def sizes(hidden: int, heads: int, intermediate: int, **more) -> dict:
    """The keys that all configurations have."""
    return {**SMALL, "hidden_size": hidden, "num_attention_heads": heads, "intermediate_size": intermediate, **more}


def bert(hidden=48, heads=3, intermediate=72, **more) -> dict:
    return sizes(hidden, heads, intermediate, vocab_size=331, type_vocab_size=2, **more)


def roberta(**more) -> dict:
    return {**sizes(48, 3, 72, vocab_size=307, type_vocab_size=1, **more), "pad_token_id": 1}


def decoder(hidden=48, heads=4, intermediate=72, **more) -> dict:
    return sizes(hidden, heads, intermediate, vocab_size=331, num_key_value_heads=2, bos_token_id=1, eos_token_id=2, **more)


MODERN = sizes(48, 3, 72, vocab_size=331, local_attention=24, rope_parameters=ROTARY, bos_token_id=1, eos_token_id=2,
               cls_token_id=1, sep_token_id=2, num_labels=1, reference_compile=False)
MODERN["num_hidden_layers"] = 4
GEMMA = {**sizes(48, 3, 72, vocab_size=409, num_key_value_heads=1, head_dim=16, query_pre_attn_scalar=24, sliding_window=20,
                 use_bidirectional_attention=True, rope_parameters=ROTARY, bos_token_id=2, eos_token_id=1),
         "layer_types": ["sliding_attention", "full_attention", "sliding_attention"], "num_hidden_layers": 3}

GEMMA2 = {**sizes(48, 4, 72, vocab_size=409, num_key_value_heads=2, head_dim=16, query_pre_attn_scalar=24, sliding_window=20,
                  attn_logit_softcapping=4.0, final_logit_softcapping=6.0, bos_token_id=2, eos_token_id=1), "num_hidden_layers": 3,
          "num_labels": 1}

MODELS = [
    TinyEncoder("bert-mean", "BertModel", "bert", bert(), ["mean_tokens", "normalize"], seed=31),
    TinyEncoder("bert-dense", "BertModel", "bert", bert(80, 5, 104, hidden_act="gelu_new"),
                ["cls_token", (37, True, TANH), "normalize"], seed=32),
    TinyEncoder("bert-pairs", "BertForSequenceClassification", "bert", bert(num_labels=1), seed=33),
    TinyEncoder("xlmr-cls", "XLMRobertaModel", "xlmr", roberta(), ["cls_token", "normalize"], seed=34),
    TinyEncoder("xlmr-pairs", "XLMRobertaForSequenceClassification", "xlmr", roberta(num_labels=1), seed=35),
    TinyEncoder("mpnet-mean", "MPNetModel", "mpnet", {**sizes(48, 3, 72, vocab_size=311), "pad_token_id": 1},
                ["mean_tokens", "normalize"], seed=36),
    TinyEncoder("nomic-mean", "NomicBertModel", "bert", bert(rope_parameters={"rope_theta": 700.0, "rope_type": "default"}),
                ["mean_tokens"], seed=37),
    TinyEncoder("modern-mean", "ModernBertModel", "modern", MODERN, ["mean_tokens", "normalize"], seed=38),
    TinyEncoder("modern-pairs", "ModernBertForSequenceClassification", "modern", {**MODERN, "classifier_pooling": "cls"}, seed=39),
    TinyEncoder("gemma-embedding", "Gemma3TextModel", "gemma", GEMMA,
                ["mean_tokens", (96, False, IDENTITY), (40, False, IDENTITY), "normalize"], seed=40),
    TinyEncoder("qwen3-embedding", "Qwen3Model", "qwen", decoder(head_dim=24, tie_word_embeddings=True),
                ["lasttoken", "normalize"], seed=41),
    TinyEncoder("qwen2-reward", "Qwen2ForSequenceClassification", "plain", decoder(64, num_labels=1), extra={"reward": True}, seed=42),
    TinyEncoder("llama-classes", "LlamaForSequenceClassification", "plain",
                decoder(64, id2label={0: "calm", 1: "storm", 2: "frost"}, label2id={"calm": 0, "storm": 1, "frost": 2}), seed=43),
    TinyEncoder("internlm2-reward", "LlamaForSequenceClassification", "plain",
                decoder(64, attention_bias=True, num_labels=1), extra={"internlm2": True}, seed=44),
    TinyEncoder("llama-attributes", "LlamaForSequenceClassification", "plain", decoder(64, num_labels=6),
                extra={"attributes": True}, seed=45),
    TinyEncoder("gemma2-reward", "Gemma2ForSequenceClassification", "gemma", GEMMA2, seed=46),
]

#: Folders with a GGUF twin: its architecture there, and its folder.
GGUF = {"bert-mean": ("bert", "bert-gguf"), "nomic-mean": ("nomic-bert", "nomic-gguf")}

PASSAGE = fixture_tokenizer.PASSAGE.replace("\n", " ")
TEXTS = ["a", "The mill.", "water", PASSAGE[40:97], PASSAGE[97:330], PASSAGE[5:20]]


def longest(tokenizer) -> str:
    """As much of the passage as makes 276 tokens at most, longer than a block of attention."""
    words = PASSAGE.split(" ")
    while len(tokenizer.encode(" ".join(words)).ids) > 276:
        words.pop()
    return " ".join(words)


@torch.no_grad()
def score(model, inputs: dict) -> list[float]:
    """What a classifier says; a reward model's last row goes through its own two products."""
    if hasattr(model, "weights"):
        row = model.model(**inputs).last_hidden_state[0, -1]
        return [(model.score(row)[::2] * model.weights.fc(row)).sum().item()]
    if hasattr(model, "score"):
        return model.score(model.model(**inputs).last_hidden_state[0, -1]).tolist()
    return model(**inputs).logits[0].tolist()


def golden(tiny: TinyEncoder, model, tokenizer, folder: Path) -> dict:
    """Ids, token types and answers: unit vectors by sentence-transformers, or scores by transformers."""
    records = []
    sentences = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": torch.float32}) if tiny.modules else None
    pairs = tiny.name.endswith("pairs")
    for number, text in enumerate(TEXTS + [longest(tokenizer)]):
        pair = TEXTS[(number * 3 + 1) % 4] if pairs else None
        encoding = tokenizer.encode(text, pair) if pair else tokenizer.encode(text)
        record = {"text": text, **({"pair": pair} if pair else {}), "ids": encoding.ids}
        if any(encoding.type_ids):
            record["types"] = encoding.type_ids
        if len(encoding.ids) > tiny.settings["max_position_embeddings"] - 4:
            raise ValueError(f"{tiny.name}: {len(encoding.ids)} tokens are too many")
        if sentences:
            answer = sentences.encode(text, normalize_embeddings=True).tolist()
            assert sentences.tokenizer(text)["input_ids"] == encoding.ids, (tiny.name, text)
        else:
            inputs = {"input_ids": torch.tensor([encoding.ids])}
            if any(encoding.type_ids):
                inputs["token_type_ids"] = torch.tensor([encoding.type_ids])
            answer = score(model, inputs)
        records.append({**record, "answer": [round(x, 6) for x in answer]})
    return {"model": tiny.name, "normalized": bool(sentences), "texts": records}


def write(path: Path, golden: dict) -> None:
    """One line for each text."""
    lines = ",\n".join(json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in golden["texts"])
    head = {key: value for key, value in golden.items() if key != "texts"}
    path.write_text(json.dumps(head)[:-1] + ',\n"texts":[\n' + lines + "\n]}\n")


def make(tiny: TinyEncoder) -> None:
    folder = HERE / tiny.name
    tokenizer = TOKENIZERS[tiny.tokenizer][0]()
    assert tokenizer.get_vocab_size() == tiny.settings["vocab_size"], (tiny.name, tokenizer.get_vocab_size())
    model = tiny.build()
    tiny.save(model, tokenizer, folder)
    result = golden(tiny, model, tokenizer, folder)
    lengths = [len(r["ids"]) for r in result["texts"]]
    spread = torch.tensor([r["answer"] for r in result["texts"]]).std(0).mean()
    print(f"{tiny.name}: {lengths} tokens, answers spread by {spread:.3f}")
    if tiny.name in GGUF:
        twin = HERE / GGUF[tiny.name][1]
        tensors = load_file(folder / "model.safetensors")
        fixture_gguf.save_encoder(GGUF[tiny.name][0], tiny.settings, tiny.modules[0], tensors, tokenizer, twin / "tiny.gguf")
        write(twin / "golden.json", {**result, "model": twin.name})
    write(folder / "golden.json", result)


def internlm2() -> None:
    """A Llama under InternLM2's names; its goldens are of the kind that models have that predict tokens."""
    tiny = fixture_models.TinyModel(
        "internlm2", "llama", 48, 6, 2, 8, 72, 2, tied=False, extra={"attention_bias": True}, seed=47)
    folder, tokenizer = HERE / tiny.name, fixture_tokenizer.build()
    folder.mkdir(exist_ok=True)
    model = fixture_models.make(tiny)
    tensors = {name: p.to(torch.bfloat16).contiguous() for name, p in fixture_models.stored_tensors(model).items()}
    tensors, config = fixture_encoders.internlm2(tensors, model.config.to_dict())
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    fixture_tokenizer.save(tokenizer, folder)
    records = [fixture_goldens.golden(model, text, ids)
               for text, ids in fixture_tokenizer.prompts(tokenizer, fixture_goldens.PROMPT_LENGTHS)]
    for record in records:
        record["output_text"] = tokenizer.decode(record["output_ids"], skip_special_tokens=False)
    rotary = model.model.rotary_emb
    header = {"model": tiny.name, "architecture": "InternLM2ForCausalLM", "rope_rule": tiny.reference_rope()[1],
              "rope_frequencies": rotary.inv_freq.double().tolist(), "rope_magnitude": rotary.attention_scaling}
    fixture_goldens.write(folder / "golden.json", header, records)
    print(fixture_goldens.summary(tiny.name, records))


def minilm(folder: str) -> None:
    """The real model: first and last numbers of each vector and all of one."""
    sentences = SentenceTransformer(folder, device="cpu")
    records = []
    for text in TEXTS:
        ids = sentences.tokenizer(text)["input_ids"]
        vector = sentences.encode(text, normalize_embeddings=True).tolist()
        records.append({"text": text, "ids": ids, "answer": [round(x, 6) for x in vector]})
    write(HERE / "minilm.golden.json", {"model": "all-MiniLM-L6-v2", "normalized": True, "texts": records})


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["--minilm"]:
        minilm(sys.argv[2])
    elif sys.argv[1:2] == ["--variants"]:
        fixture_variants.make(HERE, TEXTS)
    elif sys.argv[1:2] == ["--internlm2"]:
        internlm2()
    else:
        for tiny in MODELS:
            if not sys.argv[1:] or tiny.name in sys.argv[1:]:
                make(tiny)
