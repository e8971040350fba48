"""Owns one training run: batches from the augmenter, CTC loss, two optimisers, averaged weights.

`train(held_out, steps)` leaves one FSDD speaker out, or, with None, trains on every speaker's recordings
except the test split. The people of people.py are in every run. Deterministic for a seed on one thread.
"""

import copy
import ctypes
import time
from itertools import islice

import torch
from torch import nn

from augment import Augmenter
from data import SPEAKERS, TEST_INDEX_MAX, WORK, load_espeak, load_fsdd
from model import MEL_BANDS, WORDS, DigitRecogniser, mel_matrix, output_length
from people import load_strings, load_theo

SEED = 7
MUON_RATE, ADAM_RATE = 0.02, 3e-3
# A fold takes four minutes on a free core. The shipped model gets more: no one has to wait for five of it.
FOLD_STEPS, SHIPPED_STEPS = 1000, 2000
ROWS_SINGLE, ROWS_RUNNING = 40, 13  # about 25 s of audio a step either way
AVERAGE_DECAY = 0.99  # weights averaged over about the last 100 steps
# +-12 %, on top of the augmenter's speed: about the spread of vocal tract lengths between adults.
WARPS = torch.stack([mel_matrix(w) for w in torch.linspace(0.88, 1.12, 13).tolist()])


def train(held_out: str | None, steps: int) -> None:
    augmenter = Augmenter(training_clips(held_out) + load_theo(), load_espeak(), load_strings(), SEED)
    WORK.mkdir(exist_ok=True)
    torch.save(fit(augmenter, steps, held_out or "all").state_dict(), weights_path(held_out))


def fit(augmenter: Augmenter, steps: int, label: str) -> DigitRecogniser:
    torch.set_num_threads(1)
    keep_freed_memory()
    torch.manual_seed(SEED)
    model = DigitRecogniser()
    average = copy.deepcopy(model).eval()
    optimisers = make_optimisers(model)
    schedules = [torch.optim.lr_scheduler.LambdaLR(o, lambda step: trapezoid(step / steps)) for o in optimisers]
    started, loss_sum = time.monotonic(), 0.0
    for step, rows in enumerate(islice(shuffled_batches(augmenter), steps), 1):
        loss = batch_loss(model, rows)
        model.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        for step_taker in [*optimisers, *schedules]:
            step_taker.step()
        # The average starts with the model itself, then slows to its full decay.
        blend(average, model, min(AVERAGE_DECAY, step / (step + 10)))
        loss_sum += loss.item()
        if step % 100 == 0:
            print(f"{label} step {step} loss {loss_sum / 100:.3f} {time.monotonic() - started:.0f} s", flush=True)
            loss_sum = 0.0
    return average


def make_optimisers(model: DigitRecogniser) -> list[torch.optim.Optimizer]:
    """Muon for the matrices between channels, AdamW for all else."""
    matrices = [p for block in model.blocks for p in (block.widen.weight, block.narrow.weight)]
    others = [p for p in model.parameters() if all(p is not m for m in matrices)]
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


def weights_path(held_out: str | None):
    return WORK / f"{held_out or 'all'}.pt"


def training_clips(held_out: str | None):
    if held_out is not None and held_out not in SPEAKERS:
        raise SystemExit(f"Unknown speaker {held_out}; one of {', '.join(SPEAKERS)} is needed.")
    clips = load_fsdd()
    if held_out:
        return [clip for clip in clips if clip.speaker != held_out]
    return [clip for clip in clips if clip.index > TEST_INDEX_MAX]


def batch_loss(model: DigitRecogniser, rows) -> torch.Tensor:
    samples = torch.tensor([len(audio) for audio, _ in rows])
    wave = torch.zeros(len(rows), int(samples.max()))
    for row, (audio, _) in enumerate(rows):
        wave[row, : len(audio)] = torch.from_numpy(audio)
    with torch.no_grad():
        mel = model.front_end(wave, samples, WARPS[torch.randint(len(WARPS), (len(rows),))])
        mask_bands_and_times(mel)
    targets = [[WORDS.index(word) + 1 for word in text.split()] for _, text in rows]
    odds = model.word_odds(mel, samples)
    # Blank is class 0 with log odds 0 against itself.
    scores = nn.functional.pad(odds, (1, 0)).log_softmax(-1).transpose(0, 1)
    lengths = torch.tensor([len(t) for t in targets])
    flat = torch.tensor([token for target in targets for token in target])
    losses = nn.functional.ctc_loss(scores, flat, output_length(samples), lengths, blank=0, reduction="none")
    return (losses / (lengths + 1)).mean()


def mask_bands_and_times(mel: torch.Tensor) -> None:
    """SpecAugment, in place: up to 6 of 32 bands, and up to 60 ms, of each row set to the floor's neighbourhood."""
    for row in mel:
        width, start = int(torch.randint(7, ())), int(torch.randint(MEL_BANDS - 6, ()))
        row[:, start : start + width] = 0
        width, start = int(torch.randint(7, ())), int(torch.randint(max(1, mel.shape[1] - 6), ()))
        row[start : start + width] = 0


def blend(average: nn.Module, model: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for slow, fast in zip(average.parameters(), model.parameters(), strict=True):
            slow.lerp_(fast, 1 - decay)
