"""Owns training: batches from the augmenter, what the frozen embedding hears in them, and heads that learn from it.

`train(["george", "lucas"], steps)` trains one head without each of these FSDD speakers, all from one stream:
the embedding, most of the work, hears each utterance once, and a head learns from the rows that are not its
held-out speaker's. `train([None], steps)` trains the shipped head on every speaker's recordings except the test
split. The people of people.py are in every run. Deterministic for a seed on one thread.
"""

import copy
import ctypes
import time
from itertools import islice
from pathlib import Path

import torch
from torch import nn

from augment import Augmenter, Utterance
from data import TEST_INDEX_MAX, WORK, load_espeak, load_fsdd
from embedding import SpeechEmbedding, pretrained_embedding
from model import FLOOR, MEL_BANDS, WORDS, FrontEnd, Head, mel_matrix, output_length
from people import load_strings, load_theo

SEED = 7
MUON_RATE, ADAM_RATE = 0.02, 3e-3
# The embedding knows speech already: 600 steps get further than 1,000 did without it.
FOLD_STEPS, SHIPPED_STEPS = 600, 1200
ROWS_SINGLE, ROWS_RUNNING = 40, 13  # about 25 s of audio a step either way
AVERAGE_DECAY = 0.99  # weights averaged over about the last 100 steps
# +-12 %, on top of the augmenter's speed: about the spread of vocal tract lengths between adults.
WARPS = torch.stack([mel_matrix(w) for w in torch.linspace(0.88, 1.12, 13).tolist()])


class Learner:
    """One head in training, and the average of its weights, which is what is kept."""

    def __init__(self, held_out: str | None, steps: int):
        torch.manual_seed(SEED)
        self.held_out = held_out
        self.head = Head()
        self.average = copy.deepcopy(self.head).eval()
        self.optimisers = make_optimisers(self.head)
        rate = lambda step: trapezoid(step / steps)
        self.schedules = [torch.optim.lr_scheduler.LambdaLR(o, rate) for o in self.optimisers]

    def learn(self, rows: list[Utterance], heard: list[torch.Tensor], samples: torch.Tensor, step: int) -> float:
        allowed = [number for number, row in enumerate(rows) if row.speaker != self.held_out]
        odds = self.head([part[allowed] for part in heard], samples[allowed])
        loss = ctc_loss(odds, samples[allowed], [rows[number].text for number in allowed])
        self.head.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.head.parameters(), 2.0)
        for step_taker in [*self.optimisers, *self.schedules]:
            step_taker.step()
        # The average starts with the model itself, then slows to its full decay.
        blend(self.average, self.head, min(AVERAGE_DECAY, step / (step + 10)))
        return loss.item()


def train(held_outs: list[str | None], steps: int, folder: Path = WORK) -> None:
    clips = load_fsdd()
    if None in held_outs:
        clips = [clip for clip in clips if clip.index > TEST_INDEX_MAX]
    heads = fit(Augmenter(clips + load_theo(), load_espeak(), load_strings(), SEED), steps, held_outs)
    folder.mkdir(parents=True, exist_ok=True)
    for held_out, head in zip(held_outs, heads, strict=True):
        torch.save(head.state_dict(), weights_path(held_out, folder))


def fit(augmenter: Augmenter, steps: int, held_outs: list[str | None]) -> list[Head]:
    torch.set_num_threads(1)
    keep_freed_memory()
    learners = [Learner(held_out, steps) for held_out in held_outs]
    front_end, embedding = FrontEnd(), pretrained_embedding()
    started, losses = time.monotonic(), torch.zeros(len(learners))
    for step, rows in enumerate(islice(shuffled_batches(augmenter), steps), 1):
        heard, samples = listen(front_end, embedding, rows)
        losses += torch.tensor([learner.learn(rows, heard, samples, step) for learner in learners])
        if step % 100 == 0:
            shown = ", ".join(f"{loss / 100:.3f}" for loss in losses)
            print(f"step {step} loss {shown} {time.monotonic() - started:.0f} s", flush=True)
            losses.zero_()
    return [learner.average for learner in learners]


@torch.no_grad()
def listen(
    front_end: FrontEnd, embedding: SpeechEmbedding, rows: list[Utterance]
) -> tuple[list[torch.Tensor], torch.Tensor]:
    """What the embedding makes of each row, and the samples of each row."""
    samples = torch.tensor([len(row.audio) for row in rows])
    wave = torch.zeros(len(rows), int(samples.max()))
    for number, row in enumerate(rows):
        wave[number, : len(row.audio)] = torch.from_numpy(row.audio)
    mel = front_end(wave, samples, WARPS[torch.randint(len(WARPS), (len(rows),))])
    mask_bands_and_times(mel)
    return embedding(mel, FLOOR), samples


def make_optimisers(head: Head) -> list[torch.optim.Optimizer]:
    """Muon for the matrices between channels, AdamW for all else."""
    matrices = [p for block in head.blocks for p in (block.widen.weight, block.narrow.weight)]
    others = [p for p in head.parameters() if all(p is not m for m in matrices)]
    return [
        torch.optim.Muon(matrices, lr=MUON_RATE, weight_decay=0.01),
        torch.optim.AdamW(others, lr=ADAM_RATE, weight_decay=0.01),
    ]


def trapezoid(progress: float) -> float:
    """Learning rate over a run: up in the first 3 %, level, down to 0 in the last half."""
    return min(progress / 0.03 + 0.01, 1.0, max(0.0, 2 * (1 - progress)))


def shuffled_batches(augmenter: Augmenter):
    """Batches for ever: eight of single digits and eight of strings at a time, in random order."""
    while True:
        batches = augmenter.batches(False, ROWS_SINGLE) + augmenter.batches(True, ROWS_RUNNING)
        augmenter.rng.shuffle(batches)
        yield from batches


def keep_freed_memory() -> None:
    """By default tensors of a few MB are mapped and returned each time, and every step pays their page faults again."""
    libc = ctypes.CDLL(None)
    m_trim_threshold, m_mmap_threshold = -1, -3
    libc.mallopt(m_mmap_threshold, 32 << 20)
    libc.mallopt(m_trim_threshold, 2 << 30)


def weights_path(held_out: str | None, folder: Path = WORK) -> Path:
    return folder / f"{held_out or 'all'}.pt"


def ctc_loss(odds: torch.Tensor, samples: torch.Tensor, texts: list[str]) -> torch.Tensor:
    targets = [[WORDS.index(word) + 1 for word in text.split()] for text in texts]
    # Blank is class 0 with log odds 0 against itself.
    scores = nn.functional.pad(odds, (1, 0)).log_softmax(-1).transpose(0, 1)
    lengths = torch.tensor([len(t) for t in targets])
    flat = torch.tensor([token for target in targets for token in target])
    losses = nn.functional.ctc_loss(scores, flat, output_length(samples), lengths, blank=0, reduction="none")
    return (losses / (lengths + 1)).mean()


def mask_bands_and_times(mel: torch.Tensor) -> None:
    """SpecAugment, in place: up to 6 of 32 bands, and up to 60 ms, of each row set to the floor."""
    for row in mel:
        width, start = int(torch.randint(7, ())), int(torch.randint(MEL_BANDS - 6, ()))
        row[:, start : start + width] = FLOOR
        width, start = int(torch.randint(7, ())), int(torch.randint(max(1, mel.shape[1] - 6), ()))
        row[start : start + width] = FLOOR


def blend(average: nn.Module, model: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for slow, fast in zip(average.parameters(), model.parameters(), strict=True):
            slow.lerp_(fast, 1 - decay)
