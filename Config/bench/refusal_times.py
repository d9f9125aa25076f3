#!/usr/bin/env python3
"""How long a server takes to say that it cannot serve a model: the seconds from the start of the process to its end, and the line.

usage: refusal_times.py SRT FOLDER [FOLDER …]     model folders with a config.json

Each folder's configuration is doctored in a copy whose other files are links; weights are not copied."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DOCTORINGS = [
    ("unknown architecture", {"architectures": ["ParrotForCausalLM"], "model_type": "parrot"}),
    ("unknown model_type", {"architectures": None, "model_type": "parrot"}),
    ("unknown quantization", {"quantization_config": {"quant_method": "aqlm"}}),
    ("half a quantization", {"quantization_config": {"quant_method": "gptq", "bits": 5}}),
    ("unknown function", {"hidden_act": "parrot"}),
    ("unknown layers", {"layer_types": ["linear_attention"]}),
    ("unknown rotation", {"rope_scaling": {"rope_type": "parrot", "factor": 2}}),
    ("a size that is too small", {"head_dim": 3}),
    ("another shape than the tensors'", {"intermediate_size": 97}),
    ("more layers than the tensors'", {"num_hidden_layers": 99}),
]


def doctored(folder: Path, target: Path, changes: dict) -> None:
    """A folder with the same files and another configuration."""
    for file in folder.iterdir():
        (target / file.name).unlink(missing_ok=True)
        if file.name != "config.json":
            (target / file.name).symlink_to(file.resolve())
    config = json.loads((folder / "config.json").read_text())
    # The function of the MLP has one of two keys.
    if "hidden_activation" in config and "hidden_act" in changes:
        changes = {"hidden_activation": changes["hidden_act"]}
    if "rope_scaling" in changes:
        config.pop("rope_parameters", None)
    config |= changes
    (target / "config.json").write_text(json.dumps({k: v for k, v in config.items() if v is not None}))


def refusal(srt: str, folder: Path) -> tuple[float, int, list[str]]:
    """Seconds, status and lines of a server that does not start."""
    begin = time.monotonic()
    run = subprocess.run(
        [srt, "serve", "--model-path", str(folder), "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=120)
    return time.monotonic() - begin, run.returncode, [line for line in run.stdout.splitlines() if line.strip()]


def main(srt: str, folders: list[str]) -> None:
    """One line each; at the end the longest."""
    longest = 0.0
    for folder in map(Path, folders):
        for what, changes in DOCTORINGS:
            with tempfile.TemporaryDirectory() as target:
                doctored(folder, Path(target), changes)
                seconds, status, lines = refusal(srt, Path(target))
            longest = max(longest, seconds)
            naming = [line for line in lines if "Start failed" in line]
            print(f"{folder.name:16} {what:32} {seconds:6.3f} s, status {status}, {len(lines)} lines: "
                  f"{(naming or lines or [''])[-1].replace(target, '…')[:200]}", flush=True)
            assert status != 0, lines
    print(f"longest: {longest:.3f} s")


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]), sys.argv[2:])
