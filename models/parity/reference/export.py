"""
Exports architectures of random weights in Hub layout and writes what the reference makes of our inputs beside each.

    python models/parity/reference/export.py --shape small --out models/parity/fixtures/models [name ...]
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import torch
from optimum.exporters.onnx import onnx_export_from_model

from answers import answer
from architectures import Architecture, Built, build
from classifiers import CLASSIFIERS
from inputs import make_media
from readers import READERS
from writers import WRITERS

ARCHITECTURES: dict[str, Architecture] = READERS | CLASSIFIERS | WRITERS


def export(name: str, small: bool, target: Path) -> None:
    architecture = ARCHITECTURES[name]
    with tempfile.TemporaryDirectory() as scratch:
        built = build(architecture, small, Path(scratch) / "vocabulary")
        exported = Path(scratch) / "exported"
        with torch.no_grad():
            write_graphs(architecture, built, exported)
        lay(built, exported, target)
        for graph in architecture.drops:
            (target / "onnx" / f"{graph}.onnx").unlink()
        cases = answer(architecture.task, built, target)
    (target / "expected.json").write_text(json.dumps({"task": architecture.task, "cases": cases}) + "\n")


def write_graphs(architecture: Architecture, built: Built, folder: Path) -> None:
    if isinstance(architecture.export, str):
        onnx_export_from_model(
            built.model, folder, task=architecture.export, preprocessors=built.preprocessors, do_validation=False, **built.export, **built.shapes
        )
        return
    folder.mkdir()
    architecture.export(built.model, folder)
    built.model.config.save_pretrained(folder)
    built.model.generation_config.save_pretrained(folder)


def lay(built: Built, exported: Path, target: Path) -> None:
    """Graphs under onnx/, the rest beside it: as on the Hub."""
    shutil.rmtree(target, ignore_errors=True)
    (target / "onnx").mkdir(parents=True)
    for path in exported.iterdir():
        shutil.move(path, target / "onnx" / path.name if path.suffix in (".onnx", ".onnx_data") else target / path.name)
    for preprocessor in built.preprocessors:
        preprocessor.save_pretrained(target)
    for name, content in built.files.items():
        (target / name).parent.mkdir(exist_ok=True)
        (target / name).write_text(json.dumps(content, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", action="store_true", help="print the names and end")
    parser.add_argument("--shape", choices=["small", "true"], default="small")
    parser.add_argument("--out", type=Path)
    parser.add_argument("names", nargs="*", help=", ".join(ARCHITECTURES))
    arguments = parser.parse_args()
    if arguments.list or not arguments.out:
        print("\n".join(ARCHITECTURES))
        return
    torch.set_num_threads(1)
    make_media()
    for name in arguments.names or ARCHITECTURES:
        export(name, arguments.shape == "small", arguments.out / name)
        print(f"exported {name}", flush=True)


if __name__ == "__main__":
    main()
