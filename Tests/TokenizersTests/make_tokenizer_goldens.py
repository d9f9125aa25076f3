"""Makes the fixtures of TokenizersTests: small tokenizers over the space of components, hard strings, and what
Hugging Face's `tokenizers` makes of them. Run with a Python that has `tokenizers` (and `transformers` for --gguf):

    python make_tokenizer_goldens.py                 writes Fixtures/ for byte-pair encoding
    python make_tokenizer_goldens.py --models        writes those of the other models (needs `sentencepiece`), pairs of texts
                                                     and truncation
    python make_tokenizer_goldens.py --gguf FILE     writes Fixtures/smollm2.jsonl for the SmolLM2 vocabulary

Fixtures/strings.jsonl holds one input a line: a JSON string, or {"unit": text, "count": n} for a long one (the unit
repeated). Fixtures/NAME.jsonl holds, line by line for the inputs that NAME is tested with: [index, ids, text, text
without special tokens]; a text that equals the input is written 1 and one that equals the text before it 2; long
results are written as their length and FNV-1a hash (ids as little-endian 32-bit, text as UTF-8).
"""

import argparse
import json
import os
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(HERE, "Fixtures")

TRAINING = """
The quick brown fox jumps over the lazy dog. It's a shame that they're late; we'll see, I'd guess, you've won, he's m.
In the beginning the Universe was created. This has made a lot of people very angry and been widely regarded as a bad move.
def fibonacci(n):\n    if n < 2:\n        return n\n    return fibonacci(n - 1) + fibonacci(n - 2)\n
for (int i = 0; i < 1024; ++i) { sum += values[i] * weights[i]; }\n\treturn sum / 3.14159;\n
SELECT name, COUNT(*) FROM users WHERE created_at >= '2024-01-01' GROUP BY name HAVING COUNT(*) > 10;
{"model": "tiny", "temperature": 0.7, "max_tokens": 128, "stop": ["\\n\\n"]}
Le cœur a ses raisons que la raison ne connaît point. Où est la bibliothèque ? Ça va très bien, merci.
Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. Fußgängerübergänge sind häufig.
El pingüino Wenceslao hizo kilómetros bajo exhaustiva lluvia y frío; añoraba a su querido cachorro. ¿Qué pasa?
Съешь же ещё этих мягких французских булок, да выпей чаю. Всё в порядке, спасибо большое.
Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. Το γρήγορο καφέ αλεπού πηδάει πάνω από το σκύλο.
天地玄黃，宇宙洪荒。日月盈昃，辰宿列張。我们的征途是星辰大海。你好，世界！今天天气很好。
いろはにほへと ちりぬるを わかよたれそ つねならむ。日本語のテキストを処理する。カタカナも。
키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다. 안녕하세요 세계.
نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر ومغلف بجلد أزرق. مرحبا بالعالم
דג סקרן שט בים מאוכזב ולפתע מצא חברה. שלום עולם
ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण का सर्वनाश करने वाले विष्णुवतार भगवान श्रीराम। नमस्ते
เป็นมนุษย์สุดประเสริฐเลิศคุณค่า กว่าบรรดาฝูงสัตว์เดรัจฉาน สวัสดีชาวโลก
Bonjour le monde 12345 67890 3.14 1,000,000 0x1F 2024-11-23 99% $5.00 #1 😀 🎉 👍🏽 ✅ → … — “quotes” ‘single’
    indented four spaces\n\ttabbed line\r\nwindows line\n\n\nthree newlines   trailing   \n
""" * 3

COMBINING = "e\u0301 a\u0300\u0301 o\u0308\u0304 n\u0303 Å Å Å ﬁ ﬂ ½ ² ℌ ① ｆｕｌｌ ｗｉｄｔｈ ǆ ㎏ ㍿ \u1100\u1161\u11a8 각 \u0344 \u0958 q\u0307\u0323 q\u0323\u0307"


