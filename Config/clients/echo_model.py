"""Writes a model that says what its prompt says, so that any text, thoughts and tool calls too, comes out of a real server.

One layer of Qwen2 whose attention looks back by a fixed distance: keys are the same everywhere, queries are keys turned back by so
many positions. A prompt of exactly PROMPT tokens is repeated from its beginning, up to the first end of a turn.
The same model as that of Tests/EndToEndTests/Harness/EchoModel.swift, which explains the weights."""
import array
import json
import math
import os
import random
import shutil
import struct

PROMPT = 1024
WIDTH, HEADS, THETA = 128, 2, 25.0
TEMPLATE = (
    "{%- if enable_thinking is defined and enable_thinking is false %}{%- endif %}{{ messages[-1]['content'] }}"
)
FIXTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Tests/Fixtures/llama-tied")


def tensors(vocabulary):
    draw = random.Random(1)
    signs = [draw.choice((-1.0, 1.0)) for _ in range(vocabulary * WIDTH)]
    half = WIDTH // HEADS // 2
    turns = [(PROMPT - 1) * THETA ** (-i / half) for i in range(half)]
    key = ([12.0] * half + [0.0] * half) * HEADS
    query = ([12 * math.cos(t) for t in turns] + [-12 * math.sin(t) for t in turns]) * HEADS

    def diagonal(value):
        return [value if i // WIDTH == i % WIDTH else 0.0 for i in range(WIDTH * WIDTH)]

    none, ones = [0.0] * (WIDTH * WIDTH), [1.0] * WIDTH
    layer = "model.layers.0."
    yield "model.embed_tokens.weight", [vocabulary, WIDTH], signs
    yield "lm_head.weight", [vocabulary, WIDTH], [s / 4 for s in signs]
    yield "model.norm.weight", [WIDTH], ones
    yield layer + "input_layernorm.weight", [WIDTH], ones
    yield layer + "post_attention_layernorm.weight", [WIDTH], ones
    yield layer + "self_attn.q_proj.weight", [WIDTH, WIDTH], none
    yield layer + "self_attn.k_proj.weight", [WIDTH, WIDTH], none
    yield layer + "self_attn.v_proj.weight", [WIDTH, WIDTH], diagonal(1.0)
    yield layer + "self_attn.o_proj.weight", [WIDTH, WIDTH], diagonal(8.0)
    yield layer + "self_attn.q_proj.bias", [WIDTH], query
    yield layer + "self_attn.k_proj.bias", [WIDTH], key
    yield layer + "self_attn.v_proj.bias", [WIDTH], [0.0] * WIDTH
    yield layer + "mlp.gate_proj.weight", [32, WIDTH], [0.0] * (32 * WIDTH)
    yield layer + "mlp.up_proj.weight", [32, WIDTH], [0.0] * (32 * WIDTH)
    yield layer + "mlp.down_proj.weight", [WIDTH, 32], [0.0] * (32 * WIDTH)


def write(folder):
    """Writes the model into a folder, with the tokenizer of the tests' models."""
    os.makedirs(folder, exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(os.path.join(FIXTURE, name), folder)
    with open(os.path.join(folder, "chat_template.jinja"), "w") as file:
        file.write(TEMPLATE)
    with open(os.path.join(FIXTURE, "config.json")) as file:
        fixture = json.load(file)
    vocabulary = fixture["vocab_size"]
    config = {
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_act": "silu", "hidden_size": WIDTH,
        "intermediate_size": 32, "num_attention_heads": HEADS, "num_key_value_heads": HEADS, "num_hidden_layers": 1,
        "rms_norm_eps": 1e-6, "rope_theta": THETA, "max_position_embeddings": 4096, "vocab_size": vocabulary,
        "tie_word_embeddings": False, "torch_dtype": "float32", "eos_token_id": fixture["eos_token_id"],
    }
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(config, file)
    header, data = {}, bytearray()
    for name, shape, values in tensors(vocabulary):
        start = len(data)
        data += array.array("f", values).tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, len(data)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(folder, "model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
