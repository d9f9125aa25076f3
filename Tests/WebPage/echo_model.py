"""Writes a tiny model that says what its chat template tells it to, so that any text comes out of the real server.

One layer whose attention looks back by a fixed distance, as in EchoModel.swift of the end-to-end tests: a prompt of exactly `PROMPT`
tokens is repeated from its beginning, up to the end of the turn. Every byte is a token, so the template can count.
"""

import array
import json
import math
import os
import random
import struct

PROMPT = 2048
WIDTH, HEADS, THETA = 128, 2, 25.0
END, PAD = 256, 257
VOCABULARY = 258


def byte_letters():
    """The letters that byte-level vocabularies write bytes with."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters, extra = {}, 0
    for byte in range(256):
        letters[byte] = chr(byte) if byte in plain else chr(256 + extra)
        extra += byte not in plain
    return letters


def literal(text):
    """A text as Jinja writes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def template(answers):
    """Answers `say X` with X, `system` with the system prompt, and words of `answers` with what they stand for."""
    lines = ["{%- set ns = namespace(text='', size=0) -%}{%- for m in messages if m['role'] == 'user' -%}"
             "{%- set ns.text = m['content'] -%}{%- endfor -%}{%- set ns.size = ns.text|length -%}"]
    for place, (word, text) in enumerate(answers.items()):
        lines.append(
            f"{{%- {'el' if place else ''}if ns.text == {literal(word)} -%}}{{%- set ns.text = {literal(text)} -%}}"
            f"{{%- set ns.size = {len(text.encode())} -%}}")
    lines.append(
        "{%- elif ns.text == 'system' -%}{%- set ns.text = messages[0]['content'] -%}{%- set ns.size = ns.text|length -%}"
        "{%- elif ns.text[:4] == 'say ' -%}{%- set ns.text = ns.text[4:] -%}{%- set ns.size = ns.size - 4 -%}{%- endif -%}"
        "{{ ns.text }}<|end|>{{ '<|pad|>' * (" f"{PROMPT}" " - ns.size - 1) }}"
        # Thinking can be asked for, and is off where nobody does.
        "{%- if enable_thinking -%}{%- endif -%}"
        # A conversation that the model goes on with ends with what it has said so far.
        "{%- if messages[-1]['role'] == 'assistant' -%}{{ messages[-1]['content'] }}{%- endif -%}")
    return "".join(lines)


def tokenizer():
    special = [{"id": number, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
                "normalized": False, "special": True} for number, text in ((END, "<|end|>"), (PAD, "<|pad|>"))]
    levels = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special, "normalizer": None,
        "pre_tokenizer": levels, "post_processor": None, "decoder": levels,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": {letter: byte for byte, letter in byte_letters().items()}, "merges": []}}


def tensors():
    chance = random.Random(1)
    signs = [chance.choice((-1.0, 1.0)) for _ in range(VOCABULARY * WIDTH)]
    half = WIDTH // HEADS // 2
    # A prompt's last token stands PROMPT - 1 places behind its first one, which comes next.
    turns = [(PROMPT - 1) * THETA ** (-place / half) for place in range(half)]
    key = ([12.0] * half + [0.0] * half) * HEADS
    query = ([12 * math.cos(turn) for turn in turns] + [-12 * math.sin(turn) for turn in turns]) * HEADS
    none, ones = [0.0] * (WIDTH * WIDTH), [1.0] * WIDTH

    def diagonal(value):
        return [value if place // WIDTH == place % WIDTH else 0.0 for place in range(WIDTH * WIDTH)]

    layer = "model.layers.0."
    return {
        "model.embed_tokens.weight": ([VOCABULARY, WIDTH], signs),
        "lm_head.weight": ([VOCABULARY, WIDTH], [sign / 4 for sign in signs]),
        "model.norm.weight": ([WIDTH], ones), layer + "input_layernorm.weight": ([WIDTH], ones),
        layer + "post_attention_layernorm.weight": ([WIDTH], ones),
        layer + "self_attn.q_proj.weight": ([WIDTH, WIDTH], none), layer + "self_attn.k_proj.weight": ([WIDTH, WIDTH], none),
        layer + "self_attn.q_proj.bias": ([WIDTH], query), layer + "self_attn.k_proj.bias": ([WIDTH], key),
        layer + "self_attn.v_proj.bias": ([WIDTH], [0.0] * WIDTH),
        layer + "self_attn.v_proj.weight": ([WIDTH, WIDTH], diagonal(1.0)),
        layer + "self_attn.o_proj.weight": ([WIDTH, WIDTH], diagonal(8.0)),
        layer + "mlp.gate_proj.weight": ([32, WIDTH], [0.0] * (32 * WIDTH)),
        layer + "mlp.up_proj.weight": ([32, WIDTH], [0.0] * (32 * WIDTH)),
        layer + "mlp.down_proj.weight": ([WIDTH, 32], [0.0] * (32 * WIDTH)),
    }


def write(folder, answers):
    """Writes the model into a folder."""
    config = {
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_act": "silu", "hidden_size": WIDTH,
        "intermediate_size": 32, "num_attention_heads": HEADS, "num_key_value_heads": HEADS, "num_hidden_layers": 1,
        "rms_norm_eps": 1e-6, "rope_theta": THETA, "max_position_embeddings": 8 * PROMPT, "vocab_size": VOCABULARY,
        "tie_word_embeddings": False, "torch_dtype": "float32", "eos_token_id": END}
    files = {
        "config.json": json.dumps(config), "tokenizer.json": json.dumps(tokenizer()),
        "tokenizer_config.json": json.dumps({"eos_token": "<|end|>", "pad_token": "<|pad|>"}),
        "chat_template.jinja": template(answers)}
    for name, text in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    header, data = {}, b""
    for name, (shape, values) in tensors().items():
        values = array.array("f", values).tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    with open(os.path.join(folder, "model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(head)) + head + data)