def trained(pre, alphabet, size, normalizer=None, special_tokens=(), **model):
    tokenizer = Tokenizer(models.BPE(**model))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre is not None:
        tokenizer.pre_tokenizer = pre
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=alphabet, show_progress=False, min_frequency=2,
        special_tokens=list(special_tokens))
    tokenizer.train_from_iterator(TRAINING.split("\n"), trainer)
    return tokenizer


BYTES = pre_tokenizers.ByteLevel.alphabet()
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")


def special(content, **flags):
    flags.setdefault("normalized", False)
    return AddedToken(content, special=True, **flags)


def gpt2():
    t = trained(pre_tokenizers.ByteLevel(add_prefix_space=False), BYTES, 900)
    t.decoder = decoders.ByteLevel()
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    t.add_special_tokens([special("<|endoftext|>")])
    return t


def roberta():
    t = trained(pre_tokenizers.ByteLevel(add_prefix_space=True), BYTES, 600)
    t.decoder = decoders.ByteLevel()
    t.add_special_tokens([special("<s>"), special("</s>"), special("<mask>", lstrip=True)])
    t.post_processor = processors.RobertaProcessing(("</s>", t.token_to_id("</s>")), ("<s>", t.token_to_id("<s>")))
    return t


def llama3():
    pre = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)])
    t = trained(pre, BYTES, 900, ignore_merges=True)
    # A token that merging alone would never make, as some of Llama 3's vocabulary.
    model = json.loads(t.to_str())
    model["model"]["vocab"]["Ġfibonacciness"] = len(model["model"]["vocab"])
    t = Tokenizer.from_str(json.dumps(model))
    t.decoder = decoders.ByteLevel()
    t.add_special_tokens([special(x) for x in ("<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>")])
    t.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=True),
        processors.TemplateProcessing(single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A <|begin_of_text|> $B",
                                      special_tokens=[("<|begin_of_text|>", t.token_to_id("<|begin_of_text|>"))]),
    ])
    return t


