"""Makes Fixtures/Vocabularies: small vocabularies as they lie in folders without tokenizer.json, and what transformers makes of
them. Run with a Python that has `transformers`, `tokenizers` and `sentencepiece`:

    python make_vocabulary_goldens.py

cases.json lists the folders: their files (name in the folder, name of the fixture) and the contents of config.json and
tokenizer_config.json. NAME.jsonl holds, line by line: [index of an input, ids, text, text without special tokens] as
make_tokenizer_goldens.py writes them, then [first, second, ids, types] for pairs of texts.
"""

import base64
import io
import json
import os
import random
import shutil
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "Fixtures", "Vocabularies")
# The other script's strings and training text.
with open(os.path.join(HERE, "make_tokenizer_goldens.py"), encoding="utf-8") as script:
    shared = {"__name__": "shared", "__file__": os.path.join(HERE, "make_tokenizer_goldens.py")}
    exec(compile(script.read().replace("\nmain()\n", "\n"), "shared", "exec"), shared)


def sentence_piece(name, rules=False, **settings):
    import sentencepiece

    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as table:
        for line in shared["RULES"].strip().split("\n"):
            parts = line.split(" ")
            cut = {"41 30A C5": 2, "65 301 E9": 2, "1100 1161 AC00": 2, "D A 20": 2, "1F44D 1F3FD 3A 29": 2}.get(line, 1)
            table.write(" ".join(parts[:cut]) + "\t" + " ".join(parts[cut:]) + "\n")
        table.flush()
        settings |= {"normalization_rule_tsv": table.name} if rules else {"normalization_rule_name": "identity"}
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(shared["TRAINING"].split("\n")), model_writer=model, hard_vocab_limit=False, minloglevel=2, **settings)
    with open(os.path.join(FOLDER, name), "wb") as file:
        file.write(model.getvalue())


def make_files():
    sentence_piece("bytes.bpe.model", model_type="bpe", vocab_size=1000, byte_fallback=True, remove_extra_whitespaces=False,
                   character_coverage=0.98, split_digits=True, allow_whitespace_only_pieces=True)
    sentence_piece("symbols.bpe.model", rules=True, model_type="bpe", vocab_size=900, user_defined_symbols=["<sep>", "foo bar", "漢字", "ab", "abc"],
                   control_symbols=["<ctl>"])
    sentence_piece("gemma.bpe.model", model_type="bpe", vocab_size=1000, byte_fallback=True, remove_extra_whitespaces=False, add_dummy_prefix=False,
                   character_coverage=0.98, split_digits=True, pad_id=0, eos_id=1, bos_id=2, unk_id=3, pad_piece="<pad>", eos_piece="<eos>",
                   bos_piece="<bos>", user_defined_symbols=["<mask>", "<start_of_turn>", "<end_of_turn>", "\n\n", "▁▁"])
    sentence_piece("words.unigram.model", rules=True, model_type="unigram", vocab_size=900)
    sentence_piece("bytes.unigram.model", model_type="unigram", vocab_size=1000, byte_fallback=True, remove_extra_whitespaces=False,
                   character_coverage=0.98, user_defined_symbols=["<sep>", "foo bar"], bos_id=-1)
    with open(os.path.join(HERE, "Fixtures", "gpt2.tokenizer.json"), encoding="utf-8") as file:
        model = json.load(file)["model"]
    with open(os.path.join(FOLDER, "vocab.json"), "w", encoding="utf-8") as file:
        json.dump(model["vocab"], file, ensure_ascii=False)
    with open(os.path.join(FOLDER, "merges.txt"), "w", encoding="utf-8") as file:
        file.write("#version: 0.2\n" + "".join((m if isinstance(m, str) else " ".join(m)) + "\n" for m in model["merges"]))
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    spelled = {c: b for b, c in bytes_to_unicode().items()}
    ranks = [token for token, _ in sorted(model["vocab"].items(), key=lambda entry: entry[1]) if all(c in spelled for c in token)]
    with open(os.path.join(FOLDER, "ranks.tiktoken"), "w") as file:
        for rank, token in enumerate(ranks):
            file.write(base64.b64encode(bytes(spelled[c] for c in token)).decode() + " %d\n" % rank)
    with open(os.path.join(HERE, "Fixtures", "wordpiece.tokenizer.json"), encoding="utf-8") as file:
        tokens = sorted(json.load(file)["model"]["vocab"].items(), key=lambda entry: entry[1])
    names = {"[CLS]": "<s>", "[SEP]": "</s>", "[PAD]": "<pad>", "[MASK]": "<mask>"}
    with open(os.path.join(FOLDER, "mpnet.txt"), "w", encoding="utf-8") as file:
        file.write("".join(names.get(token, token) + "\n" for token, _ in tokens))
    return len(ranks)


