"""What transformers says in float32: greedy ids with margins, and log probabilities."""

import json
from pathlib import Path

import torch

PROMPT_LENGTHS = [1, 5, 17, 70, 200]
NEW_TOKENS = 32
TOP = 5


def rounded(x: float) -> float:
    """Five decimals: a hundredth of the tolerance tests use."""
    return round(float(x), 5)


@torch.no_grad()
def golden(model, text: str, ids: list[int], with_inputs: bool = True) -> dict:
    """Greedy continuation of one prompt; every step is a full forward pass, so no cache is trusted."""
    sequence = list(ids)
    margins, output_logprobs, top = [], [], []
    input_logprobs = None
    for _ in range(NEW_TOKENS):
        logits = model(torch.tensor([sequence]), use_cache=False).logits[0].float()
        if input_logprobs is None:
            scores = torch.log_softmax(logits, dim=-1)
            input_logprobs = [None] + [rounded(scores[i, sequence[i + 1]]) for i in range(len(sequence) - 1)]
        last = torch.log_softmax(logits[-1], dim=-1)
        values, indices = torch.topk(last, TOP)
        best = torch.topk(logits[-1], 2).values
        margins.append(rounded(best[0] - best[1]))
        output_logprobs.append(rounded(values[0]))
        top.append([[rounded(v), int(i)] for v, i in zip(values, indices)])
        sequence.append(int(indices[0]))
    record = {
        "text": text,
        "ids": ids,
        "output_ids": sequence[len(ids) :],
        "margins": margins,
        "output_logprobs": output_logprobs,
        "top": top,
    }
    if with_inputs:
        record["input_logprobs"] = input_logprobs
    experts = chosen_experts(model, sequence[:-1])
    if any(layer is not None for layer in experts):
        record["experts"] = experts
    return record


@torch.no_grad()
def chosen_experts(model, ids: list[int]) -> list:
    """For each layer the experts of every token, the best first, as one list; null for a layer without experts."""
    chosen = [None] * len(model.model.layers)
    hooks = []
    for index, layer in enumerate(model.model.layers):
        block = getattr(layer, "mlp", None) or layer.block_sparse_moe
        router = getattr(block, "gate", None) or getattr(block, "router", None) or getattr(layer, "router", None)
        if router is not None:
            def keep(_module, _inputs, output, index=index):
                chosen[index] = output[2].flatten().tolist()
            hooks.append(router.register_forward_hook(keep))
    model(torch.tensor([ids]), use_cache=False)
    for hook in hooks:
        hook.remove()
    return chosen


def write(path: Path, header: dict, records: list[dict]) -> None:
    """One line per prompt, so that a change shows in a diff."""
    lines = ",\n".join(json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in records)
    head = json.dumps(header, ensure_ascii=False, separators=(",", ":"))
    path.write_text(head[:-1] + ',\n"prompts":[\n' + lines + "\n]}\n")


def summary(name: str, records: list[dict]) -> str:
    """How telling a model's goldens are: near ties, and how many different ids its outputs hold."""
    margins = [m for record in records for m in record["margins"]]
    different = len({i for record in records for i in record["output_ids"]})
    near = sum(m <= 1e-3 for m in margins)
    return f"{name}: least margin {min(margins):.5f}, {near} near ties, {different} different ids of {len(margins)}"
