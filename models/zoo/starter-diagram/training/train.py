"""Owns one training run: after a warm-up a constant learning rate up to step 3,000, then a straight way down.

Four losses: the next token; which token stands in each cell, and where in the text what stands in a cell is written
(encoder); where the decoder's first head looks, given the place where the next token is drawn. The last three only make
learning quick: without them the decoder must find out by trial what is copied from where, and in which order.

    python train.py [--steps 11100] [--decay-from 3000] [--from work/diagram.pt]
"""

import argparse
import time

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from data import IGNORED, WORK, dataset
from model import COLUMNS, LINES, ROWS, SLOTS, Diagram
from vocabulary import BEGIN, END, NEWLINE, PAD

BATCH, RATE, WARM_UP = 16, 1.2e-3, 200
STEPS, DECAY_FROM = 11_100, 3_000
SEED = 5
# Token, seen, aim, order.
LOSS_WEIGHTS = torch.tensor([1.0, 1.0, 0.3, 0.3])


def batch_of(rows: np.ndarray) -> dict[str, Tensor]:
    length = int((rows["ids"] != PAD).sum(1).max())
    ids = torch.from_numpy(rows["ids"][:, :length].astype(np.int64))
    begin = torch.full((len(rows), 1), BEGIN)
    return {
        "pixels": pixels_of(rows["pixels"]),
        "ids": torch.cat([begin, ids[:, :-1].masked_fill(ids[:, :-1] == END, PAD)], 1),
        "next": ids,
        "x": torch.from_numpy(rows["x"][:, :length].astype(np.float32)),
        "y": torch.from_numpy(rows["y"][:, :length].astype(np.float32)),
        "seen": torch.from_numpy(rows["seen"].astype(np.int64)),
    }


def pixels_of(pixels: np.ndarray) -> Tensor:
    scaled = torch.from_numpy(pixels.astype(np.float32)).unsqueeze(1) / 127.5 - 1
    return scaled.to(memory_format=torch.channels_last)


def aims(batch: dict[str, Tensor]) -> Tensor:
    """Where the next token is drawn, as shares of the memory's places: a small hill around it."""
    rows, columns = torch.arange(ROWS) * 16 + 8, torch.arange(COLUMNS) * 8 + 4
    down = torch.exp(-(((batch["y"][..., None] - rows) / 10) ** 2))
    across = torch.exp(-(((batch["x"][..., None] - columns) / 5) ** 2))
    hill = (down[..., :, None] * across[..., None, :]).flatten(2)
    return hill / (hill.sum(-1, keepdim=True) + 1e-9)


def order_loss(order: Tensor, batch: dict[str, Tensor], written: Tensor) -> Tensor:
    """At the place of each token: the line it is written in, and its place in the line."""
    row = (batch["y"] / 16).long().clamp(0, ROWS - 1)
    column = (batch["x"] / 8).long().clamp(0, COLUMNS - 1)
    there = order.gather(1, (row * COLUMNS + column)[..., None].expand(-1, -1, LINES + SLOTS))[written].float()
    breaks = (batch["next"] == NEWLINE).long()
    line = breaks.cumsum(1) - breaks
    # Where the line began: the place after the last break before.
    at = torch.arange(breaks.shape[1]).expand_as(breaks)
    began = torch.cat([torch.zeros_like(at[:, :1]), ((at + 1) * breaks).cummax(1).values[:, :-1]], 1)
    lines, slots = line.clamp(max=LINES - 1)[written], (at - began).clamp(max=SLOTS - 1)[written]
    return F.cross_entropy(there[:, :LINES], lines) + F.cross_entropy(there[:, LINES:], slots)


