"""Owns the pictures on disk: rendered once, by every core, into one file per set, read through a memory map.

Seeds of the sets are far apart, and no program of the held-out sets is in the training set (`heldout_programs`).
"""

import multiprocessing
import os
from pathlib import Path

import numpy as np

from scan import HEIGHT, WIDTH, render, text_of_program
from vocabulary import END, ID, NEWLINE, SEEN_NO, SEEN_YES, SPECIAL, ids_of

WORK = Path(__file__).parent / "work"
LENGTH = 80
FIRST_SEED = {"train": 1_000_000, "validation": 10_000_000, "test": 20_000_000}
SIZE = {"train": 60_000, "validation": 1_000, "test": 2_000}
GRID = (HEIGHT // 8, WIDTH // 8)
IGNORED = 255

RECORD = np.dtype([
    ("pixels", np.uint8, (HEIGHT, WIDTH)),
    ("ids", np.uint8, (LENGTH,)),  # ends with </s>
    ("x", np.int16, (LENGTH,)),
    ("y", np.int16, (LENGTH,)),
    ("seen", np.uint8, GRID),  # token that can be read in a cell of 8 x 8 pixels; 0: none
])  # fmt: skip


def record(seed: int, banned: frozenset[str]) -> np.ndarray:
    """A picture and what is to be learned from it. A program that a held-out set has is drawn anew."""
    pixels, spots, program = render(seed)
    while banned and text_of_program(program) in banned:
        seed += 500_000_000
        pixels, spots, program = render(seed)
    made = np.zeros((), RECORD)
    made["pixels"] = pixels
    written = [spot for spot in spots if not spot[0].startswith("<y") and not spot[0].startswith("<n")]
    ids = ids_of([token for token, _, _ in written])
    assert ids[-1] == NEWLINE
    ids[-1] = END
    made["ids"][: len(ids)] = ids
    made["x"][: len(ids)] = [round(x) for _, x, _ in written]
    made["y"][: len(ids)] = [round(y) for _, _, y in written]
    made["seen"] = readable(ids, written, spots[len(written) :])
    return made


def readable(ids: list[int], written: list, labels: list) -> np.ndarray:
    """The grid of what stands where. Two tokens in one cell are not asked for."""
    grid = np.zeros(GRID, np.uint8)
    unseen = {NEWLINE, END, ID["if"], ID["while"], ID["else"], ID["Ġif"], ID["Ġwhile"]}
    closing = ID["end"]
    shown = []
    for index, (token, (_, x, y)) in enumerate(zip(ids, written)):
        is_closer = token == closing and ids[index + 1] in (ID["Ġif"], ID["Ġwhile"])
        if token not in unseen and token >= len(SPECIAL) and not is_closer:
            shown.append((token, x, y))
    shown += [(SEEN_YES if name == "<yes>" else SEEN_NO, x, y) for name, x, y in labels]
    for token, x, y in shown:
        row, column = int(y) // 8, int(x) // 8
        if 0 <= row < GRID[0] and 0 <= column < GRID[1]:
            grid[row, column] = token if grid[row, column] == 0 else IGNORED
    return grid


def programs(name: str) -> frozenset[str]:
    return frozenset(text_of_program(render(FIRST_SEED[name] + i)[2]) for i in range(SIZE[name]))


def _fill(job: tuple[str, str, int, int, frozenset[str]]) -> None:
    path, name, first, last, banned = job
    file = np.memmap(path, RECORD, "r+", shape=(SIZE[name],))
    for index in range(first, last):
        file[index] = record(FIRST_SEED[name] + index, banned)


def dataset(name: str) -> np.memmap:
    """The set, rendered if it is not there yet."""
    WORK.mkdir(exist_ok=True)
    path = WORK / f"{name}-{SIZE[name]}.bin"
    if not path.exists():
        part = path.with_suffix(".part")
        np.memmap(part, RECORD, "w+", shape=(SIZE[name],)).flush()
        banned = programs("validation") | programs("test") if name == "train" else frozenset()
        step = 500
        jobs = [(str(part), name, i, min(i + step, SIZE[name]), banned) for i in range(0, SIZE[name], step)]
        with multiprocessing.Pool(os.cpu_count()) as pool:
            for done, _ in enumerate(pool.imap_unordered(_fill, jobs), 1):
                print(f"{name}: {done}/{len(jobs)}", flush=True) if done % 20 == 0 else None
        part.rename(path)
    return np.memmap(path, RECORD, "r", shape=(SIZE[name],))


if __name__ == "__main__":
    for each in ("validation", "test", "train"):
        dataset(each)
