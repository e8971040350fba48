"""Owns the pictures that are shipped: one of each shown class for the demo, five of each class for the test over HTTP.

All drawn here. Seeds are none that training, validation or test have.
"""

import json
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw

from render import Pen, inside, render
from symbols import LABELS, SYMBOLS

FIRST_SEED, EACH = 30_000_000, 5
SHOWN = {"decision": (320, 220), "database": (220, 280), "document": (320, 220)}


def write_samples(folder: Path) -> None:
    """Clean pictures, as a drawing program makes them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, size in SHOWN.items():
        rng = Random(FIRST_SEED - 1)
        image = Image.new("L", size, 255)
        w, h = size[0] / max(size), size[1] / max(size)
        scale = max(size) * 0.44
        pen = Pen(ImageDraw.Draw(image), rng, lambda p: (size[0] / 2 + p[0] * scale, size[1] / 2 + p[1] * scale), 0, 0.03, 0)
        pen.outline(SYMBOLS[name][0](w, h, rng), 255, filled=True)
        inside(pen, w, h, rng, name)
        image.save(folder / f"{name}.png", optimize=True)


def write_heldout(folder: Path) -> None:
    """Spoiled like the training pictures; labels.json names the classes."""
    folder.mkdir(parents=True, exist_ok=True)
    counts, labels, seed = dict.fromkeys(LABELS, 0), {}, FIRST_SEED
    while min(counts.values()) < EACH:
        pixels, index = render(seed)
        seed, label = seed + 1, LABELS[index]
        if counts[label] < EACH:
            counts[label] += 1
            file = f"{label}-{counts[label]}.png"
            Image.fromarray(pixels).save(folder / file, optimize=True)
            labels[file] = label
    (folder / "labels.json").write_text(json.dumps(labels, indent=1, sort_keys=True) + "\n")
