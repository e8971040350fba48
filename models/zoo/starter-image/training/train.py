"""Owns the training: pictures rendered once by seed, four passes, one thread. About two minutes of one core."""

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from model import Symbols
from render import SIDE, render

WORK = Path(__file__).parent / "work"
SEED, BATCH, PASSES, RATE = 3, 64, 4, 2e-3
FIRST_SEED = {"train": 1_000_000, "validation": 10_000_000, "test": 20_000_000}
SIZE = {"train": 48_000, "validation": 2_000, "test": 4_000}


def dataset(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and labels, rendered if they are not there yet."""
    WORK.mkdir(exist_ok=True)
    path = WORK / f"{name}-{SIZE[name]}.npz"
    if not path.exists():
        made = [render(FIRST_SEED[name] + index) for index in range(SIZE[name])]
        np.savez(path, pixels=np.stack([p for p, _ in made]), labels=np.array([label for _, label in made]))
    with np.load(path) as saved:
        return saved["pixels"], saved["labels"]


def scaled(pixels: np.ndarray) -> torch.Tensor:
    return (torch.from_numpy(pixels.astype(np.float32)).unsqueeze(1) / 127.5 - 1).to(memory_format=torch.channels_last)


@torch.no_grad()
def accuracy(model: Symbols, pixels: np.ndarray, labels: np.ndarray) -> float:
    model.eval()
    right = sum(
        int((model(scaled(pixels[i : i + 250])).argmax(1).numpy() == labels[i : i + 250]).sum())
        for i in range(0, len(labels), 250)
    )
    model.train()
    return right / len(labels)


def train() -> Path:
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    pixels, labels = dataset("train")
    checks = dataset("validation")
    assert pixels.shape[1:] == (SIDE, SIDE)
    model = Symbols().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), RATE, weight_decay=0.02)
    steps = PASSES * (len(labels) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps, pct_start=0.1)
    for number in range(PASSES):
        order = np.random.default_rng([SEED, number]).permutation(len(labels))
        total = 0.0
        for start in range(0, len(order) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            logits = model(scaled(pixels[chosen]))
            loss = F.cross_entropy(logits, torch.from_numpy(labels[chosen]).long(), label_smoothing=0.05)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"pass {number + 1}: loss {total * BATCH / len(order):.4f}, right {accuracy(model, *checks):.4f}", flush=True)
    path = WORK / "symbols.pt"
    torch.save(model.state_dict(), path)
    return path


if __name__ == "__main__":
    train()
