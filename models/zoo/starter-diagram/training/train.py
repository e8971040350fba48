"""Owns the training run: phases on growing canvases. One that was cut off goes on from its last checkpoint.

Within a phase the learning rate warms up, stays, then goes straight down.

    python train.py [--quick]
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from data import WORK, Set, dataset, first_training_set, last_training_set, validation_set
from losses import NAMES, WEIGHTS, batch_of, losses
from model import Diagram
from vocabulary import PAD

BATCH, SEED = 16, 5
# Between checkpoints.
CHECK_EVERY = 500


@dataclass(frozen=True)
class Phase:
    name: str
    rows: Set
    steps: int
    rate: float
    warm_up: int
    decay_from: int

    @property
    def checkpoint(self) -> Path:
        return WORK / f"{self.name}.pt"

    def rate_at(self, step: int) -> float:
        if step < self.decay_from:
            return self.rate * min(1, (step + 1) / self.warm_up)
        return self.rate * max(0.01, (self.steps - step) / (self.steps - self.decay_from))


# The structure of charts is learned on a small canvas, small letters on the served one.
PHASES = (
    Phase("small", first_training_set(60_000), 11_100, 1.2e-3, 200, 3_000),
    Phase("served", last_training_set(60_000), 3_200, 6e-4, 200, 200),
)
# Enough to see that every step runs; the model learns nothing.
QUICK_PHASES = (
    Phase("quick-small", first_training_set(200), 4, 1e-4, 1, 1),
    Phase("quick-served", last_training_set(200), 4, 1e-4, 1, 1),
)


@torch.no_grad()
def exact_share(model: Diagram, rows: np.ndarray) -> float:
    """Share of charts of which every next token is right: what greedy decoding gets right, since it then never strays."""
    model.eval()
    right = 0
    for start in range(0, len(rows), 50):
        batch = batch_of(rows[start : start + 50])
        with torch.autocast("cpu", torch.bfloat16):
            best = model(batch["pixels"], batch["ids"])[0].argmax(-1)
        right += int(((best == batch["next"]) | (batch["next"] == PAD)).all(1).sum())
    model.train()
    return right / len(rows)


def optimizer_of(model: Diagram) -> torch.optim.AdamW:
    """Biases and norms are not pulled to zero."""
    decayed = [p for p in model.parameters() if p.ndim > 1]
    kept = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.02}, {"params": kept, "weight_decay": 0}]
    return torch.optim.AdamW(groups, betas=(0.9, 0.98))


def chosen_rows(step: int, count: int) -> np.ndarray:
    """Which rows a step sees follows from the step alone, so that a resumed run sees what an unbroken one would."""
    epoch, place = divmod(step, count // BATCH)
    # The first time in the order of rendering (seeds are random enough), then shuffled.
    order = np.arange(count) if epoch == 0 else np.random.default_rng([SEED, epoch]).permutation(count)
    return np.sort(order[place * BATCH : (place + 1) * BATCH])


def run(phase: Phase, model: Diagram, checks: np.ndarray) -> None:
    """Trains the model in place."""
    optimizer, step = optimizer_of(model), 0
    if phase.checkpoint.exists():
        state = torch.load(phase.checkpoint)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step = state["step"]
    rows = dataset(phase.rows) if step < phase.steps else None
    sums, begun = np.zeros(len(NAMES)), time.time()
    while step < phase.steps:
        for group in optimizer.param_groups:
            group["lr"] = phase.rate_at(step)
        parts = torch.stack(losses(model, batch_of(rows[chosen_rows(step, len(rows))])))
        optimizer.zero_grad(set_to_none=True)
        (parts * WEIGHTS).sum().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        sums, step = sums + parts.detach().numpy(), step + 1
        if step % 50 == 0:
            told = [f"{name} {value / 50:.4f}" for name, value in zip(NAMES, sums)]
            print(f"{phase.name} {step} {time.time() - begun:.0f} s:", *told, flush=True)
            sums[:] = 0
        if step % CHECK_EVERY == 0 or step == phase.steps:
            torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}, phase.checkpoint)
            print(f"{phase.name} {step}: exact {exact_share(model, checks):.3f}", flush=True)


def train(phases: tuple[Phase, ...] = PHASES) -> Path:
    """Where the weights are."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    model = Diagram(phases[0].rows.canvas)
    for phase in phases:
        model = model.on(phase.rows.canvas).to(memory_format=torch.channels_last)
        checks = dataset(validation_set(phase.rows.canvas))[:300]
        run(phase, model, checks)
    return phases[-1].checkpoint


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a few steps of each phase")
    train(QUICK_PHASES if parser.parse_args().quick else PHASES)
