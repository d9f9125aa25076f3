#!/usr/bin/env python3
"""Makes matrices and tiny models as quantizers publish them, with the numbers they stand for (see README.md).

usage: make_quantized.py

Codes, zero points and scales are drawn first and packed as AutoGPTQ, AutoAWQ, compressed-tensors and the FP8 checkpoints lay them
out; what they stand for is computed from what was drawn, never by unpacking."""

import json

import numpy
import torch
from safetensors.torch import save_file

import fixture_goldens
import fixture_models
import fixture_tokenizer
from fixture_models import TinyModel
from make_fixtures import HERE

AWQ_ORDER = [0, 2, 4, 6, 1, 3, 5, 7]


def pack_stream(codes: numpy.ndarray, bits: int) -> numpy.ndarray:
    """Packs along the first dimension, lowest bits first; a code may go on in the next word."""
    count, lanes = codes.shape
    words = numpy.zeros((-(-count * bits // 32), lanes), numpy.uint64)
    for index in range(count):
        word, shift = divmod(index * bits, 32)
        words[word] |= codes[index].astype(numpy.uint64) << numpy.uint64(shift)
        if shift + bits > 32:
            words[word + 1] |= words[word] >> numpy.uint64(32)
        words[word] &= numpy.uint64(0xFFFFFFFF)
    return words.astype(numpy.uint32).view(numpy.int32)


def pack_awq(codes: numpy.ndarray) -> numpy.ndarray:
    """Packs eight columns into a word in AWQ's order."""
    rows, columns = codes.shape
    words = numpy.zeros((rows, columns // 8), numpy.uint32)
    for place, column in enumerate(AWQ_ORDER):
        words |= codes[:, column::8].astype(numpy.uint32) << numpy.uint32(4 * place)
    return words.view(numpy.int32)


def numbers(codes, zeros, scales, groups):
    """What codes [in, out] stand for, as [out, in]: (code - zero) * scale, rounded once."""
    difference = codes.astype(numpy.float32) - zeros[groups].astype(numpy.float32)
    return numpy.ascontiguousarray((difference * scales[groups].astype(numpy.float32)).T)


class Drawing:
    """Draws the pieces of one matrix [in, out] in groups of inputs."""

    def __init__(self, seed, inputs, outputs, group, bits, symmetric, like=None, scattered=False):
        draw = numpy.random.default_rng(seed)
        self.bits, count, top = bits, -(-inputs // group), 2**bits - 1
        self.groups = numpy.arange(inputs) // group
        if scattered:
            self.groups = draw.permutation(self.groups)
        middle = 2 ** (bits - 1)
        if like is None:
            self.codes = draw.integers(0, top + 1, (inputs, outputs))
            self.scales = (draw.random((count, outputs)) * 0.05 + 0.002).astype(numpy.float16)
        else:
            peak = numpy.stack([numpy.abs(like[self.groups == g]).max(0) for g in range(count)])
            self.scales = (peak / (middle - 0.5)).astype(numpy.float16)
        self.zeros = numpy.full((count, outputs), middle)
        if not symmetric:
            self.zeros = draw.integers(1, top + 1, (count, outputs)) if like is None else \
                middle + draw.integers(-1, 2, (count, outputs))
        if like is not None:
            steps = numpy.round(like / self.scales[self.groups].astype(numpy.float32)) + self.zeros[self.groups]
            self.codes = numpy.clip(steps, 0, top).astype(numpy.int64)
        self.numbers = numbers(self.codes, self.zeros, self.scales, self.groups)

    def gptq(self, less=1, with_order=True):
        parts = {"qweight": pack_stream(self.codes, self.bits),
                 "qzeros": numpy.ascontiguousarray(pack_stream((self.zeros - less).T, self.bits).T),
                 "scales": self.scales}
        return parts | ({"g_idx": self.groups.astype(numpy.int32)} if with_order else {})

    def awq(self):
        return {"qweight": pack_awq(self.codes), "qzeros": pack_awq(self.zeros), "scales": self.scales}

    def packed(self, with_zeros, with_order=False, dtype=torch.float16):
        inputs, outputs = self.codes.shape
        parts = {"weight_packed": numpy.ascontiguousarray(pack_stream(self.codes, self.bits).T),
                 "weight_scale": torch.from_numpy(numpy.ascontiguousarray(self.scales.T)).to(dtype),
                 "weight_shape": numpy.array([outputs, inputs], numpy.int64)}
        if with_zeros:
            parts["weight_zero_point"] = pack_stream(numpy.ascontiguousarray(self.zeros.T), self.bits)
        if with_order:
            parts["weight_g_idx"] = self.groups.astype(numpy.int32)
        return parts


def tensor(value):
    return value.contiguous() if isinstance(value, torch.Tensor) else torch.from_numpy(numpy.ascontiguousarray(value))


def float8(seed, outputs, inputs, shape, block=(128, 128)):
    """A matrix of E4M3 with scales of that shape, and what it stands for."""
    generator = torch.Generator().manual_seed(seed)
    stored = (torch.randn((outputs, inputs), generator=generator) * 40).to(torch.float8_e4m3fn)
    scales = torch.rand(shape, generator=generator) * 0.02 + 0.001
    if len(shape) == 2 and shape[1] > 1 or shape[:1] not in [[], [1], [outputs]]:
        spread = scales.repeat_interleave(block[0], 0)[:outputs].repeat_interleave(block[1], 1)[:, :inputs]
    else:
        spread = scales
    return stored, scales, stored.float() * spread


def make_matrices():
    """Matrices of every format, side by side in one file; a format's own are under its name."""
    tensors, expected = {}, {}

    def add(name, parts, values):
        tensors.update({f"{name}.{part}": tensor(value) for part, value in parts.items()})
        expected[f"{name}.weight"] = tensor(values).float()

    for name, (group, bits, symmetric, scattered) in {
        "gptq.sym": (32, 4, True, False), "gptq.asym": (32, 4, False, False), "gptq.order": (32, 4, True, True),
        "gptq.two": (64, 2, False, False), "gptq.three": (32, 3, False, False), "gptq.eight": (64, 8, True, False),
        "gptq.wild": (32, 8, False, False), "gptq.whole": (96, 4, True, False), "gptq.odd": (24, 4, True, False),
    }.items():
        inputs = 192 if group == 64 else 96
        drawing = Drawing(len(tensors), inputs, 32, group, bits, symmetric, scattered=scattered)
        add(name, drawing.gptq(with_order=name != "gptq.whole"), drawing.numbers)
    drawing = Drawing(50, 128, 32, 64, 4, False)
    add("second.asym", drawing.gptq(less=0), drawing.numbers)
    for name, symmetric in (("awq.sym", True), ("awq.asym", False)):
        drawing = Drawing(60 + symmetric, 128, 24, 64, 4, symmetric)
        add(name, drawing.awq(), drawing.numbers)
    for name, (bits, symmetric, scattered) in {"packed.sym": (4, True, False), "packed.asym": (4, False, False),
                                               "packed.order": (4, True, True), "packed.eight": (8, True, False)}.items():
        drawing = Drawing(70 + len(name), 96, 16, 32, bits, symmetric, scattered=scattered)
        add(name, drawing.packed(not symmetric, scattered), drawing.numbers)
    drawing = Drawing(90, 96, 16, 32, 4, True)
    parts = drawing.packed(False, dtype=torch.bfloat16)
    rounded = parts["weight_scale"].float().numpy().T
    add("packed.bf16", parts, numbers(drawing.codes, drawing.zeros, rounded, drawing.groups))
    for name, shape, part in (("scaled.block", (2, 2), "weight_scale_inv"), ("scaled.row", (150, 1), "weight_scale"),
                              ("scaled.all", (), "weight_scale")):
        stored, scales, values = float8(len(name), 150, 140, list(shape))
        add(name, {"weight": stored, part: scales, "input_scale": torch.tensor(0.5)}, values)
    save_file(tensors, HERE / "quantized.safetensors")
    save_file(expected, HERE / "quantized.golden.safetensors")


def quantize(name, weight):
    """The parts of one layer's matrix in the format of a folder, and what they stand for."""
    like = weight.T.numpy()
    inputs, outputs = like.shape
    if name == "llama-gptq":
        drawing = Drawing(1, inputs, outputs, 64 if inputs % 64 == 0 else 32, 4, True, like)
        return drawing.gptq(), drawing.numbers
    if name == "llama-gptq-order":
        drawing = Drawing(1, inputs, outputs, 32, 4, False, like, scattered=True)
        return drawing.gptq(), drawing.numbers
    if name == "llama-awq":
        drawing = Drawing(2, inputs, outputs, 32, 4, False, like)
        return drawing.awq(), drawing.numbers
    scale = weight.abs().max() / 448
    stored = (weight / scale).to(torch.float8_e4m3fn)
    shape = [-(-outputs // 128), -(-inputs // 128)]
    return {"weight": stored, "weight_scale_inv": scale.expand(shape)}, stored.float() * scale


CONFIGS = {
    "llama-gptq": {"quant_method": "gptq", "bits": 4, "group_size": 64, "desc_act": False, "sym": True},
    "llama-gptq-order": {"quant_method": "gptq", "bits": 4, "group_size": 32, "desc_act": True, "sym": False},
    "llama-awq": {"quant_method": "awq", "bits": 4, "group_size": 32, "zero_point": True, "version": "gemm"},
    "llama-fp8": {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [128, 128]},
}


def make_model(name, tokenizer):
    """A tiny model whose layers are quantized."""
    tiny = TinyModel(name, "llama", 64, 4, 2, 16, 96, 2, tied=False, stored="F16", seed=40 + len(name))
    model = fixture_models.make(tiny)
    tensors = {}
    with torch.no_grad():
        for key, parameter in fixture_models.stored_tensors(model).items():
            if not key.endswith("_proj.weight"):
                tensors[key] = parameter.to(torch.float16)
                continue
            parts, values = quantize(name, parameter)
            parameter.copy_(tensor(values))
            tensors |= {f"{key.removesuffix('.weight')}.{part}": tensor(value) for part, value in parts.items()}
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    config = tiny.stored_config(type(model).__name__) | {"quantization_config": CONFIGS[name]}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    save_file({key: value.contiguous() for key, value in tensors.items()}, folder / "model.safetensors", metadata={"format": "pt"})
    fixture_tokenizer.save(tokenizer, folder)
    prompts = fixture_tokenizer.prompts(tokenizer, fixture_goldens.PROMPT_LENGTHS)
    records = [fixture_goldens.golden(model, text, ids) for text, ids in prompts]
    for record in records:
        record["output_text"] = tokenizer.decode(record["output_ids"], skip_special_tokens=False)
    header = {"model": name, "architecture": type(model).__name__, "rope_rule": "as transformers has it"}
    fixture_goldens.write(folder / "golden.json", header, records)
    print(fixture_goldens.summary(name, records))


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_num_threads(1)
    make_matrices()
    for folder in CONFIGS:
        make_model(folder, fixture_tokenizer.build())
