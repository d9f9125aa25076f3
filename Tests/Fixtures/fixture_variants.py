"""The same tiny models with other files for texts: how rows are pooled, how long texts may be, what stands before them; and a head for
sparse vectors. Answers by sentence-transformers and transformers."""

import json
import shutil
import tempfile
from collections import OrderedDict
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

PROMPT = "The water of the mill: "
PROMPTS = {"config_sentence_transformers.json": {"prompts": {"query": PROMPT, "document": ""}, "default_prompt_name": "query"}}


def pooling(mode: str, include_prompt: bool = True) -> dict:
    """1_Pooling/config.json as sentence-transformers writes it now."""
    return {"1_Pooling/config.json": {"embedding_dimension": 48, "pooling_mode": mode, "include_prompt": include_prompt}}


def cut(length: int, lower: bool = False) -> dict:
    return {"sentence_bert_config.json": {"max_seq_length": length, "do_lower_case": lower}}


#: Name, folder, and its files that differ.
VARIANTS = [
    ("max", "bert-mean", pooling("max")),
    ("root", "bert-mean", pooling("mean_sqrt_len_tokens")),
    ("weighted", "bert-mean", pooling("weightedmean")),
    ("last", "bert-mean", pooling("lasttoken")),
    ("prompt", "bert-mean", PROMPTS),
    ("mean-without-prompt", "bert-mean", {**PROMPTS, **pooling("mean", False)}),
    ("weighted-without-prompt", "mpnet-mean", {**PROMPTS, **pooling("weightedmean", False)}),
    ("max-without-prompt", "bert-mean", {**PROMPTS, **pooling("max", False)}),
    ("first-without-prompt", "bert-mean", {**PROMPTS, **pooling("cls", False)}),
    ("decoder-prompt", "qwen3-embedding", {**PROMPTS, **cut(40)}),
    ("cut", "bert-mean", cut(24)),
    ("cut-lower", "modern-mean", cut(31, lower=True)),
    ("cut-decoder", "qwen3-embedding", cut(19)),
    ("cut-unigram", "xlmr-cls", cut(17)),
    ("cut-pairs", "bert-pairs", cut(26)),
    ("cut-unigram-pairs", "xlmr-pairs", cut(23)),
]


@torch.no_grad()
def record(folder: Path, files: dict, texts: list[str]) -> list[dict]:
    """Ids as the model sees them, how many of the first are the prompt, and answers."""
    limit = files.get("sentence_bert_config.json", {}).get("max_seq_length", 316)
    records = []
    if folder.name.endswith("pairs"):
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
        for number, text in enumerate(texts):
            pair = texts[(number + 1) % len(texts)]
            inputs = tokenizer(text, pair, truncation=True, max_length=limit, return_tensors="pt")
            record = {"text": text, "pair": pair, "ids": inputs["input_ids"][0].tolist()}
            if "token_type_ids" in inputs and inputs["token_type_ids"].any():
                record["types"] = inputs["token_type_ids"][0].tolist()
            records.append({**record, "answer": model(**inputs).logits[0].tolist()})
        return records
    sentences = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": torch.float32})
    prompt = sentences.prompts.get(sentences.default_prompt_name, "") if sentences.default_prompt_name else ""
    for text in texts:
        features = sentences.preprocess([text], prompt=prompt or None)
        record = {"text": text, "ids": features["input_ids"][0].tolist()}
        if "prompt_length" in features:
            record["leading"] = features["prompt_length"]
        records.append({**record, "answer": sentences.encode(text, normalize_embeddings=True).tolist()})
    return records


@torch.no_grad()
def sparse(folder: Path, texts: list[str]) -> None:
    """bge-m3's head for sparse vectors, stored as bge-m3 stores it, and what it makes of texts."""
    generator = torch.Generator().manual_seed(77)
    weight = (torch.randn(1, 48, generator=generator) / 4).to(torch.float16)
    bias = (torch.randn(1, generator=generator) * 0.3).to(torch.float16)
    torch.save(OrderedDict(weight=weight, bias=bias), folder / "sparse_linear.pt")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    silent = {model.config.bos_token_id, model.config.eos_token_id, model.config.pad_token_id}
    records = []
    for text in texts:
        inputs = tokenizer(text, return_tensors="pt")
        ids = inputs["input_ids"][0].tolist()
        rows = model(**inputs).last_hidden_state[0]
        numbers = torch.relu(rows @ weight[0].float() + bias.float()).tolist()
        weights = {}
        for token, number in zip(ids, numbers):
            if token not in silent and number > 0:
                weights[token] = max(weights.get(token, 0), number)
        records.append({"text": text, "ids": ids, "tokens": sorted(weights), "answer": [round(weights[t], 6) for t in sorted(weights)]})
    write(folder / "sparse.golden.json", {"texts": records})


def write(path: Path, golden: dict) -> None:
    path.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")).replace('{"text"', '\n{"text"') + "\n")


def make(here: Path, texts: list[str]) -> None:
    texts = [texts[1], texts[3], texts[4]]
    variants = []
    for name, base, files in VARIANTS:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / base
            shutil.copytree(here / base, folder)
            for path, content in files.items():
                (folder / path).write_text(json.dumps(content))
            records = record(folder, files, texts)
        for entry in records:
            entry["answer"] = [round(x, 6) for x in entry["answer"]]
        print(name, [len(entry["ids"]) for entry in records], [entry.get("leading") for entry in records])
        variants.append({"name": name, "base": base, "files": files, "texts": records})
    write(here / "variants.golden.json", {"variants": variants})
    sparse(here / "xlmr-cls", texts)
