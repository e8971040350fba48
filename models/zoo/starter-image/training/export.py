"""Owns the shipped files: ONNX graph, configuration and image processor in the Hub layout of an image classifier.

fp32: the graph is 1 MB, and ints would win nothing but doubts about batch-mates.
"""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from model import Served, Symbols
from render import SIDE
from symbols import LABELS

OPSET, IR_VERSION = 18, 9


def export(weights: Path, folder: Path) -> Path:
    model = Symbols()
    model.load_state_dict(torch.load(weights))
    served = Served(model).eval()
    path = folder / "onnx" / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_graph(served, path)
    for name, content in configuration().items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")
    assert_same_as_torch(served, path)
    return path


def write_graph(model: Served, path: Path) -> None:
    program = torch.onnx.export(
        model,
        (torch.zeros(2, 3, SIDE, SIDE),),
        input_names=["pixel_values"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=4096)},),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    graph = program.model_proto
    graph.ir_version = IR_VERSION
    # Names and doc strings of the exporter hold paths of the machine that ran it; nothing reads them.
    for node in graph.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in [*graph.graph.value_info, *graph.graph.input, *graph.graph.output]:
        del value.metadata_props[:]
    del graph.graph.value_info[:]
    onnx.checker.check_model(graph)
    path.write_bytes(graph.SerializeToString(deterministic=True))


def assert_same_as_torch(model: Served, path: Path) -> None:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(0).uniform(-1, 1, (5, 3, SIDE, SIDE)).astype(np.float32)
    (together,) = session.run(["logits"], {"pixel_values": pixels})
    alone = np.concatenate([session.run(["logits"], {"pixel_values": one[None]})[0] for one in pixels])
    with torch.no_grad():
        expected = model(torch.from_numpy(pixels)).numpy()
    for name, found in (("PyTorch", expected), ("itself with other batch-mates", alone)):
        difference = float(np.abs(together - found).max())
        print(f"largest difference from {name}: {difference:.1e}")
        if difference > 1e-4:
            raise SystemExit(f"The graph differs from {name} by {difference}.")


def configuration() -> dict[str, object]:
    return {
        "config.json": {
            "model_type": "millrace_symbols",
            "architectures": ["MillraceSymbolsForImageClassification"],
            "image_size": SIDE,
            "id2label": {str(index): label for index, label in enumerate(LABELS)},
            "label2id": {label: index for index, label in enumerate(LABELS)},
        },
        # Keeps a picture's shape and pads it; a squeezed circle would be a terminator.
        "preprocessor_config.json": {
            "image_processor_type": "DonutImageProcessor",
            "size": {"height": SIDE, "width": SIDE},
            "do_resize": True, "do_thumbnail": True, "do_align_long_axis": False, "do_pad": True,
            "resample": 2, "do_rescale": True, "rescale_factor": 1 / 255,
            "do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3,
        },
    }  # fmt: skip