def losses(model: Diagram, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    with torch.autocast("cpu", torch.bfloat16):
        logits, looked, reading, order = model(batch["pixels"], batch["ids"])
    written = batch["next"] != PAD
    token = F.cross_entropy(logits.float()[written], batch["next"][written])
    weights = torch.ones(reading.shape[1])
    weights[0] = 0.01  # of 1,120 cells about 15 hold a token
    seen = F.cross_entropy(reading.float(), batch["seen"], weights, ignore_index=IGNORED)
    aim = aims(batch)
    missed = [-(aim * (shares.float() + 1e-6).log()).sum(-1)[written].mean() for shares in looked[1:]]
    return token, seen, torch.stack(missed).mean(), order_loss(order, batch, written)


@torch.no_grad()
def written_by(model: Diagram, rows: np.ndarray) -> list[list[int]]:
    """Greedy, whole prefixes again at every step: for checks while training."""
    memory, _ = model.encoder(pixels_of(rows["pixels"]))
    ids = torch.full((len(rows), 1), BEGIN)
    done = torch.zeros(len(rows), dtype=torch.bool)
    while not done.all() and ids.shape[1] < 80:
        best = model.decoder(ids, memory)[0][:, -1].argmax(-1)
        ids = torch.cat([ids, best.masked_fill(done, PAD)[:, None]], 1)
        done |= best == END
    return [[i for i in row if i != PAD] for row in ids[:, 1:].tolist()]


def exact_share(model: Diagram, rows: np.ndarray) -> float:
    model.eval()
    right = 0
    for start in range(0, len(rows), 50):
        part = rows[start : start + 50]
        truth = [[int(i) for i in row if i != PAD] for row in part["ids"]]
        with torch.autocast("cpu", torch.bfloat16):
            right += sum(a == b for a, b in zip(written_by(model, part), truth))
    model.train()
    return right / len(rows)


def rate_at(step: int, steps: int, decay_from: int) -> float:
    if step < decay_from:
        return RATE * min(1, (step + 1) / WARM_UP)
    return RATE * max(0.01, (steps - step) / (steps - decay_from))


def optimizer_of(model: Diagram) -> torch.optim.AdamW:
    """Biases and norms are not pulled to zero."""
    decayed = [p for p in model.parameters() if p.ndim > 1]
    kept = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.02}, {"params": kept, "weight_decay": 0}]
    return torch.optim.AdamW(groups, RATE, betas=(0.9, 0.98))


def train(steps: int = STEPS, decay_from: int = DECAY_FROM, resume: str | None = None, name: str = "diagram") -> str:
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    model = Diagram().to(memory_format=torch.channels_last)
    optimizer = optimizer_of(model)
    step = 0
    if resume:
        state = torch.load(resume)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step = state["step"]
    rows, checks = dataset("train"), dataset("validation")
    sums, begun, path = np.zeros(4), time.time(), WORK / f"{name}.pt"
    while step < steps:
        # The batch follows from the step alone, so that a resumed run sees what an unbroken one would.
        epoch, place = divmod(step * BATCH, len(rows) - len(rows) % BATCH)
        # The first time in the order of rendering (seeds are random enough), then shuffled.
        order = np.arange(len(rows)) if epoch == 0 else np.random.default_rng([SEED, epoch]).permutation(len(rows))
        while place + BATCH <= len(rows) and step < steps:
            chosen = np.sort(order[place : place + BATCH])
            for group in optimizer.param_groups:
                group["lr"] = rate_at(step, steps, decay_from)
            parts = torch.stack(losses(model, batch_of(rows[chosen])))
            optimizer.zero_grad(set_to_none=True)
            (parts * LOSS_WEIGHTS).sum().backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            sums += parts.detach().numpy()
            step, place = step + 1, place + BATCH
            if step % 50 == 0:
                told = [f"{name} {value / 50:.4f}" for name, value in zip(("token", "seen", "aim", "order"), sums)]
                print(f"{step} {time.time() - begun:.0f} s:", *told, flush=True)
                sums[:] = 0
            if step % 500 == 0 or step == steps:
                torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}, path)
                print(f"{step}: exact {exact_share(model, checks[:200]):.3f}", flush=True)
    return str(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--decay-from", type=int, default=DECAY_FROM)
    parser.add_argument("--from", dest="resume")
    parser.add_argument("--name", default="diagram")
    given = parser.parse_args()
    train(given.steps, given.decay_from, given.resume, given.name)
