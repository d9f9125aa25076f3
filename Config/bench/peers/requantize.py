#!/usr/bin/env python3
"""Writes a GGUF file anew with another kind of blocks: what compare_gguf.py runs on.

usage: requantize.py IN.gguf KIND OUT.gguf

KIND is one that gguf-py can write: Q8_0, Q4_0, Q5_0, Q5_1. Every matrix gets it, the table of token vectors too; vectors
stay as they are. Needs the package gguf.
"""

import sys

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
from gguf.quants import dequantize, quantize


def main():
    source, kind, target = sys.argv[1:4]
    kind = GGMLQuantizationType[kind]
    reader = GGUFReader(source)
    architecture = reader.fields["general.architecture"].contents()
    writer = GGUFWriter(target, architecture)
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type"):
            continue
        item = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), field.types[0], sub_type=item)
    for tensor in reader.tensors:
        numbers = dequantize(tensor.data, tensor.tensor_type)
        if len(tensor.shape) == 1:
            writer.add_tensor(tensor.name, numbers.astype(np.float32))
        else:
            writer.add_tensor(tensor.name, quantize(numbers, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
