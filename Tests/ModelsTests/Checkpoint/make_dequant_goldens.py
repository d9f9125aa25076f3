#!/usr/bin/env python3
"""Makes dequant_goldens.bin and dequant_goldens.json: random blocks of each GGUF quantisation and what gguf-py reads from them.

usage: make_dequant_goldens.py            needs numpy and gguf; writes beside itself
"""
import json
import pathlib

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

# Byte positions of the half-precision scales in a block.
SCALES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
          "Q2_K": [80, 82], "Q3_K": [108], "IQ4_NL": [0], "IQ4_XS": [0], "MXFP4": []}
SPECIAL = [0.0, -0.0, 6e-8, -3e-5, 6.1e-5, 65504.0, -1.0]  # zeros, subnormals, the largest half


def main():
    rng = np.random.default_rng(20)
    data, index = bytearray(), []
    for name, positions in SCALES.items():
        kind = GGMLQuantizationType[name]
        block_elements, block_bytes = GGML_QUANT_SIZES[kind]
        count = 24 if block_elements == 32 else 9
        blocks = rng.integers(0, 256, size=(count, block_bytes), dtype=np.uint8)
        for position in positions:
            scales = rng.normal(0, 0.05, size=count).astype(np.float16)
            special = np.array(SPECIAL, dtype=np.float16)
            scales[: len(special)] = special
            blocks[:, position : position + 2] = scales.view(np.uint8).reshape(count, 2)
        values = np.ascontiguousarray(quants.dequantize(blocks, kind).astype(np.float32))
        entry = {"type": name, "number": int(kind), "elements": count * block_elements, "blocks": [len(data), blocks.size]}
        data += blocks.tobytes()
        entry["values"] = [len(data), values.nbytes]
        data += values.tobytes()
        index.append(entry)
    folder = pathlib.Path(__file__).parent
    (folder / "dequant_goldens.bin").write_bytes(bytes(data))
    (folder / "dequant_goldens.json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    main()
