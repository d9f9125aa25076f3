#!/usr/bin/env python3
"""Shows that torch reads the files beside this script, as ExpertFileTests writes them, with SGLang's names.

usage: check_torch_files.py"""

from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
COUNTS = [[[0, 0, 0], [2, 3, 1]], [[0, 0, 0], [1, 0, 1]]]


def load(name: str) -> dict:
    """A file's dictionary."""
    return torch.load(HERE / name, weights_only=True)


def main() -> None:
    """Compares all files."""
    stat = load("stat.pt")
    assert list(stat) == ["rank", "logical_count", "average_utilization_rate_over_window"], list(stat)
    assert stat["rank"] == 0 and stat["average_utilization_rate_over_window"] is None
    assert stat["logical_count"].dtype == torch.int32
    assert stat["logical_count"].tolist() == COUNTS + [[[0, 0, 0], [0, 0, 0]]], stat["logical_count"]
    for name in ("per_pass.pt", "per_token.pt"):
        file = load(name)
        assert file["last_physical_to_logical_map"].dtype == torch.int64
        assert file["last_physical_to_logical_map"].tolist() == [[0, 1, 2], [0, 1, 2]]
        for number, record in enumerate(file["records"]):
            assert record["forward_pass_id"] == number + 1 and record["rank"] == 0
            assert record["gatherer_key"] == "primary"
            assert record["global_physical_count"].tolist() == COUNTS[number]
            assert ("input_ids" in record) == (name == "per_token.pt")
    first, second = load("per_token.pt")["records"]
    assert first["input_ids"] == [7, 8, 9] and second["input_ids"] == [70000]
    assert first["positions"] == [0, 1, 2] and second["positions"] == [3]
    assert first["extend_seq_lens"] == [3] and second["extend_seq_lens"] is None
    assert (first["forward_mode"], second["forward_mode"]) == (1, 2)
    choices = first["topk_ids_of_layer"]
    assert choices.shape == (2, 3, 8) and choices[0].eq(-1).all() and choices[1, :, 2:].eq(-1).all()
    assert choices[1, :, :2].tolist() == [[0, 1], [2, 1], [0, 1]]
    assert second["topk_ids_of_layer"][1, :, :2].tolist() == [[2, 0]]
    print("all files are what they should be")


if __name__ == "__main__":
    main()
