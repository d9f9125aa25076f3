#!/usr/bin/env python3
"""Fetches chat templates that others published into a folder, for make_template_goldens.py and the tests that read its goldens.

Usage: fetch_templates.py FOLDER

They lie in the source archives of llama-cpp-python and vLLM on the package index that pip uses. Templates belong to the makers of their
models; none of them comes into this repository.
"""
import hashlib
import io
import json
import pathlib
import subprocess
import sys
import tarfile
import urllib.parse
import urllib.request

ARCHIVES = [
    ("llamacpp", "llama-cpp-python", "llama_cpp_python-0.3.36.tar.gz", "/vendor/llama.cpp/models/templates/"),
    ("vllm", "vllm", "vllm-0.33.0.tar.gz", "/"),
]


def index():
    """The index that pip asks."""
    told = subprocess.run([sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True)
    return told.stdout.strip().rstrip("/") or "https://pypi.org/simple"


def archive(package, name):
    """The bytes of a package's file, checked against the digest that the index tells."""
    page = f"{index()}/{package}/"
    request = urllib.request.Request(page, headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    with urllib.request.urlopen(request) as answer:
        files = json.load(answer)["files"]
    found = next(file for file in files if file["filename"] == name)
    with urllib.request.urlopen(urllib.parse.urljoin(page, found["url"])) as answer:
        data = answer.read()
    assert hashlib.sha256(data).hexdigest() == found["hashes"]["sha256"], f"{name} is not what the index has"
    return data


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    seen = set()
    for origin, package, name, place in ARCHIVES:
        kept = folder / name
        if not kept.exists():
            kept.write_bytes(archive(package, name))
        with tarfile.open(fileobj=io.BytesIO(kept.read_bytes())) as files:
            for member in files:
                if not member.isfile() or not member.name.endswith(".jinja") or place not in member.name:
                    continue
                text = files.extractfile(member).read()
                if text in seen:
                    continue
                seen.add(text)
                name = "-".join(pathlib.PurePath(member.name).parts[-2:])
                (folder / f"{origin}-{name}").write_bytes(text)
    print(f"{len(seen)} distinct templates in {folder}")


if __name__ == "__main__":
    main()
