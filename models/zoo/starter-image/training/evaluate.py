"""Owns every figure of the model card, all measured on the exported graph.

    python evaluate.py --folder ../1

Hand-drawn symbols are cut from hdBPMN (`$MILLRACE_ASSETS/diagrams`, CC BY 4.0), which no training has seen.
"""

import argparse
import json
import os
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

from render import SIDE
from symbols import LABELS
from train import dataset

MODEL = Path(__file__).parent.parent
ASSETS = Path(os.environ.get("MILLRACE_ASSETS", MODEL.parents[3] / "shared" / "assets"))
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
BOUNDS = "{http://www.omg.org/spec/DD/20100524/DC}Bounds"
# What a BPMN element is in the words of flowcharts.
MEANING = {
    "task": "process", "exclusiveGateway": "decision", "parallelGateway": "decision", "eventBasedGateway": "decision",
    "startEvent": "connector", "endEvent": "connector", "intermediateCatchEvent": "connector",
    "intermediateThrowEvent": "connector", "dataObjectReference": "document", "dataStoreReference": "database",
}  # fmt: skip


def fitted(image: Image.Image) -> np.ndarray:
    """What DonutImageProcessor makes of a picture: the short side to 64, shrunk into 64 x 64, centred on black."""
    scale = SIDE / min(image.size)
    image = image.convert("RGB").resize((int(image.width * scale), int(image.height * scale)), Image.Resampling.BILINEAR)
    long = max(image.size)
    if long > SIDE:
        size = (max(1, image.width * SIDE // long), max(1, image.height * SIDE // long))
        image = image.resize(size, Image.Resampling.BICUBIC)
    canvas = Image.new("RGB", (SIDE, SIDE))
    canvas.paste(image, ((SIDE - image.width) // 2, (SIDE - image.height) // 2))
    return np.asarray(canvas)


def predict(session: onnxruntime.InferenceSession, pictures: np.ndarray) -> np.ndarray:
    """Classes of RGB pictures of the network's size."""
    found = []
    for start in range(0, len(pictures), 250):
        pixels = pictures[start : start + 250].astype(np.float32).transpose(0, 3, 1, 2) / 127.5 - 1
        found.append(session.run(["logits"], {"pixel_values": pixels})[0].argmax(1))
    return np.concatenate(found)


def handdrawn() -> list[tuple[Image.Image, str]]:
    """Symbols of hdBPMN with a twelfth of their size around them."""
    cuts = []
    for path in sorted((ASSETS / "diagrams" / "hdBPMN" / "images").glob("*/*.jpg")):
        drawn = Path(str(path).replace("images", "annotations")).with_suffix(".bpmn")
        image = ImageOps.exif_transpose(Image.open(path))
        content = drawn.read_text()
        scale = image.width / int(content.split('"backgroundSize":')[1].split("}")[0])
        tree = ElementTree.fromstring(content)
        kinds = {element.get("id"): element.tag.removeprefix(BPMN) for element in tree.iter() if element.get("id")}
        for shape in tree.iter(f"{DI}BPMNShape"):
            label = MEANING.get(kinds.get(shape.get("bpmnElement"), ""))
            bounds = shape.find(BOUNDS)
            if label and bounds is not None:
                x, y, w, h = (float(bounds.get(key)) * scale for key in ("x", "y", "width", "height"))
                around = max(w, h) / 12
                cuts.append((image.crop((round(x - around), round(y - around), round(x + w + around), round(y + h + around))), label))
    return cuts


def shipped_pictures(session: onnxruntime.InferenceSession) -> float:
    """Share right in ../heldout, which the test over HTTP sends."""
    labels = json.loads((MODEL / "heldout" / "labels.json").read_text())
    found = predict(session, np.stack([fitted(Image.open(MODEL / "heldout" / name)) for name in labels]))
    return float(np.mean([LABELS[i] == label for i, label in zip(found, labels.values())]))


def measure(folder: Path) -> dict:
    session = onnxruntime.InferenceSession(folder / "onnx" / "model.onnx", providers=["CPUExecutionProvider"])
    pixels, labels = dataset("test")
    found = predict(session, np.repeat(pixels[..., None], 3, 3))
    figures: dict = {"heldout_accuracy": float((found == labels).mean())}
    figures["by_class"] = {
        name: round(float((found[labels == index] == index).mean()), 3) for index, name in enumerate(LABELS)
    }
    mixed = Counter((LABELS[a], LABELS[b]) for a, b in zip(labels, found) if a != b)
    figures["most_mixed"] = [[*pair, count] for pair, count in mixed.most_common(8)]
    figures["heldout_folder_accuracy"] = shipped_pictures(session)
    if (ASSETS / "diagrams" / "hdBPMN").exists():
        cuts = handdrawn()
        guessed = [LABELS[i] for i in predict(session, np.stack([fitted(image) for image, _ in cuts]))]
        figures["handdrawn_count"] = len(cuts)
        figures["handdrawn_accuracy"] = sum(g == label for g, (_, label) in zip(guessed, cuts)) / len(cuts)
        figures["handdrawn"] = {
            label: dict(Counter(g for g, (_, true) in zip(guessed, cuts) if true == label).most_common(4))
            for label in sorted({label for _, label in cuts})
        }
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, default=MODEL / "1")
    print(json.dumps(measure(parser.parse_args().folder), indent=2))
