"""Owns the order of work: the one command that builds the shipped model, the one for the folds, and a quick one.

`python run.py` trains on every speaker, writes ../1, the samples and the manifest's hash, and measures.
`python run.py --folds` leaves each speaker out in turn, measures, and writes one fold to ../heldout.
`python run.py --quick` trains four steps, exports and measures in work/quick: it shows that all runs, and learns nothing.
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

QUICK_STEPS = 4


def build_shipped() -> None:
    train([None], SHIPPED_STEPS)
    path = export(weights_path(None), MODEL / "1")
    write_samples(MODEL / "1")
    write_hash(path)
    record("shipped", measure(MODEL / "1", None))


def build_folds() -> None:
    train(SPEAKERS, FOLD_STEPS)
    figures = {}
    for speaker in SPEAKERS:
        folder = WORK / f"fold-{speaker}"
        export(weights_path(speaker), folder)
        figures[speaker] = measure(folder, speaker)
        record("folds", figures)
    accuracies = {speaker: f["single_digit_accuracy"] for speaker, f in figures.items()}
    mean = sum(accuracies.values()) / len(accuracies)
    print(f"mean single digit accuracy on unseen speakers {mean:.4f}")
    # End-to-end tests serve the fold nearest to the mean: what a new voice can expect.
    typical = min(accuracies, key=lambda speaker: abs(accuracies[speaker] - mean))
    write_heldout(typical, accuracies[typical])


def build_quick() -> None:
    """Writes no samples: what has learnt nothing gets none of them right."""
    folder = WORK / "quick"
    train([None], QUICK_STEPS, folder)
    export(weights_path(None, folder), folder / "1")
    print(json.dumps(measure(folder / "1", None), indent=2))


def write_heldout(speaker: str, accuracy: float) -> None:
    target = MODEL / "heldout"
    shutil.copytree(WORK / f"fold-{speaker}", target, dirs_exist_ok=True)
    content = {"speaker": speaker, "single_digit_accuracy": accuracy}
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
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--folds", action="store_true", help="leave each speaker out in turn")
    which.add_argument("--quick", action="store_true", help="four steps, into work/quick")
    arguments = parser.parse_args()
    if arguments.folds:
        build_folds()
    elif arguments.quick:
        build_quick()
    else:
        build_shipped()
