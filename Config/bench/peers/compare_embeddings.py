#!/usr/bin/env python3
"""Compares srt over HTTP with engines in process on text embeddings: 64 texts of 128 tokens, and one text alone, in turn.

usage: compare_embeddings.py --srt PATH --model FOLDER [--kinds bf16,int8] [--engines NAMES] [--rounds N] [--threads N]

FOLDER is a sentence-transformers checkpoint such as all-MiniLM-L6-v2. Runs in the `openvino` environment of install.sh with
sentence-transformers and onnxruntime beside it; what cannot be imported is left out. The texts are pieces of
northanger-abbey.txt, cut so that the model's tokenizer makes 126 tokens and its two special ones of each. srt answers
/v1/embeddings in base64; the others get the same texts and pay for no HTTP. Cosines to sentence-transformers in float32 are
printed beside the speed.
"""

import argparse
import base64
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))


def make_texts(folder, count, tokens):
    from transformers import AutoTokenizer
    tokenizer = AutoTokenizer.from_pretrained(folder)
    book = open(os.path.join(HERE, "..", "northanger-abbey.txt"), encoding="utf-8").read()
    ids = tokenizer(book, add_special_tokens=False, verbose=False)["input_ids"]
    return [tokenizer.decode(ids[start:start + tokens - 2]) for start in range(0, count * tokens, tokens)]


class Srt:
    flags = {"f32": ["--dtype", "float32"], "bf16": ["--dtype", "bfloat16"],
             "int8": ["--dtype", "bfloat16", "--quantization", "w8a8_int8"]}

    def __init__(self, options, kind):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = tempfile.TemporaryFile()
        self.server = subprocess.Popen(
            [options.srt, "launch_server", "--model-path", options.model, "--is-embedding", "--port", str(self.port),
             "--cpu-threads-per-rank", str(options.threads), *self.flags[kind]], stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5).read()
                return
            except OSError:
                if self.server.poll() is not None or time.monotonic() > deadline:
                    self.log.seek(0)
                    sys.exit("srt does not start:\n" + self.log.read()[-2000:].decode(errors="replace"))
                time.sleep(0.1)

    def __call__(self, texts):
        import numpy
        body = json.dumps({"model": "m", "input": texts, "encoding_format": "base64"}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/v1/embeddings", body,
                                         {"Content-Type": "application/json"})
        data = json.load(urllib.request.urlopen(request, timeout=120))["data"]
        return numpy.stack([numpy.frombuffer(base64.b64decode(row["embedding"]), "<f4") for row in data])

    def stop(self):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait(30)


class SentenceTransformer:
    def __init__(self, options, kind):
        import sentence_transformers
        import torch
        torch.set_num_threads(options.threads)
        self.model = sentence_transformers.SentenceTransformer(options.model, device="cpu")
        if kind == "bf16":
            self.model = self.model.bfloat16()

    def __call__(self, texts):
        return self.model.encode(texts, batch_size=64, normalize_embeddings=True, show_progress_bar=False)

    def stop(self):
        pass


class OpenVINO:
    """OpenVINO's runtime on the exported graph, mean pooling and norm in numpy; bf16 is what it picks by itself."""

    def __init__(self, options, kind):
        from optimum.intel import OVModelForFeatureExtraction, OVWeightQuantizationConfig
        from transformers import AutoTokenizer
        hint = {"f32": "f32", "bf16": "bf16", "int8": "bf16"}[kind]
        quantization = OVWeightQuantizationConfig(bits=8) if kind == "int8" else None
        self.tokenizer = AutoTokenizer.from_pretrained(options.model)
        self.model = OVModelForFeatureExtraction.from_pretrained(
            options.model, export=True, quantization_config=quantization,
            ov_config={"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": options.threads,
                       "PERFORMANCE_HINT": "LATENCY"})

    def __call__(self, texts):
        import numpy
        batch = self.tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="np")
        hidden = self.model(**batch).last_hidden_state
        mask = batch["attention_mask"][..., None]
        mean = (hidden * mask).sum(1) / mask.sum(1)
        return mean / numpy.linalg.norm(mean, axis=1, keepdims=True)

    def stop(self):
        pass


