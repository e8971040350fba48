"""Owns every figure of the model card, all measured on the exported graphs.

    python evaluate.py --folder ../1

Diagrams that were not drawn here are out of domain (other symbols, sentences, hands): `--pictures FOLDER` shows what is
written for them.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

from data import dataset, test_set
from export import names
from model import HEAD, HEADS, POSITIONS
from scan import SERVED, SMALL, picture, text_of_program
from vocabulary import BEGIN, END, ID, PAD, text_of

MODEL = Path(__file__).resolve().parent.parent


def fitted(image: Image.Image) -> np.ndarray:
    """What DonutImageProcessor makes of a picture: the short side to 272, shrunk into 272 x 384, centred on black."""
    short = min(SERVED.width, SERVED.height) / min(image.size)
    image = image.convert("RGB").resize((int(image.width * short), int(image.height * short)), Image.Resampling.BILINEAR)
    width, height = min(image.width, SERVED.width), min(image.height, SERVED.height)
    if (width, height) != image.size:
        if image.height > image.width:
            width = image.width * height // image.height
        elif image.width > image.height:
            height = image.height * width // image.width
        image = image.resize((max(1, width), max(1, height)), Image.Resampling.BICUBIC)
    canvas = Image.new("RGB", (SERVED.width, SERVED.height))
    canvas.paste(image, ((SERVED.width - image.width) // 2, (SERVED.height - image.height) // 2))
    return np.asarray(canvas)


class Reader:
    """Greedy decoding over the exported graphs, a batch at a time."""

    def __init__(self, folder: Path):
        """`folder` is a version's; pictures with their texts lie beside it in heldout/."""
        self.heldout = folder.parent / "heldout"
        sessions = [folder / "onnx" / f"{name}_model.onnx" for name in ("encoder", "decoder_slots")]
        self.encoder, self.decoder = (onnxruntime.InferenceSession(s, providers=["CPUExecutionProvider"]) for s in sessions)

    def read(self, pictures: np.ndarray) -> list[list[int]]:
        """Ids for RGB pictures of the canvas' size, without </s>."""
        pixels = pictures.astype(np.float32).transpose(0, 3, 1, 2) / 127.5 - 1
        cross = dict(zip(names("cross"), self.encoder.run(None, {"pixel_values": pixels})))
        rows, capacity = len(pictures), POSITIONS
        past = {name: np.zeros((rows, HEADS, capacity, HEAD), np.float32) for name in names("past")}
        mask = np.zeros((rows, capacity + 1), np.int64)
        mask[:, -1] = 1
        ids, written = np.full((rows, 1), BEGIN, np.int64), []
        for at in range(capacity):
            position = np.full((rows, 1), at, np.int64)
            feeds = {"input_ids": ids, "position_ids": position, "attention_mask": mask, **past, **cross}
            logits, *present = self.decoder.run(None, feeds)
            for name, column in zip(names("past"), present):
                past[name][:, :, at : at + 1] = column
            mask[:, at] = 1
            ids = logits[:, -1].argmax(-1)[:, None]
            written.append(ids[:, 0])
            if (np.stack(written) == END).any(0).all():
                break
        whole = np.stack(written, 1).tolist()
        return [row[: row.index(END)] if END in row else row for row in whole]

    def read_all(self, pictures: np.ndarray) -> list[list[int]]:
        return [ids for i in range(0, len(pictures), 40) for ids in self.read(pictures[i : i + 40])]


def synthetic(reader: Reader, count: int) -> dict:
    rows = dataset(test_set(count))
    found = reader.read_all(np.repeat(rows["pixels"][..., None], 3, 3))
    truth = [[int(i) for i in row if i not in (PAD, END)] for row in rows["ids"]]
    right = [a == b for a, b in zip(found, truth)]
    groups: dict[str, list[bool]] = defaultdict(list)
    for ok, ids in zip(right, truth):
        branches = sum(i in (ID["if"], ID["while"]) for i in ids)
        groups[f"{min(branches, 3)} branches"].append(ok)
        groups["up to 20 tokens" if len(ids) <= 20 else "21 to 30 tokens" if len(ids) <= 30 else "over 30 tokens"].append(ok)
    lines = [(a, b) for x, y in zip(found, truth) for a, b in zip(text_of(x).split("\n"), text_of(y).split("\n"))]
    return {
        "heldout_folder_exact_match": shipped_pictures(reader),
        "clean_exact_match": clean(reader, min(500, count)),
        "coarse_exact_match": coarse(reader, count),
        "count": len(rows),
        "exact_match": float(np.mean(right)),
        "same_structure": float(np.mean([shape(a) == shape(b) for a, b in zip(found, truth)])),
        "lines_right": float(np.mean([a == b for a, b in lines])),
        "by": {name: [round(float(np.mean(oks)), 3), len(oks)] for name, oks in sorted(groups.items())},
    }


def shape(ids: list[int]) -> list[str]:
    """The kinds of the lines, whatever they name."""
    kinds = ("start", "end", "input", "output", "if", "while", "else")
    return [line if line.startswith("end ") else next((k for k in kinds if line.split(" ")[0] == k), "step")
            for line in text_of(ids).split("\n")]  # fmt: skip


def clean(reader: Reader, count: int) -> float:
    """Share exact of the first test charts as a drawing program would export them: large, black on white or tinted, sharp."""
    drawn = [picture(test_set().first_seed + number, SMALL, spoiled=False, enlarged=True) for number in range(count)]
    found = reader.read_all(np.stack([fitted(image) for image, _, _ in drawn]))
    return float(np.mean([text_of(ids) == text_of_program(program) for ids, (_, _, program) in zip(found, drawn)]))


def coarse(reader: Reader, count: int) -> float:
    """Share exact of the test's charts on the small canvas, enlarged as the server does: less detail, the same charts."""
    rows = dataset(test_set(count, SMALL))
    found = reader.read_all(np.stack([fitted(Image.fromarray(pixels)) for pixels in rows["pixels"]]))
    return float(np.mean([ids == [int(i) for i in row if i not in (PAD, END)] for ids, row in zip(found, rows["ids"])]))


def shipped_pictures(reader: Reader) -> float:
    """Share exact in heldout/, which the test over HTTP sends."""
    texts = json.loads((reader.heldout / "texts.json").read_text())
    found = reader.read_all(np.stack([fitted(Image.open(reader.heldout / name)) for name in texts]))
    return float(np.mean([text_of(ids) == text for ids, text in zip(found, texts.values())]))


def foreign(reader: Reader, folder: Path) -> dict[str, str]:
    """What is written for pictures that this project did not draw."""
    files = sorted([*folder.rglob("*.jpg"), *folder.rglob("*.png")])
    pictures = [fitted(ImageOps.exif_transpose(Image.open(file))) for file in files]
    return {file.name: text_of(reader.read(picture[None])[0]) for file, picture in zip(files, pictures)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=lambda path: Path(path).resolve(), default=MODEL / "1")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--pictures", type=Path, help="a folder of other pictures, to see what is written for them")
    given = parser.parse_args()
    reader = Reader(given.folder)
    print(json.dumps(foreign(reader, given.pictures) if given.pictures else synthetic(reader, given.count), indent=2))
