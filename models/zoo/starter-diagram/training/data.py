"""Owns the pictures on disk: rendered once, by every core, into one file per set and canvas, read through a memory map.

Seeds of the sets are far apart, and no program of the held-out sets is in a training set (`programs`).
"""

import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scan import SERVED, SMALL, Canvas, render, text_of_program
from vocabulary import END, ID, NEWLINE, SEEN_NO, SEEN_YES, SPECIAL, ids_of

WORK = Path(__file__).parent / "work"
LENGTH = 80
IGNORED = 255
# Where what is read is named: cells of 8 x 4 pixels. Two letters of a narrow font share one of 8 x 8 too often.
CELL_HEIGHT, CELL_WIDTH = 8, 4


@dataclass(frozen=True)
class Set:
    name: str
    canvas: Canvas
    first_seed: int
    size: int

    @property
    def path(self) -> Path:
        return WORK / f"{self.name}-{self.canvas.width}x{self.canvas.height}-{self.size}.bin"

    @property
    def record(self) -> np.dtype:
        height, width = self.canvas.height, self.canvas.width
        return np.dtype([
            ("pixels", np.uint8, (height, width)),
            ("ids", np.uint8, (LENGTH,)),  # ends with </s>
            ("x", np.int16, (LENGTH,)),
            ("y", np.int16, (LENGTH,)),
            ("seen", np.uint8, (height // CELL_HEIGHT, width // CELL_WIDTH)),  # token that can be read there; 0: none
        ])  # fmt: skip


def validation_set(canvas: Canvas, size: int = 1_000) -> Set:
    return Set("validation", canvas, 10_000_000, size)


def test_set(size: int = 2_000, canvas: Canvas = SERVED) -> Set:
    return Set("test", canvas, 20_000_000, size)


def first_training_set(size: int) -> Set:
    return Set("train", SMALL, 1_000_000, size)


def last_training_set(size: int) -> Set:
    """Of programs that the first has not."""
    return Set("train", SERVED, 2_000_000, size)


def record(seed: int, kind: Set, banned: frozenset[str]) -> np.ndarray:
    """A picture and what is to be learned from it. A program that a held-out set has is drawn anew."""
    pixels, spots, program = render(seed, kind.canvas)
    while banned and text_of_program(program) in banned:
        seed += 500_000_000
        pixels, spots, program = render(seed, kind.canvas)
    made = np.zeros((), kind.record)
    made["pixels"] = pixels
    written = [spot for spot in spots if not spot[0].startswith("<y") and not spot[0].startswith("<n")]
    ids = ids_of([token for token, _, _ in written])
    assert ids[-1] == NEWLINE
    ids[-1] = END
    made["ids"][: len(ids)] = ids
    made["x"][: len(ids)] = [round(x) for _, x, _ in written]
    made["y"][: len(ids)] = [round(y) for _, _, y in written]
    made["seen"] = readable(ids, written, spots[len(written) :], made["seen"].shape)
    return made


def readable(ids: list[int], written: list, labels: list, shape: tuple[int, ...]) -> np.ndarray:
    """The grid of what stands where. Two tokens in one cell are not asked for."""
    grid = np.zeros(shape, np.uint8)
    unseen = {NEWLINE, END, ID["if"], ID["while"], ID["else"], ID["Ġif"], ID["Ġwhile"]}
    closing = ID["end"]
    shown = []
    for index, (token, (_, x, y)) in enumerate(zip(ids, written)):
        is_closer = token == closing and ids[index + 1] in (ID["Ġif"], ID["Ġwhile"])
        if token not in unseen and token >= len(SPECIAL) and not is_closer:
            shown.append((token, x, y))
    shown += [(SEEN_YES if name == "<yes>" else SEEN_NO, x, y) for name, x, y in labels]
    for token, x, y in shown:
        row, column = int(y) // CELL_HEIGHT, int(x) // CELL_WIDTH
        if 0 <= row < shape[0] and 0 <= column < shape[1]:
            grid[row, column] = token if grid[row, column] == 0 else IGNORED
    return grid


def programs(kind: Set) -> frozenset[str]:
    return frozenset(text_of_program(render(kind.first_seed + i, kind.canvas)[2]) for i in range(kind.size))


def _fill(job: tuple[Path, Set, int, int, frozenset[str]]) -> None:
    path, kind, first, last, banned = job
    file = np.memmap(path, kind.record, "r+", shape=(kind.size,))
    for index in range(first, last):
        file[index] = record(kind.first_seed + index, kind, banned)


def dataset(kind: Set) -> np.memmap:
    """The set, rendered if it is not there yet."""
    WORK.mkdir(exist_ok=True)
    if not kind.path.exists():
        part = kind.path.with_suffix(".part")
        np.memmap(part, kind.record, "w+", shape=(kind.size,)).flush()
        held_out = (validation_set(kind.canvas), test_set())
        banned = frozenset().union(*map(programs, held_out)) if kind.name == "train" else frozenset()
        step = 500
        jobs = [(part, kind, i, min(i + step, kind.size), banned) for i in range(0, kind.size, step)]
        with multiprocessing.Pool(os.cpu_count()) as pool:
            for done, _ in enumerate(pool.imap_unordered(_fill, jobs), 1):
                print(f"{kind.path.name}: {done}/{len(jobs)}", flush=True) if done % 20 == 0 else None
        part.rename(kind.path)
    return np.memmap(kind.path, kind.record, "r", shape=(kind.size,))
