"""Owns training of the ranker: of eight texts the answer is to score highest.

The encoder is starter-embed's and learns on slowly; pieces start with their rarity as salience.

    python fit.py [--epochs 0.4]     writes work/ranker.pt
"""
import argparse
import math
import time

from where import WORK  # first: it says where the modules below are

import numpy as np
import torch
from torch.nn import functional

from lists import Listed, debian_documents, lists
from ranker import Ranker
from texts import wordnet
from train import CHECKPOINT as EMBEDDER
from vocabulary import load

CHECKPOINT = WORK / "ranker.pt"
SEED = 6
QUERIES = 16
RATE, ENCODER_RATE, SALIENCE_RATE = 3e-3, 5e-5, 1e-2
TOKENS_MAX = 128


class Pairs:
    """Query and document in one sequence, the document cut; types tell them apart."""

    def __init__(self, tokens_max: int):
        self.tokenizer = load()
        self.tokenizer.enable_truncation(tokens_max, strategy="only_second")
        self.tokenizer.enable_padding(pad_id=0)

    def __call__(self, pairs: list[tuple[str, str]]) -> tuple[torch.Tensor, ...]:
        encoded = self.tokenizer.encode_batch(pairs)
        return tuple(torch.tensor([getattr(item, field) for item in encoded])
                     for field in ("ids", "attention_mask", "type_ids"))


def rarity() -> torch.Tensor:
    """Inverse document frequency of every piece, as the inverse of softplus wants it."""
    tokenizer = load()
    texts = [text for language in ("en", "ru") for _, text in debian_documents(language)]
    texts += [definition for _, definition, _ in wordnet()]
    holders = np.zeros(tokenizer.get_vocab_size())
    for encoding in tokenizer.encode_batch(texts):
        holders[list(set(encoding.ids))] += 1
    idf = torch.from_numpy(np.log(1 + (len(texts) - holders + 0.5) / (holders + 0.5))).float() / 3
    return torch.log(torch.expm1(idf.clamp(min=0.02))).unsqueeze(1)


def loss_of(ranker: Ranker, encode: Pairs, batch: list[Listed]) -> tuple[torch.Tensor, float]:
    inputs = encode([(listed.query, document) for listed in batch for document in listed.documents])
    with torch.autocast("cpu", torch.bfloat16):
        scores = ranker(*inputs).float().view(len(batch), -1)
    right = torch.zeros(len(batch), dtype=torch.long)
    return functional.cross_entropy(scores, right), float((scores.argmax(1) == 0).float().mean())


@torch.no_grad()
def held_out(ranker: Ranker, encode: Pairs, held: list[Listed]) -> tuple[float, float]:
    ranker.eval()
    found = [loss_of(ranker, encode, held[start:start + QUERIES]) for start in range(0, len(held), QUERIES)]
    ranker.train()
    return float(np.mean([loss.item() for loss, _ in found])), float(np.mean([right for _, right in found]))


def fit(epochs: float) -> Ranker:
    torch.manual_seed(SEED)
    ranker, encode = Ranker(load().get_vocab_size()), Pairs(TOKENS_MAX)
    ranker.encoder.load_state_dict(torch.load(EMBEDDER))
    with torch.no_grad():
        ranker.salience.weight.copy_(rarity())
    learning, held = lists()
    # Lists of like length share a step: less padding.
    learning.sort(key=lambda listed: max(map(len, listed.documents)))
    steps = [learning[start:start + QUERIES] for start in range(0, len(learning), QUERIES)]
    random = np.random.default_rng(SEED)
    plan = [steps[place] for _ in range(math.ceil(epochs)) for place in random.permutation(len(steps))]
    plan = plan[: int(epochs * len(steps))]
    encoder = list(ranker.encoder.parameters())
    head = [weight for name, weight in ranker.named_parameters() if name.split(".")[0] not in ("encoder", "salience")]
    groups = [{"params": encoder, "lr": ENCODER_RATE}, {"params": head, "lr": RATE},
              {"params": ranker.salience.parameters(), "lr": SALIENCE_RATE}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.0)
    rate = lambda step: min(1.0, (step + 1) / 50) * (1 + math.cos(math.pi * step / len(plan))) / 2
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    began, running = time.time(), (0.0, 0.0)
    for step, batch in enumerate(plan):
        loss, right = loss_of(ranker, encode, batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(ranker.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        share = min(0.98, step / (step + 1))
        running = tuple(share * old + (1 - share) * new for old, new in zip(running, (loss.item(), right)))
        if step % 20 == 0:
            print(f"{step}/{len(plan)} loss {running[0]:.4f} right {running[1]:.3f} {time.time() - began:.0f} s", flush=True)
        if step % 100 == 99:
            torch.save(ranker.state_dict(), CHECKPOINT)
    print("held out", held_out(ranker, encode, held), flush=True)
    return ranker


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--epochs", type=float, default=0.4)
    torch.set_num_threads(1)
    torch.save(fit(options.parse_args().epochs).state_dict(), CHECKPOINT)


if __name__ == "__main__":
    main()