class ONNXRuntime:
    """onnxruntime on torch's export; int8 is its dynamic quantization."""

    def __init__(self, options, kind):
        if kind == "bf16":
            raise ImportError("onnxruntime has no bf16 here")
        import onnxruntime
        import torch
        from transformers import AutoModel, AutoTokenizer
        self.tokenizer = AutoTokenizer.from_pretrained(options.model)
        model = AutoModel.from_pretrained(options.model, attn_implementation="eager").eval()

        class Hidden(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.model = model

            def forward(self, ids, mask, types):
                # Four-dimensional, as the exporter cannot follow how the model makes it.
                wide = (1 - mask[:, None, None, :].float()).expand(-1, 1, mask.shape[1], -1) * -1e9
                return self.model(input_ids=ids, attention_mask=wide, token_type_ids=types).last_hidden_state

        self.folder = tempfile.TemporaryDirectory()
        path = os.path.join(self.folder.name, "model.onnx")
        sample = self.tokenizer(["one", "two texts"], padding=True, return_tensors="pt")
        names = ["input_ids", "attention_mask", "token_type_ids"]
        torch.onnx.export(
            Hidden(), tuple(sample[name] for name in names), path, input_names=names, output_names=["hidden"], dynamo=False,
            dynamic_axes={name: {0: "batch", 1: "length"} for name in names + ["hidden"]}, opset_version=17)
        if kind == "int8":
            from onnxruntime.quantization import quantize_dynamic
            quantize_dynamic(path, path + ".int8")
            path += ".int8"
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options.threads
        self.session = onnxruntime.InferenceSession(path, settings)

    def __call__(self, texts):
        import numpy
        batch = self.tokenizer(texts, padding=True, truncation=True, max_length=256, return_tensors="np")
        hidden = self.session.run(["hidden"], dict(batch))[0]
        mask = batch["attention_mask"][..., None]
        mean = (hidden * mask).sum(1) / mask.sum(1)
        return mean / numpy.linalg.norm(mean, axis=1, keepdims=True)

    def stop(self):
        pass


ENGINES = {"srt": Srt, "sentence-transformers": SentenceTransformer, "openvino": OpenVINO, "onnxruntime": ONNXRuntime}


def seconds(engine, texts, repeats):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        engine(texts)
        times.append(time.perf_counter() - start)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = lambda text: text.split(",")
    parser.add_argument("--srt", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--kinds", type=names, default=["bf16", "int8"])
    parser.add_argument("--engines", type=names, default=list(ENGINES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    options.srt = os.path.abspath(options.srt)
    import numpy
    texts = make_texts(options.model, 64, 128)
    reference = SentenceTransformer(options, "f32")(texts)
    engines, batches, singles, cosines = {}, {}, {}, {}
    for kind in options.kinds:
        for name in options.engines:
            try:
                engine = ENGINES[name](options, kind)
            except ImportError as error:
                print(f"{name} {kind}: {error}", file=sys.stderr)
                continue
            engines[name, kind] = engine
            cosines[name, kind] = float(numpy.min(numpy.sum(numpy.asarray(engine(texts), "f4") * reference, axis=1)))
            engine(texts[:1])
    for _ in range(options.rounds):
        for key, engine in engines.items():
            batches.setdefault(key, []).extend(64 / time for time in seconds(engine, texts, 3))
            singles.setdefault(key, []).extend(1e3 * time for time in seconds(engine, texts[:1], 5))
    for engine in engines.values():
        engine.stop()
    print("| engine | kind | texts/s | one text, ms | least cosine to float32 |\n|---|---|---|---|---|")
    for key in engines:
        print(f"| {key[0]} | {key[1]} | {statistics.median(batches[key]):.0f} | {statistics.median(singles[key]):.1f} |"
              f" {cosines[key]:.5f} |")


if __name__ == "__main__":
    main()
