"""
Writes models/parity/fixtures/resampling.json: SHA-256 of what Pillow makes of small pictures, by every filter, in gray and
RGB. Needs Pillow 11 or 12: 13 takes columns before rows where rows grow, and single bytes differ by one.

    python models/parity/reference/resampling.py
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

TARGET = Path(__file__).parents[1] / "fixtures" / "resampling.json"

FILTERS = ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]

# (width, height) before and after.
SIZES = [
    ((37, 29), (16, 11)),
    ((37, 29), (37, 8)),
    ((5, 3), (64, 47)),
    ((1, 1), (5, 3)),
    ((33, 2), (1, 1)),
    ((1, 301), (7, 20)),
    ((301, 1), (20, 7)),
    ((61, 7), (19, 23)),
    # Source lines come in bands of 256 KiB: more than one, of which some lines are seen from both sides.
    ((911, 701), (31, 97)),
    # One line alone is more.
    ((90001, 3), (5, 4)),
]


def picture(width, height):
    """The same formula stands in resampling.parity.test.ts."""
    y, x, channel = np.ogrid[:height, :width, :3]
    return ((x * x * 3 + y * 7 * (x + 1) + channel * 53 + ((x * y) >> 2)) & 255).astype(np.uint8)


def main():
    cases = []
    for source, target in SIZES:
        pixels = picture(*source)
        for mode, array in (("gray", np.ascontiguousarray(pixels[:, :, 0])), ("rgb", pixels)):
            for name in FILTERS:
                resized = Image.fromarray(array).resize(target, getattr(Image.Resampling, name.upper()))
                cases.append([mode, name, source, target, hashlib.sha256(resized.tobytes()).hexdigest()])
    lines = ",\n".join("    " + json.dumps(case) for case in cases)
    TARGET.write_text(f'{{\n  "versions": "Pillow {PIL.__version__}",\n  "cases": [\n{lines}\n  ]\n}}\n')


if __name__ == "__main__":
    main()