def cases(ranks):
    def token(content, **flags):
        return {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True} | flags

    made = {}

    def case(name, files, model_type=None, **settings):
        made[name] = {"files": files, "config": {"model_type": model_type} if model_type else None, "tokenizer_config": settings or None}

    llama = {"tokenizer.model": "bytes.bpe.model"}
    case("llama", llama, "llama", tokenizer_class="LlamaTokenizer", add_bos_token=True)
    case("llama_legacy", llama, "llama", tokenizer_class="LlamaTokenizer", add_bos_token=True, add_eos_token=True, legacy=True)
    case("llama_without_prefix", llama, "llama", tokenizer_class="LlamaTokenizerFast", add_prefix_space=False)
    case("llama_more_tokens", llama, "llama", tokenizer_class="LlamaTokenizer", add_bos_token=True, pad_token="<pad>",
         additional_special_tokens=["<|im_start|>", "<|im_end|>"], eos_token="<|im_end|>")
    case("mistral", llama, "mistral", tokenizer_class="LlamaTokenizer", add_bos_token=True, legacy=False)
    case("phi3", llama, "phi3", tokenizer_class="LlamaTokenizer", add_bos_token=True, legacy=False, added_tokens_decoder={
        "0": token("<unk>"), "1": token("<s>"), "2": token("</s>", rstrip=True, special=False), "5": token("<renamed>", rstrip=True),
        "1000": token("<|endoftext|>"), "1001": token("<|assistant|>", rstrip=True)})
    case("alone", llama)
    case("symbols", {"tokenizer.model": "symbols.bpe.model"}, "stablelm", add_bos_token=True)
    case("symbols_first", {"tokenizer.model": "symbols.bpe.model"}, "internlm2", legacy=False)
    case("unigram_bytes", {"tokenizer.model": "bytes.unigram.model"}, "stablelm")
    case("unigram_words", {"tokenizer.model": "words.unigram.model"}, "stablelm", legacy=False)
    case("gemma", {"tokenizer.model": "gemma.bpe.model"}, "gemma2", tokenizer_class="GemmaTokenizer", add_bos_token=True)
    words = "words.unigram.model"
    case("xlm_roberta", {"sentencepiece.bpe.model": words}, "xlm-roberta", tokenizer_class="XLMRobertaTokenizer")
    case("camembert", {"sentencepiece.bpe.model": words}, "camembert")
    case("t5", {"spiece.model": words}, "t5", tokenizer_class="T5Tokenizer")
    case("albert", {"spiece.model": words}, "albert", cls_token="<s>", sep_token="</s>")
    case("deberta_v2", {"spm.model": words}, "deberta-v2", tokenizer_class="DebertaV2Tokenizer", do_lower_case=True, split_by_punct=True)
    case("mpnet", {"vocab.txt": "mpnet.txt"}, "mpnet", tokenizer_class="MPNetTokenizer")
    pairs = {"vocab.json": "vocab.json", "merges.txt": "merges.txt"}
    case("gpt2", pairs, "gpt2", tokenizer_class="GPT2Tokenizer", add_prefix_space=True, add_bos_token=True, pad_token="<pad>")
    case("roberta", pairs, "roberta", tokenizer_class="RobertaTokenizer")
    case("qwen2", pairs, "qwen3", tokenizer_class="Qwen2Tokenizer")
    case("gpt_neox", pairs, "gpt_neox", tokenizer_class="GPTNeoXTokenizer")
    case("cohere", pairs, "cohere", tokenizer_class="CohereTokenizer")
    case("ranks", {"tokenizer.model": "ranks.tiktoken"}, "stablelm", bos_token="<|begin|>", add_bos_token=True, added_tokens_decoder={
        str(ranks + 2): token("<|begin|>"), str(ranks + 4): token("<|end|>")})
    return made


def main():
    from transformers import AutoTokenizer

    os.makedirs(FOLDER, exist_ok=True)
    made = cases(make_files())
    with open(os.path.join(FOLDER, "cases.json"), "w", encoding="utf-8") as file:
        json.dump(made, file, indent=1, ensure_ascii=False)
        file.write("\n")
    with open(os.path.join(HERE, "Fixtures", "strings.jsonl"), encoding="utf-8") as file:
        inputs = [json.loads(line) for line in file]
    unique = [text for text in inputs if isinstance(text, str)]
    for number, (name, case) in enumerate(made.items()):
        with tempfile.TemporaryDirectory() as folder:
            for target, source in case["files"].items():
                shutil.copy(os.path.join(FOLDER, source), os.path.join(folder, target))
            for target in ("config", "tokenizer_config"):
                if case[target] is not None:
                    with open(os.path.join(folder, target + ".json"), "w") as file:
                        json.dump(case[target], file)
            t = AutoTokenizer.from_pretrained(folder)._tokenizer
        r = random.Random(number)
        chosen = sorted({i for i in range(len(unique)) if (i + number) % 21 == 0} | {unique.index(x) for x in ("", " ", "  a  ", "</s>", "<mask>")})
        rows = [shared["golden"](i, unique[i], lambda s: t.encode(s).ids, lambda ids, skip: t.decode(ids, skip_special_tokens=skip)) for i in chosen]
        for _ in range(12):
            first, second = r.randrange(len(unique)), r.randrange(len(unique))
            made_of = t.encode(unique[first], unique[second])
            rows.append([first, second, made_of.ids, made_of.type_ids])
        shared["write_lines"](os.path.join("Vocabularies", name + ".jsonl"), rows)


sys.exit(main())
