"""Owns training: the student learns the teacher's vectors and, within a batch, the teacher's similarities.

The target is the teacher's vector on its 192 strongest axes, strongest first, so that the first numbers of a vector
say most and a caller may keep only those (`dimensions`).

    python train.py [--epochs 3]     writes work/model.pt
"""
import argparse
import math
import time

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from data import batches, clusters, read, tensors
from model import WIDTH, Encoder, sentence_vectors
from sources import WORK
from teacher import Teacher
from vocabulary import load

CHECKPOINT = WORK / "model.pt"
SEED = 5
LEARNING_RATE, TABLE_RATE, WARM_UP = 1.5e-3, 2.5e-3, 200
# The squared error of similarities is some fifty times smaller than the distance to the target.
SIMILARITY_WEIGHT = 40.0
# Lengths at which a shortened vector is to be good too.
NESTED = (64, WIDTH)
PIECE_DROP = 0.05


def axes(vectors: np.ndarray) -> Tensor:
    """The teacher's strongest directions, as columns. Not centred: cosines to the origin are what counts."""
    points = torch.from_numpy(vectors[:: max(1, len(vectors) // 50_000)])
    _, directions = torch.linalg.eigh(points.T @ points)
    return directions.flip(1)[:, :WIDTH]


def start_table(encoder: Encoder, directions: Tensor) -> None:
    """A piece starts where the teacher puts it as a text of its own; a piece of Russian starts at nothing."""
    pieces = [piece for piece, _ in sorted(load().get_vocab().items(), key=lambda item: item[1])]
    known = [place for place, piece in enumerate(pieces) if piece.isascii() and not piece.startswith("[")]
    vectors = torch.from_numpy(Teacher()([pieces[place].removeprefix("##") for place in known])) @ directions
    with torch.no_grad():
        encoder.tokens.weight.zero_()
        # The mean of all pieces says nothing about any of them.
        encoder.tokens.weight[known] = vectors - vectors.mean(0)


def loss_of(found: Tensor, vectors: Tensor, directions: Tensor) -> Tensor:
    target = functional.normalize(vectors @ directions, dim=1)
    true = vectors @ vectors.T
    loss = (1 - functional.cosine_similarity(found, target, dim=1)).mean()
    for width in NESTED:
        units = functional.normalize(found[:, :width], dim=1)
        loss = loss + SIMILARITY_WEIGHT / len(NESTED) * functional.mse_loss(units @ units.T, true)
    return loss


def rate_at(step: int, steps: int) -> float:
    if step < WARM_UP:
        return (step + 1) / WARM_UP
    return 0.02 + 0.98 * (1 + math.cos(math.pi * (step - WARM_UP) / (steps - WARM_UP))) / 2


@torch.no_grad()
def held_out_error(encoder, held, vectors, directions) -> tuple[float, float]:
    """Mean cosine to the target, English and Russian texts together; mean squared error of similarities."""
    cosines, errors = [], []
    for start in range(0, len(held.ids) - 255, 256):
        places = np.arange(start, start + 256)
        found = functional.normalize(sentence_vectors(encoder, *tensors(held, places)), dim=1)
        true = torch.from_numpy(vectors[held.rows[places]])
        cosines.append((found * functional.normalize(true @ directions, dim=1)).sum(1).mean())
        errors.append(functional.mse_loss(found @ found.T, true @ true.T))
    return float(torch.stack(cosines).mean()), float(torch.stack(errors).mean())


def train(epochs: int) -> Encoder:
    torch.manual_seed(SEED)
    texts, held, vectors = read()
    directions = axes(vectors)
    cluster_of = clusters(vectors, SEED)
    encoder = Encoder(load().get_vocab_size())
    start_table(encoder, directions)
    blocks = [weight for name, weight in encoder.named_parameters() if not name.startswith("tokens")]
    groups = [{"params": [encoder.tokens.weight], "lr": TABLE_RATE}, {"params": blocks, "lr": LEARNING_RATE}]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.0)
    plan = [places for epoch in range(epochs) for places in batches(texts, cluster_of, SEED, epoch)]
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_at(step, len(plan)))
    began, running = time.time(), None
    for step, places in enumerate(plan):
        ids, mask = tensors(texts, places)
        mask = mask * (torch.rand(ids.shape) > PIECE_DROP)
        mask[:, 0] = 1
        with torch.autocast("cpu", torch.bfloat16):
            found = sentence_vectors(encoder, ids, mask)
        loss = loss_of(found.float(), torch.from_numpy(vectors[texts.rows[places]]), directions)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        running = loss.item() if running is None else 0.98 * running + 0.02 * loss.item()
        if step % 100 == 0:
            print(f"{step}/{len(plan)} loss {running:.4f} {time.time() - began:.0f} s", flush=True)
        if step % 800 == 0:
            print("held out", held_out_error(encoder, held, vectors, directions), flush=True)
            torch.save(encoder.state_dict(), CHECKPOINT)
    print("held out", held_out_error(encoder, held, vectors, directions), flush=True)
    return encoder


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--epochs", type=int, default=3)
    torch.set_num_threads(1)
    torch.save(train(options.parse_args().epochs).state_dict(), CHECKPOINT)


if __name__ == "__main__":
    main()
