#!/usr/bin/env python3
"""Makes a GGUF file in each type of block from one file, with llama.cpp's own quantizers (see README.md).

usage: make_blocks.py MODEL.gguf FOLDER [TYPE …]

Matrices whose rows the type's blocks divide get the type, others Q8_0, which the file's name then says (`.Q4_K+Q8_0.gguf`); vectors stay as
they are. Needs numpy, gguf and xllamacpp, whose library has the quantizers."""

import ctypes
import sys
from pathlib import Path

import gguf
import numpy as np
import xllamacpp
from gguf import GGMLQuantizationType as Kind

TYPES = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "MXFP4"]


def library() -> ctypes.CDLL:
    """llama.cpp as xllamacpp has it linked in."""
    found = ctypes.CDLL(str(next(Path(xllamacpp.__file__).parent.glob("xllamacpp*.so"))))
    found.ggml_quantize_chunk.restype = ctypes.c_size_t
    found.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_int64] * 3, ctypes.c_void_p]
    return found


def quantized(ggml: ctypes.CDLL, values: np.ndarray, kind: Kind) -> np.ndarray:
    """Rows of numbers as rows of blocks."""
    block, size = gguf.GGML_QUANT_SIZES[kind]
    rows, columns = values.shape
    out = np.zeros((rows, columns // block * size), dtype=np.uint8)
    values = np.ascontiguousarray(values, dtype=np.float32)
    written = ggml.ggml_quantize_chunk(int(kind), values.ctypes.data, out.ctypes.data, 0, rows, columns, None)
    assert written == out.nbytes, f"{kind.name}: {written} bytes instead of {out.nbytes}"
    return out


def copy_metadata(reader: gguf.GGUFReader, writer: gguf.GGUFWriter) -> None:
    """Everything that the file says of itself but its name and counts, which the writer writes."""
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name in ("general.architecture", "general.file_type"):
            continue
        kind = field.types[0]
        part = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, sub_type=part)


def make(reader: gguf.GGUFReader, ggml: ctypes.CDLL, name: str, stem: Path) -> Path:
    """One file."""
    wanted = Kind[name]
    matrices = [t for t in reader.tensors if len(t.shape) > 1]
    fits = [int(t.shape[0]) % gguf.GGML_QUANT_SIZES[wanted][0] == 0 for t in matrices]
    path = stem.with_name(f"{stem.name}.{name}{'' if all(fits) else '+Q8_0'}.gguf")
    writer = gguf.GGUFWriter(str(path), reader.fields["general.architecture"].contents())
    copy_metadata(reader, writer)
    for tensor in reader.tensors:
        if len(tensor.shape) == 1:
            writer.add_tensor(tensor.name, np.array(tensor.data))
            continue
        kind = wanted if int(tensor.shape[0]) % gguf.GGML_QUANT_SIZES[wanted][0] == 0 else Kind.Q8_0
        if kind == tensor.tensor_type:
            blocks = np.array(tensor.data)
        else:
            blocks = quantized(ggml, gguf.quants.dequantize(tensor.data, tensor.tensor_type), kind)
        writer.add_tensor(tensor.name, blocks, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def main(source: str, folder: str, *types: str) -> None:
    """Makes the files and prints their paths."""
    reader = gguf.GGUFReader(source)
    ggml = library()
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name in types or TYPES:
        print(make(reader, ggml, name, Path(folder) / Path(source).name.split(".")[0]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
