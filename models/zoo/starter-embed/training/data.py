"""Owns what a training step sees: encoded texts, each with its teacher's vector, in batches of neighbours.

A batch is eight handfuls, each from one cluster of the teacher's space: at random almost no two texts have to do with
each other, and a model of similarity learns little from that.
"""
from dataclasses import dataclass

import numpy as np
import torch

from teacher import TEXTS_FILE, VECTORS_FILE
from texts import pairs
from vocabulary import load

CLUSTERS, HANDFUL, HANDFULS = 400, 48, 8
TOKENS_MAX = 40
# A short text and a long one in a batch would leave half of it padding.
SHORT_MAX = 16
# Long texts cost three times as much; of their handfuls every epoch takes another third.
LONG_EVERY = 3
HELD_OUT = 2_000
RUSSIAN_WEIGHT = 2


@dataclass
class Texts:
    ids: list[np.ndarray]
    """Row of the teacher's vectors."""
    rows: np.ndarray


def read() -> tuple[Texts, Texts, np.ndarray]:
    """For training, held out, and the teacher's vectors. A held-out English text's translation is held out too."""
    texts = TEXTS_FILE.read_text(encoding="utf-8").splitlines()
    vectors = np.load(VECTORS_FILE).astype(np.float32)
    assert len(texts) == len(vectors), "a text holds a line break"
    row_of = {text: row for row, text in enumerate(texts)}
    both = [(pair[1], row_of[pair[0]]) for pair in pairs()]
    all_texts = texts + [russian for russian, _ in both]
    rows = np.array(list(range(len(texts))) + [row for _, row in both])
    encoded = [np.array(encoding.ids, np.int64) for encoding in load().encode_batch(all_texts)]
    encoded = [ids if len(ids) <= TOKENS_MAX else np.append(ids[:TOKENS_MAX - 1], ids[-1]) for ids in encoded]
    is_held = np.zeros(len(texts), bool)
    is_held[np.random.default_rng(1).choice(len(texts), HELD_OUT, replace=False)] = True
    is_russian = np.arange(len(rows)) >= len(texts)
    kept = np.concatenate([np.flatnonzero(~is_held[rows])] + (RUSSIAN_WEIGHT - 1) * [np.flatnonzero(~is_held[rows] & is_russian)])
    held = np.flatnonzero(is_held[rows])
    select = lambda places: Texts([encoded[place] for place in places], rows[places])
    return select(kept), select(held), vectors


def clusters(vectors: np.ndarray, seed: int) -> np.ndarray:
    """k-means, three rounds: near enough."""
    points = torch.from_numpy(vectors)
    generator = torch.Generator().manual_seed(seed)
    centres = points[torch.randperm(len(points), generator=generator)[:CLUSTERS]]
    for _ in range(3):
        nearest = torch.cat([(part @ centres.T).argmax(1) for part in points.split(20_000)])
        sums = torch.zeros_like(centres).index_add_(0, nearest, points)
        centres = torch.nn.functional.normalize(sums, dim=1)
    return nearest.numpy()


def batches(texts: Texts, cluster_of: np.ndarray, seed: int, epoch: int) -> list[np.ndarray]:
    """One epoch's batches, as places in `texts`."""
    random = np.random.default_rng(seed + epoch)
    lengths = np.array([len(ids) for ids in texts.ids])
    found = []
    for of_length, every in ((lengths <= SHORT_MAX, 1), (lengths > SHORT_MAX, LONG_EVERY)):
        places = np.flatnonzero(of_length)
        # The same shuffle every time, so that three epochs' thirds make up the whole.
        np.random.default_rng(seed).shuffle(places)
        places = places[epoch % every::every]
        random.shuffle(places)
        places = places[np.argsort(cluster_of[texts.rows[places]], kind="stable")]
        handfuls = [places[start:start + HANDFUL] for start in range(0, len(places), HANDFUL)]
        random.shuffle(handfuls)
        found += [np.concatenate(handfuls[start:start + HANDFULS]) for start in range(0, len(handfuls), HANDFULS)]
    random.shuffle(found)
    return found


def tensors(texts: Texts, places: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Padded ids and their mask."""
    chosen = [texts.ids[place] for place in places]
    ids = np.zeros((len(chosen), max(map(len, chosen))), np.int64)
    for row, encoded in zip(ids, chosen):
        row[:len(encoded)] = encoded
    ids = torch.from_numpy(ids)
    # [PAD] is piece 0.
    return ids, (ids != 0).long()
