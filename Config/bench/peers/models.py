#!/usr/bin/env python3
"""Makes the model folders that the peers are compared on; each is made once.

usage: models.py CACHE SMOLLM2.gguf QWEN_CONFIG_FOLDER

Needs torch, transformers, gguf, sentencepiece and optimum-intel (the `openvino` environment of install.sh), and for the
GGUF files llama.cpp's converter and `llama-quantize` (the `llama.cpp` one). Under CACHE/models, for each model NAME:

    NAME                     bfloat16 safetensors, config.json, tokenizer
    NAME-openvino-KIND       OpenVINO's form, KIND being fp16, int8 or int4
    NAME-KIND.gguf           llama.cpp's form, KIND being bf16, Q8_0 or Q4_0

SmolLM2's weights are those of its GGUF, de-quantized. Qwen2.5-0.5B's are random with a fixed seed: its exact shape, so that
the speed is its speed, with the tokenizer of SmolLM2, since nothing is read or written by people here.
"""

import os
import shutil
import subprocess
import sys

OPENVINO_KINDS = {"fp16": [], "int8": [], "int4": ["--group-size", "64"]}
GGUF_KINDS = ("Q8_0", "Q4_0")


def save(model, tokenizer, folder):
    """Writes a model and its tokenizer; the folder appears only when it is complete."""
    settings = model.generation_config
    settings.do_sample, settings.temperature, settings.top_p, settings.top_k = False, None, None, None
    model.save_pretrained(folder + ".part")
    tokenizer.save_pretrained(folder + ".part")
    os.rename(folder + ".part", folder)


def make_smollm2(gguf, folder):
    """De-quantizes the GGUF into a bfloat16 folder."""
    import torch
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    parent, name = os.path.split(os.path.abspath(gguf))
    # Not AutoTokenizer, which takes any Llama for a CodeLlama.
    tokenizer = PreTrainedTokenizerFast.from_pretrained(parent, gguf_file=name)
    model = AutoModelForCausalLM.from_pretrained(parent, gguf_file=name, dtype=torch.float32).to(torch.bfloat16)
    save(model, tokenizer, folder)


def make_qwen(config_folder, tokenizer_folder, folder):
    """Invents weights for Qwen2.5-0.5B's configuration."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(1)
    config = AutoConfig.from_pretrained(config_folder)
    config.torch_dtype = torch.bfloat16
    model = AutoModelForCausalLM.from_config(config).to(torch.bfloat16)
    save(model, PreTrainedTokenizerFast.from_pretrained(tokenizer_folder), folder)


def export_openvino(folder, kind, options):
    """Writes OpenVINO's form of a folder."""
    out = f"{folder}-openvino-{kind}"
    if os.path.isdir(out):
        return
    tool = os.path.join(os.path.dirname(sys.executable), "optimum-cli")
    subprocess.run(
        [tool, "export", "openvino", "-m", folder, "--task", "text-generation-with-past", "--weight-format", kind,
         *options, out + ".part"], check=True)
    os.rename(out + ".part", out)


def export_gguf(folder, llama_cpp):
    """Writes llama.cpp's forms of a folder."""
    whole = f"{folder}-bf16.gguf"
    if not os.path.exists(whole):
        converter = os.path.join(llama_cpp, "convert_hf_to_gguf.py")
        subprocess.run(
            [sys.executable, converter, folder, "--outtype", "bf16", "--outfile", whole + ".part"], check=True)
        os.rename(whole + ".part", whole)
    for kind in GGUF_KINDS:
        out = f"{folder}-{kind}.gguf"
        if not os.path.exists(out):
            quantize = os.path.join(llama_cpp, "build/bin/llama-quantize")
            subprocess.run([quantize, whole, out + ".part", kind, "2"], check=True)
            os.rename(out + ".part", out)


def main():
    cache, gguf, qwen_config = sys.argv[1:4]
    models = os.path.join(cache, "models")
    os.makedirs(models, exist_ok=True)
    for leftover in os.listdir(models):
        if leftover.endswith(".part"):
            path = os.path.join(models, leftover)
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
    smollm2, qwen = os.path.join(models, "smollm2-135m"), os.path.join(models, "qwen2.5-0.5b")
    if not os.path.isdir(smollm2):
        make_smollm2(gguf, smollm2)
    if not os.path.isdir(qwen):
        make_qwen(qwen_config, smollm2, qwen)
    for folder in (smollm2, qwen):
        if os.path.isdir(os.path.join(cache, "openvino")):
            for kind, options in OPENVINO_KINDS.items():
                export_openvino(folder, kind, options)
        if os.path.exists(os.path.join(cache, "src/llama.cpp/build/bin/llama-quantize")):
            export_gguf(folder, os.path.join(cache, "src/llama.cpp"))


if __name__ == "__main__":
    main()