def qwen2():
    pre = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN2), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)])
    t = trained(pre, BYTES, 900, normalizer=normalizers.NFC())
    t.decoder = decoders.ByteLevel()
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    t.add_special_tokens([special(x) for x in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")])
    t.add_tokens([AddedToken("<tool_call>", normalized=False), AddedToken("</tool_call>", normalized=False)])
    return t


def byte_pieces():
    return ["<0x%02X>" % b for b in range(256)]


def llama2(metaspace):
    mark = "\u2581"
    normalizer = None if metaspace else normalizers.Sequence([normalizers.Prepend(mark), normalizers.Replace(" ", mark)])
    pre = pre_tokenizers.Metaspace(mark, prepend_scheme="first", split=False) if metaspace else None
    words = trained(pre_tokenizers.Metaspace(mark, prepend_scheme="always"), list(mark), 500)
    model = json.loads(words.to_str())["model"]
    vocab = {"<unk>": 0, "<s>": 1, "</s>": 2}
    for piece in byte_pieces():
        vocab[piece] = len(vocab)
    # Rare characters stay out, so that they fall back to bytes.
    kept = [m for m in (tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in model["merges"])]
    common = {c for c in model["vocab"] if len(c) == 1 and (c == mark or TRAINING.count(c) > 8)}
    for token in sorted(common):
        vocab[token] = len(vocab)
    merges = []
    for left, right in kept:
        if left in vocab and right in vocab:
            merges.append((left, right))
            vocab.setdefault(left + right, len(vocab))
    t = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    if normalizer:
        t.normalizer = normalizer
    if pre:
        t.pre_tokenizer = pre
    t.decoder = decoders.Sequence([decoders.Replace(mark, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    t.add_special_tokens([special("<unk>"), special("<s>"), special("</s>")])
    t.post_processor = processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> <s> $B", special_tokens=[("<s>", 1), ("</s>", 2)])
    return t


def smollm():
    pre = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    t = trained(pre, BYTES, 800)
    t.decoder = decoders.ByteLevel()
    t.add_special_tokens([special(x) for x in ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<repo_name>")])
    return t


def falcon():
    pre = pre_tokenizers.Sequence([
        pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False),
        pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")])
    t = trained(pre, BYTES, 700)
    t.decoder = decoders.ByteLevel()
    return t


def added():
    """Every flag of added tokens, tokens inside tokens, tokens of white space."""
    t = trained(pre_tokenizers.ByteLevel(add_prefix_space=False), BYTES, 500, normalizer=normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()]))
    t.decoder = decoders.ByteLevel()
    t.add_special_tokens([
        special("<left>", lstrip=True), special("<right>", rstrip=True), special("<both>", lstrip=True, rstrip=True),
        special("<word>", single_word=True), special("<plain>"), special("<plain><plain>"), special("<|"), special("<|x|>"), special("é"),
        special("<Upper>", normalized=True)])
    t.add_tokens([
        AddedToken("Day", normalized=True), AddedToken("word", single_word=True, normalized=True), AddedToken("  ", normalized=False),
        AddedToken("    ", normalized=False), AddedToken("\t", normalized=False, rstrip=True), AddedToken("ﬁne", normalized=True),
        AddedToken("naïve", normalized=False, single_word=True), AddedToken("fox", normalized=False)])
    t.post_processor = processors.BertProcessing(("<right>", t.token_to_id("<right>")), ("<left>", t.token_to_id("<left>")))
    return t


def unknown(fuse):
    """No byte level at all: unknown characters, subword prefix, word suffix."""
    pre = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation("isolated")])
    flags = {"continuing_subword_prefix": "##"} if fuse else {"end_of_word_suffix": "</w>"}
    t = Tokenizer(models.BPE(unk_token="[UNK]", fuse_unk=fuse, **flags))
    t.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip()])
    t.pre_tokenizer = pre
    trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=["[UNK]", "[PAD]"], limit_alphabet=60, show_progress=False, **flags)
    t.train_from_iterator(TRAINING.split("\n"), trainer)
    t.decoder = decoders.BPEDecoder() if not fuse else None
    return t


def bert():
    pre = pre_tokenizers.BertPreTokenizer()
    t = trained(pre, [], 500, normalizer=normalizers.BertNormalizer(), unk_token="[UNK]", special_tokens=["[UNK]"])
    t.decoder = decoders.Fuse()
    return t


def metaspace(scheme, split):
    mark = "\u2581"
    t = trained(pre_tokenizers.Metaspace(mark, prepend_scheme=scheme, split=split), [mark], 450, normalizer=normalizers.NFKD(),
                unk_token="<unk>", special_tokens=["<unk>", "<s>"])
    t.decoder = decoders.Metaspace(mark, prepend_scheme=scheme, split=split)
    t.add_special_tokens([special("<s>")])
    return t


def splits():
    """One tokenizer for each way to split; the model only knows bytes and a few merges."""
    made = {}
    for behavior in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"):
        for invert in (False, True):
            for kind, pattern in (("regex", Regex(r"[\s-]|\d+")), ("string", "a")):
                pre = pre_tokenizers.Sequence([pre_tokenizers.Split(pattern, behavior, invert), pre_tokenizers.ByteLevel(False, use_regex=False)])
                name = "split_%s_%s%s" % (behavior, kind, "_inverted" if invert else "")
                t = trained(pre, BYTES, 330)
                t.decoder = decoders.ByteLevel()
                made[name] = t
    for behavior in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"):
        t = trained(pre_tokenizers.Sequence([pre_tokenizers.Punctuation(behavior), pre_tokenizers.WhitespaceSplit(), pre_tokenizers.ByteLevel(False, use_regex=False)]), BYTES, 320)
        t.decoder = decoders.ByteLevel()
        made["punctuation_" + behavior] = t
    return made


def replacing():
    t = trained(pre_tokenizers.Sequence([pre_tokenizers.CharDelimiterSplit("."), pre_tokenizers.Digits(False)]), [], 500,
                normalizer=normalizers.Sequence([normalizers.Replace(Regex(r"\s+"), " "), normalizers.Replace("a", "aa"), normalizers.Strip(True, False),
                                                 normalizers.Nmt(), normalizers.Prepend("> ")]), unk_token="?", special_tokens=["?"])
    t.decoder = decoders.Sequence([decoders.Replace(Regex("a+"), "A"), decoders.Strip("e", 2, 0), decoders.Fuse()])
    return t


def byte_normalizer():
    t = trained(None, BYTES, 400, normalizer=normalizers.ByteLevel())
    t.decoder = decoders.ByteLevel()
    t.add_tokens([AddedToken("the fox", normalized=True)])
    return t


def deepseek():
    pre = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex("[\r\n]"), "isolated"), pre_tokenizers.Split(Regex(r"\s?\p{L}+"), "isolated"),
        pre_tokenizers.Split(Regex(r"\s?\p{P}+"), "isolated"), pre_tokenizers.Split(Regex("[一-龥ࠀ-一가-퟿]+"), "isolated"),
        pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(False, use_regex=False)])
    t = trained(pre, BYTES, 700)
    t.decoder = decoders.ByteLevel()
    t.add_special_tokens([special("<｜begin▁of▁sentence｜>"), special("<｜end▁of▁sentence｜>")])
    return t


