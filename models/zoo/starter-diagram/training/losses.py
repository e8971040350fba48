"""Owns what is to be learned from a batch, as four losses.

The next token; which token stands in each cell, and where in the text what stands in a place is written (encoder); where
the decoder's first head looks, given the place where the next token is drawn. The last three only make learning quick:
without them the decoder must find out by trial what is copied from where, and in which order.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from data import IGNORED
from model import LINES, PLACE_HEIGHT, PLACE_WIDTH, SLOTS, Diagram
from vocabulary import BEGIN, END, NEWLINE, PAD

NAMES = ("token", "seen", "aim", "order")
WEIGHTS = torch.tensor([1.0, 1.0, 0.3, 0.3])


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


def aims(batch: dict[str, Tensor], grid: tuple[int, int]) -> Tensor:
    """Where the next token is drawn, as shares of the memory's places: a small hill around it."""
    rows = (torch.arange(grid[0]) + 0.5) * PLACE_HEIGHT
    columns = (torch.arange(grid[1]) + 0.5) * PLACE_WIDTH
    down = torch.exp(-(((batch["y"][..., None] - rows) / 10) ** 2))
    across = torch.exp(-(((batch["x"][..., None] - columns) / 5) ** 2))
    hill = (down[..., :, None] * across[..., None, :]).flatten(2)
    return hill / (hill.sum(-1, keepdim=True) + 1e-9)


def order_loss(order: Tensor, batch: dict[str, Tensor], written: Tensor, grid: tuple[int, int]) -> Tensor:
    """At the place of each token: the line it is written in, and its place in the line."""
    row = (batch["y"] / PLACE_HEIGHT).long().clamp(0, grid[0] - 1)
    column = (batch["x"] / PLACE_WIDTH).long().clamp(0, grid[1] - 1)
    there = order.gather(1, (row * grid[1] + column)[..., None].expand(-1, -1, LINES + SLOTS))[written].float()
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
    weights[0] = 0.01  # of 3,264 cells about 15 hold a token
    seen = F.cross_entropy(reading.float(), batch["seen"], weights, ignore_index=IGNORED)
    grid = (model.encoder.rows, model.encoder.columns)
    aim = aims(batch, grid)
    missed = [-(aim * (shares.float() + 1e-6).log()).sum(-1)[written].mean() for shares in looked[1:]]
    return token, seen, torch.stack(missed).mean(), order_loss(order, batch, written, grid)
