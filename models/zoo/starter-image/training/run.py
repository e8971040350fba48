"""Owns the order of work: `python run.py` renders, trains, writes ../1, ../samples, ../heldout and the hash, and measures."""

import argparse
import hashlib
import json
import re

from evaluate import MODEL, measure
from export import export
from samples import write_heldout, write_samples
from train import WORK, train

if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    graph = export(train(), MODEL / "1")
    write_samples(MODEL / "samples")
    write_heldout(MODEL / "heldout")
    manifest = MODEL / "manifest.yaml"
    digest = hashlib.sha256(graph.read_bytes()).hexdigest()
    manifest.write_text(re.sub(r"sha256: \S+", f"sha256: {digest}", manifest.read_text()))
    figures = measure(MODEL / "1")
    (WORK / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))