def gpt4o():
    lead, big, small = r"[^\r\n\p{L}\p{N}]?", r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
    end = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    pattern = f"{lead}{big}*{small}+{end}|{lead}{big}+{small}*{end}|" + r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    t = trained(pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]), BYTES, 700)
    t.decoder = decoders.ByteLevel()
    return t


def all_tokenizers():
    made = {
        "gpt2": gpt2(), "roberta": roberta(), "llama3": llama3(), "qwen2": qwen2(), "llama2": llama2(False),
        "llama2_metaspace": llama2(True), "smollm": smollm(), "falcon": falcon(), "added": added(),
        "unknown_fused": unknown(True), "unknown": unknown(False), "bert": bert(), "replacing": replacing(),
        "byte_normalizer": byte_normalizer(), "deepseek": deepseek(), "gpt4o": gpt4o(),
        "metaspace_always": metaspace("always", True), "metaspace_first": metaspace("first", True), "metaspace_never": metaspace("never", False),
    }
    made.update(splits())
    return made


RULES = """
FF21 41
FF22 42
FF41 61
FF11 31
FB01 66 69
FB03 66 66 69
2460 31
41 30A C5
65 301 E9
1100 1161 AC00
9 20
A 20
D 20
D A 20
A0 20
3000 20
200B
FEFF 20
330F 30AC 30F3 30DE
1F44D 1F3FD 3A 29
"""


def character_map():
    """SentencePiece's compiled table of a few replacements."""
    import base64
    import io
    import tempfile

    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2 as proto

    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        for line in RULES.strip().split("\n"):
            left = [i for i in line.split(" ")]
            cut = {"41 30A C5": 2, "65 301 E9": 2, "1100 1161 AC00": 2, "D A 20": 2, "1F44D 1F3FD 3A 29": 2}.get(line, 1)
            rules.write(" ".join(left[:cut]) + "\t" + " ".join(left[cut:]) + "\n")
        rules.flush()
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(TRAINING.split("\n")), model_writer=model, vocab_size=400, hard_vocab_limit=False,
            normalization_rule_tsv=rules.name, minloglevel=2)
    trained = proto.ModelProto()
    trained.ParseFromString(model.getvalue())
    return trained.normalizer_spec.precompiled_charsmap, [(p.piece, p.score) for p in trained.pieces]


