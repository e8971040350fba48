"""Owns the order of work: renders, trains, writes 1/, samples/, heldout/ and the manifest's hashes, and measures.

    python run.py            # the shipped model, in place
    python run.py --quick    # every step in a minute, into work/quick/: proves that the command works, learns nothing
"""

import argparse
import hashlib
import json
import re
import shutil
from pathlib import Path

from data import WORK
from evaluate import MODEL, Reader, synthetic
from export import export
from samples import write_heldout, write_samples
from train import PHASES, QUICK_PHASES, Phase, train


def rebuild(folder: Path, phases: tuple[Phase, ...], charts: int) -> dict:
    """The model's folder anew; its figures on so many charts of the test."""
    export(train(phases), folder / "1")
    write_samples(folder / "samples")
    write_heldout(folder / "heldout")
    write_hashes(folder)
    return synthetic(Reader(folder / "1"), charts)


def write_hashes(folder: Path) -> None:
    manifest = folder / "manifest.yaml"
    digest = lambda match: hashlib.sha256((folder / match[1]).read_bytes()).hexdigest()  # noqa: E731
    manifest.write_text(re.sub(r"(1/onnx/\S+): \{ sha256: \S+ \}", lambda m: f"{m[1]}: {{ sha256: {digest(m)} }}", manifest.read_text()))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a few charts and steps, into work/quick")
    if parser.parse_args().quick:
        folder = WORK / "quick"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(MODEL / "manifest.yaml", folder)
        for phase in QUICK_PHASES:
            phase.checkpoint.unlink(missing_ok=True)
        figures = rebuild(folder, QUICK_PHASES, 40)
    else:
        figures = rebuild(MODEL, PHASES, 2_000)
        (WORK / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
