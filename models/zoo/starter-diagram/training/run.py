"""Owns the order of work: `python run.py` renders, trains, writes ../1, ../samples, ../heldout and hashes, and measures."""

import hashlib
import json
import re
from pathlib import Path

from data import WORK
from evaluate import MODEL, Reader, synthetic
from export import export
from samples import write_heldout, write_samples
from train import train


def write_hashes() -> None:
    manifest = MODEL / "manifest.yaml"
    digest = lambda match: hashlib.sha256((MODEL / match[1]).read_bytes()).hexdigest()  # noqa: E731
    manifest.write_text(re.sub(r"(1/onnx/\S+): \{ sha256: \S+ \}", lambda m: f"{m[1]}: {{ sha256: {digest(m)} }}", manifest.read_text()))


if __name__ == "__main__":
    export(Path(train()), MODEL / "1")
    write_samples(MODEL / "samples")
    write_heldout(MODEL / "heldout")
    write_hashes()
    figures = synthetic(Reader(MODEL / "1"), 2000)
    (WORK / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))
