"""Tiny tokenizers of the kinds that encoders have: WordPiece, Unigram, and BPE as SentencePiece writes it, made of the shared passage.

Trainers of the library break ties by chance, so WordPiece and Unigram vocabularies are chosen here."""

import json
import re
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import fixture_tokenizer

MARKS = ".,;:'?!-"
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def framed(tokenizer: Tokenizer, first: str, last: str, pair: str, types: bool = True) -> None:
    """Special tokens around one text and around a pair."""
    single = f"{first} $A {last}".strip()
    kind = ":1" if types else ""
    specials = [(token, tokenizer.token_to_id(token)) for token in {first, last} if token]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=single, pair=pair.format(first=first, last=last, kind=kind), special_tokens=specials)


def pieces(count: int, prefix: str, least: int = 2) -> list[str]:
    """The most telling pieces of the passage's words, by how many letters they cover; those within a word behind `prefix`."""
    found: dict[str, int] = {}
    for word in re.findall(r"[a-z]+|[0-9]+", fixture_tokenizer.PASSAGE.lower()):
        for start in range(len(word)):
            for end in range(start + least, len(word) + 1):
                piece = word[start:end] if start == 0 else prefix + word[start:end]
                found[piece] = found.get(piece, 0) + end - start
    return [piece for piece, _ in sorted(found.items(), key=lambda item: (-item[1], item[0]))[:count]]


def wordpiece(specials: list[str], size: int, unknown: str) -> Tokenizer:
    """BERT's: lower case, punctuation apart, pieces behind ## ."""
    letters = list(LETTERS + "0123456789" + MARKS) + ["##" + letter for letter in LETTERS + "0123456789"]
    words = specials + letters + pieces(size - len(specials) - len(letters), "##")
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(words)}, unk_token=unknown))
    tokenizer.add_special_tokens(specials)
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def bert() -> Tokenizer:
    tokenizer = wordpiece(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], 331, "[UNK]")
    framed(tokenizer, "[CLS]", "[SEP]", "{first} $A {last} $B{kind} {last}{kind}")
    return tokenizer


def mpnet() -> Tokenizer:
    tokenizer = wordpiece(["<s>", "<pad>", "</s>", "[UNK]", "<mask>"], 311, "[UNK]")
    framed(tokenizer, "<s>", "</s>", "{first} $A {last} {last} $B {last}", types=False)
    return tokenizer


def unigram() -> Tokenizer:
    """XLM-RoBERTa's."""
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    letters = list("\u2581" + LETTERS + LETTERS.upper() + "0123456789" + MARKS)
    longer = [("\u2581" if not piece.startswith("#") else "") + piece.lstrip("#") for piece in pieces(400, "#")]
    longer = [piece for piece in dict.fromkeys(longer) if len(piece) > 1][: 306 - len(specials) - len(letters)]
    scores = [0.0] * 4 + [-8.0 - i / 64 for i in range(len(letters))] + [-4.0 - i / 32 for i in range(len(longer))]
    vocabulary = list(zip(specials + letters + longer + ["<mask>"], scores + [0.0]))
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3, byte_fallback=False))
    tokenizer.add_special_tokens(specials + ["<mask>"])
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="\u2581", prepend_scheme="always")
    framed(tokenizer, "<s>", "</s>", "{first} $A {last} {last} $B {last}", types=False)
    return tokenizer


def byte_level(first: str, last: str, pair: str) -> Tokenizer:
    """The shared BPE with special tokens around a text; ModernBERT and Qwen3-Embedding have such ones."""
    tokenizer = fixture_tokenizer.build()
    framed(tokenizer, first, last, pair)
    return tokenizer


def gemma() -> Tokenizer:
    """Gemma's: BPE over text with spaces written as U+2581, other bytes as <0x..>."""
    specials = ["<pad>", "<eos>", "<bos>", "<unk>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
    trainer = trainers.BpeTrainer(
        vocab_size=409, special_tokens=specials, initial_alphabet=list(LETTERS), max_token_length=6, show_progress=False)
    tokenizer.train_from_iterator([fixture_tokenizer.PASSAGE], trainer)
    raw = json.loads(tokenizer.to_str())
    raw["added_tokens"] = [token for token in raw["added_tokens"] if not token["content"].startswith("<0x")]
    tokenizer = Tokenizer.from_str(json.dumps(raw))
    framed(tokenizer, "<bos>", "<eos>", "{first} $A {last} {first} $B {last}", types=False)
    return tokenizer


def save(tokenizer: Tokenizer, folder: Path, kind: str, specials: dict, length: int) -> None:
    """Writes tokenizer.json and tokenizer_config.json, and vocab.txt for WordPiece."""
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    settings = {"tokenizer_class": kind, "model_max_length": length, "clean_up_tokenization_spaces": False, **specials}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1, ensure_ascii=False) + "\n")
    if isinstance(tokenizer.model, models.WordPiece):
        words = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
        (folder / "vocab.txt").write_text("".join(word + "\n" for word, _ in words))