def word_piece(cased):
    prefix = "@@" if cased else "##"
    t = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=12 if cased else 100))
    t.normalizer = normalizers.BertNormalizer(lowercase=not cased)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(
        vocab_size=700, special_tokens=names, continuing_subword_prefix=prefix, limit_alphabet=200, show_progress=False)
    t.train_from_iterator(TRAINING.split("\n"), trainer)
    t.decoder = decoders.WordPiece(prefix=prefix, cleanup=not cased)
    start, end = t.token_to_id("[CLS]"), t.token_to_id("[SEP]")
    if cased:
        t.post_processor = processors.BertProcessing(("[SEP]", end), ("[CLS]", start))
    else:
        t.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", start), ("[SEP]", end)])
    return t


def unigram(kind):
    """As XLM-R's (`words`), T5's with bytes (`bytes`), and one that SentencePiece trained (`pieces`)."""
    mark = "\u2581"
    table, pieces = character_map()
    if kind == "pieces":
        t = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=False))
    else:
        t = Tokenizer(models.Unigram())
        t.pre_tokenizer = pre_tokenizers.Metaspace(mark, prepend_scheme="always")
        trainer = trainers.UnigramTrainer(vocab_size=500, special_tokens=["<s>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False)
        t.train_from_iterator(TRAINING.split("\n"), trainer)
        model = json.loads(t.to_str())
        if kind == "bytes":
            vocab = model["model"]["vocab"]
            common = [entry for entry in vocab if len(entry[0]) > 1 or entry[0] == mark or TRAINING.count(entry[0]) > 8]
            model["model"].update(vocab=common + [[piece, 0.0] for piece in byte_pieces()], byte_fallback=True)
        t = Tokenizer.from_str(json.dumps(model))
    steps = [normalizers.Precompiled(table), normalizers.Replace(Regex(" {2,}"), " ")]
    t.normalizer = normalizers.Sequence(steps[:1] if kind == "bytes" else steps)
    if kind == "words":
        t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(mark, prepend_scheme="always")])
    else:
        t.pre_tokenizer = pre_tokenizers.Metaspace(mark, prepend_scheme="first", split=kind == "pieces")
    t.decoder = decoders.Metaspace(mark, prepend_scheme="always")
    if kind == "bytes":
        t.decoder = decoders.Sequence([decoders.Replace(mark, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    end = t.token_to_id("</s>")
    t.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", end)])
    return t


def model_tokenizers():
    return {
        "wordpiece": word_piece(False), "wordpiece_cased": word_piece(True), "unigram": unigram("words"),
        "unigram_bytes": unigram("bytes"), "unigram_pieces": unigram("pieces"),
    }


# Tokenizers whose post-processors are tried on pairs, and with truncation.
PAIRED = ["gpt2", "roberta", "llama3", "llama2", "added", "wordpiece", "wordpiece_cased", "unigram"]
STRATEGIES = ["longest_first", "only_first", "only_second"]


def pair_goldens(t, inputs):
    """[first, second or null, with special tokens, limit or 0, strategy, keeps the end, ids or null where it is refused, types]"""
    r = random.Random(7)
    for _ in range(260):
        first, second = r.randrange(len(inputs)), r.choice([None, r.randrange(len(inputs)), r.randrange(len(inputs))])
        special, limit = r.random() < 0.75, r.choice([0, 0, 4, 5, 6, 7, 8, 9, 11, 16, 23])
        strategy, keeps_end = r.randrange(3) if second is not None else 0, r.random() < 0.4
        t.no_truncation()
        if limit:
            t.enable_truncation(limit, strategy=STRATEGIES[strategy], direction="left" if keeps_end else "right")
        try:
            made = t.encode(inputs[first], *([] if second is None else [inputs[second]]), add_special_tokens=special)
            ids, types = made.ids, made.type_ids
        except Exception:
            ids, types = None, None
        yield [first, second, int(special), limit, strategy, int(keeps_end), ids, types]


SPACES = " \t\n\r\x0b\x0c\x85\xa0\u1680\u2000\u2003\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<s>", "</s>", "<mask>", "<|begin_of_text|>", "<|eot_id|>", "<tool_call>", "<left>", "<right>",
            "<both>", "<word>", "<plain>", "<plain><plain>", "<|", "<|x|>", "<Upper>", "<upper>", "Day", "DAY", "word", "  ", "\t", "ﬁne", "naïve", "é", "fox",
            "[UNK]", "<unk>", "?", "<0x41>", "the fox", "<｜end▁of▁sentence｜>", "<repo_name>"]
FRAGMENTS = [
    "Hello", " world", "it's", "IT'S", "they'Re", "don't", "we'll", "1234567890", "3.14", "१२३", "٤٥٦", "Ⅷ", "½", "²", "日本語", "中文字符", "한국어", "العربية", "עברית",
    "Ελληνικά", "русский", "ไทย", "हिन्दी", "தமிழ்", "ქართული", "አማርኛ", "ខ្មែរ", "👩\u200d👩\u200d👧\u200d👦", "👍🏽", "🏳️\u200d🌈", "🇩🇪🇫🇷", "e\u0301", "ﬃ", "ǅ", "İstanbul", "ẞ", "ſ",
    "\u200b", "\u200d", "\u200e", "\u202e", "\u2066", "\ufeff", "\x00", "\x01", "\x1f", "\x7f", "\x9f", "\ufffd", "\ufffd\ufffd", "\ue000", "\U0010ffff", "\U000e0001",
    "<", ">", "|", "</", "...", "!!!", "--", "—", "“”", "#!/usr/bin/env", "a_b", "camelCase", "HTTPServer", "snake_case_name", "x+=1;", "{{}}", "\\n", "\\u0041", "http://example.com/?q=1&r=2",
    "▁", "▁▁", "Ġ", "Ċ", "Ã©", "<0x0A>", "##ing", "</w>", "aaa", "AAAA", "aAaA", "fibonacci", " fibonacciness", "𝓗𝓮𝓵𝓵𝓸", "Ｆｕｌｌ", "①②", "㎏", "\u1100\u1161\u11a8", "q\u0307\u0323", "\u0344", "ಠ_ಠ", "ﷺ",
]


def hard_strings():
    r = random.Random(20240517)
    strings = ["", " ", "  ", "\n", "\n\n", " \n ", "\r\n", "a", " a", "a ", "  a  ", "\x00", "\ufffd", COMBINING]
    strings += [line for line in TRAINING.split("\n")[:24]]
    strings += FRAGMENTS + [" " + f for f in FRAGMENTS] + SPECIALS
    strings += [f"{a}{b}{a}" for a in SPACES for b in ("x", "1", "\n", "!")]
    strings += [s + t + u for s in ("", "a", " a ", "9") for t in SPECIALS for u in ("", "b", "  b", "\n")]
    strings += [c * n for c in SPACES + "a1!é中😀" for n in (2, 3, 4, 7)]
    everything = FRAGMENTS + SPECIALS + list(SPACES) + [" "] * 30 + list("abcXYZ0189.,;:'\"-_/()[]") + COMBINING.split(" ")
    while len(strings) < 1850:
        strings.append("".join(r.choice(everything) for _ in range(r.randint(2, 14))))
    while len(strings) < 2250:
        # Any scalar values at all, drawn from the planes that are in use.
        top = r.choice([0x7F, 0xFF, 0x7FF, 0xFFFF, 0x1FFFF])
        codes = [r.randint(0, top) for _ in range(r.randint(1, 12))]
        strings.append("".join(chr(c) for c in codes if not 0xD800 <= c < 0xE000))
    while len(strings) < 2330:
        # Bytes that are not UTF-8, after their replacement.
        strings.append(bytes(r.choice([r.randint(0, 255), r.randint(0x80, 0xF8)]) for _ in range(r.randint(1, 16))).decode("utf-8", "replace"))
    unique = list(dict.fromkeys(strings))
    long = [("a", 100_000), ("ab", 20_000), ("天地玄黃宇宙洪荒", 4_200), (" ", 50_000), ("a ", 20_000), ("\n", 20_000), ("e\u0301", 10_000), ("\u0301\u0323", 5_000),
            ("<|im_start|>", 2_000), ("0123456789", 3_000), ("The quick brown fox, 12 times. ", 2_000), ("🎉👍🏽", 2_000), ("  x", 8_000), ("<plain> ", 2_000)]
    return unique, long


def fnv(data):
    h = 0xCBF29CE484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return h


def short_ids(ids):
    return ids if len(ids) <= 120 else {"count": len(ids), "hash": "%016x" % fnv(b"".join(i.to_bytes(4, "little") for i in ids))}


def short_text(text, *known):
    for mark, other in enumerate(known, 1):
        if text == other:
            return mark
    data = text.encode()
    return text if len(data) <= 400 else {"count": len(data), "hash": "%016x" % fnv(data)}


def golden(index, text, encode, decode):
    ids = encode(text)
    full, bare = decode(ids, False), decode(ids, True)
    return [index, short_ids(ids), short_text(full, text), short_text(bare, text, full)]


def write_lines(name, rows):
    with open(os.path.join(FIXTURES, name), "w", encoding="utf-8") as f:
        for row in rows:
            f.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--gguf")
    arguments.add_argument("--models", action="store_true")
    given = arguments.parse_args()
    gguf = given.gguf
    os.makedirs(FIXTURES, exist_ok=True)
    unique, long = hard_strings()
    inputs = unique + [unit * count for unit, count in long]
    if gguf:
        from transformers import AutoTokenizer

        t = AutoTokenizer.from_pretrained(os.path.dirname(gguf), gguf_file=os.path.basename(gguf))
        rows = [[i, short_ids(t(text).input_ids)] for i, text in enumerate(inputs)]
        write_lines("smollm2.jsonl", rows)
        full = [golden(i, s, lambda s: t(s).input_ids, lambda ids, skip: t.decode(ids, skip_special_tokens=skip)) for i, s in enumerate(inputs)]
        json.dump(full, open(os.environ["SMOLLM2_FULL"], "w")) if "SMOLLM2_FULL" in os.environ else None
        return
    if given.models:
        for number, (name, t) in enumerate(model_tokenizers().items()):
            path = os.path.join(FIXTURES, name + ".tokenizer.json")
            t.save(path, pretty=False)
            t = Tokenizer.from_file(path)
            chosen = [i for i in range(len(inputs)) if (i + number) % 3 == 0 or i >= len(unique)]
            write_lines(name + ".jsonl", [
                golden(i, inputs[i], lambda s: t.encode(s).ids, lambda ids, skip: t.decode(ids, skip_special_tokens=skip)) for i in chosen])
        for name in PAIRED:
            t = Tokenizer.from_file(os.path.join(FIXTURES, name + ".tokenizer.json"))
            write_lines(name + ".pairs.jsonl", pair_goldens(t, unique))
        return
    write_lines("strings.jsonl", unique + [{"unit": unit, "count": count} for unit, count in long])
    tokenizers = all_tokenizers()
    for number, (name, t) in enumerate(tokenizers.items()):
        path = os.path.join(FIXTURES, name + ".tokenizer.json")
        t.save(path, pretty=False)
        t = Tokenizer.from_file(path)
        # The main tokenizers see every input, the variants of one component a share of them.
        share = 1 if number < 2 else 3 if number < 19 else 12
        chosen = [i for i in range(len(inputs)) if (i + number) % share == 0 or i >= len(unique) and share < 12]
        write_lines(name + ".jsonl", [
            golden(i, inputs[i], lambda s: t.encode(s).ids, lambda ids, skip: t.decode(ids, skip_special_tokens=skip)) for i in chosen])


main()
