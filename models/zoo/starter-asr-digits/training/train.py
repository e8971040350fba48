"""Owns one training run: batches from the augmenter, CTC loss, one-cycle schedule, averaged weights.

`train(held_out, steps)` leaves one speaker out, or, with None, trains on every speaker's recordings
except the test split. Deterministic for a seed on one thread.
"""

import copy
import time

import torch
from torch import nn

from augment import Augmenter
from data import SPEAKERS, TEST_INDEX_MAX, WORK, load_espeak, load_fsdd
from model import MEL_BANDS, WORDS, DigitRecogniser, mel_matrix, output_length

SEED = 7
LEARNING_RATE = 2.5e-3
STEPS = 1800
ROWS_SINGLE, ROWS_RUNNING = 40, 13  # about 28 s of audio a step either way
RUNNING_SHARE = 0.5
AVERAGE_DECAY = 0.995  # weights averaged over about the last 200 steps
# +-12 %, on top of the augmenter's speed: about the spread of vocal tract lengths between adults.
WARPS = torch.stack([mel_matrix(w) for w in torch.linspace(0.88, 1.12, 13).tolist()])


def train(held_out: str | None, steps: int = STEPS) -> DigitRecogniser:
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    augmenter = Augmenter(training_clips(held_out), load_espeak(), SEED)
    model = DigitRecogniser()
    average = copy.deepcopy(model).eval()
    optimiser = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps, pct_start=0.15)
    started, loss_sum = time.monotonic(), 0.0
    for step in range(1, steps + 1):
        running = bool(augmenter.rng.random() < RUNNING_SHARE)
        loss = batch_loss(model, augmenter.batch(running, ROWS_RUNNING if running else ROWS_SINGLE))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimiser.step()
        schedule.step()
        # The average starts with the model itself, then slows to its full decay.
        blend(average, model, min(AVERAGE_DECAY, step / (step + 10)))
        loss_sum += loss.item()
        if step % 100 == 0:
            print(f"{held_out or 'all'} step {step} loss {loss_sum / 100:.3f} {time.monotonic() - started:.0f} s", flush=True)
            loss_sum = 0.0
    WORK.mkdir(exist_ok=True)
    torch.save(average.state_dict(), weights_path(held_out))
    return average


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
        mel = model.front_end(wave, WARPS[torch.randint(len(WARPS), (len(rows),))])
        mask_bands_and_times(mel)
    targets = [[WORDS.index(word) + 1 for word in text.split()] for _, text in rows]
    odds = model.word_odds(mel, samples)
    # Blank is class 0 with log odds 0 against itself.
    scores = nn.functional.pad(odds, (1, 0)).log_softmax(-1).transpose(0, 1)
    lengths = torch.tensor([len(t) for t in targets])
    flat = torch.tensor([token for target in targets for token in target])
    losses = nn.functional.ctc_loss(scores, flat, output_length(samples), lengths, blank=0, reduction="none")
    return (losses / lengths.clamp(min=1)).mean()


def mask_bands_and_times(mel: torch.Tensor) -> None:
    """SpecAugment, in place: up to 8 of 40 bands, and up to 60 ms, of each row set to the floor's neighbourhood."""
    for row in mel:
        width, start = int(torch.randint(9, ())), int(torch.randint(MEL_BANDS - 8, ()))
        row[:, start : start + width] = 0
        width, start = int(torch.randint(7, ())), int(torch.randint(max(1, mel.shape[1] - 6), ()))
        row[start : start + width] = 0


def blend(average: nn.Module, model: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for slow, fast in zip(average.parameters(), model.parameters(), strict=True):
            slow.lerp_(fast, 1 - decay)
