"""Owns cuts.json: which strings of people.py are used, and where pauses part their words.

`python align.py` trains a recogniser on AN4's digit strings, the commands, theo and espeak-ng, so that it
has heard none of the five FSDD speakers that folds are tested on. Forced alignment by it finds the words;
a cut lies in the middle of a pause between two of them. Recordings whose words are not those of their
transcript are left out: the alphanumeric dataset holds some numbers that were read wrongly, or as "double".
"""

import csv
import json
import re

import numpy as np
import torch

from augment import Augmenter, Utterance
from data import RATE, WORDS, Clip, load_espeak, normalise, trim
from model import FRAME_HOP, FRAME_SAMPLES, DigitRecogniser
from people import CUTS, load_theo, read, string_path
from sources import fetched
from train import SEED, fit

STEPS = 600
# Log probability that the transcript may lose against the likeliest word sequence.
MISREAD = -12.0
PAUSE_STEPS, PAUSE_DB = 12, 22  # 60 ms in 5 ms steps, 22 dB below the loudest speech of the recording


class WholeStrings(Augmenter):
    """Before cuts are known, AN4's strings can only be used whole."""

    def __init__(self, strings: list[Clip]):
        super().__init__(load_theo(), load_espeak(), [], SEED)
        self.whole = [Clip(trim(clip.audio), clip.text, clip.speaker) for clip in strings if len(clip.audio) < 7 * RATE]

    def _part_of_string(self, digits: int) -> Utterance:
        clip = self.whole[self.rng.integers(len(self.whole))]
        return Utterance(clip.audio, clip.text, clip.speaker)


def an4_strings() -> dict[str, Clip]:
    """Utterances of nothing but the ten words."""
    found = {}
    for part in ("train", "test"):
        for line in (fetched("an4") / "data" / "an4" / "etc" / f"an4_{part}.transcription").read_text().splitlines():
            words, utterance = re.fullmatch(r"(?:<s> )?(.*?)(?: </s>)? \((.*)\)", line.strip()).groups()
            words, speaker = words.lower().split(), utterance.split("-")[1]
            if all(word in WORDS for word in words):
                name = f"an4/{speaker}/{utterance}"
                found[name] = Clip(read(string_path(name)), " ".join(words), speaker)
    return found


def alphanumeric_strings() -> dict[str, Clip]:
    found = {}
    with (fetched("alphanumeric") / "metadata.csv").open() as file:
        for row in csv.DictReader(file):
            if "/Numbers/" in row["file_name"]:
                name, number = f"alphanumeric/{row['Response_ID']}", row["Number"].strip()
                found[name] = Clip(read(string_path(name)), " ".join(WORDS[int(d)] for d in number), row["Response_ID"])
    return found


def cut(model: DigitRecogniser, clip: Clip) -> list[tuple[int, int, str]] | None:
    """Pieces between pauses, or None where the transcript is not what is said."""
    words = clip.text.split()
    scores = word_scores(model, clip.audio)
    loss, frames = aligned(scores, [WORDS.index(word) + 1 for word in words])
    if loss < MISREAD:
        return None
    power = np.convolve(clip.audio**2, np.ones(320) / 320, "same")[::80]
    quiet = power < np.percentile(power, 95) * 10 ** (-PAUSE_DB / 10)
    pieces, start, held = [], 0, [words[0]]
    for word, before, after in zip(words[1:], frames, frames[1:]):
        first, last = ((frame * FRAME_HOP + FRAME_SAMPLES // 2) // 80 for frame in (before, after))
        length, middle = longest_run(quiet[first:last])
        if length >= PAUSE_STEPS:
            pieces.append((start, (first + middle) * 80, " ".join(held)))
            start, held = (first + middle) * 80, []
        held.append(word)
    return [*pieces, (start, len(clip.audio), " ".join(held))]


def word_scores(model: DigitRecogniser, audio: np.ndarray) -> np.ndarray:
    """Log probability of blank and the ten words, [frames, 11]."""
    wave, samples = torch.from_numpy(normalise(audio))[None], torch.tensor([len(audio)])
    with torch.no_grad():
        odds = model.word_odds(wave, samples)[0]
    return torch.nn.functional.pad(odds, (1, 0)).log_softmax(-1).numpy()


def aligned(scores: np.ndarray, labels: list[int]) -> tuple[float, list[int]]:
    """Viterbi over CTC states: what the labels lose against the best free path, and the frame of each label."""
    states = np.array([0, *(x for label in labels for x in (label, 0))])
    skips = (states != 0) & (states != np.concatenate([[0, 0], states[:-2]]))
    best = np.full(len(states), -np.inf)
    best[:2] = scores[0, states[:2]]
    steps = np.zeros((len(scores), len(states)), int)
    for frame in range(1, len(scores)):
        one, two = (np.concatenate([np.full(n, -np.inf), best[:-n]]) for n in (1, 2))
        choices = np.stack([best, one, np.where(skips, two, -np.inf)])
        steps[frame] = choices.argmax(0)
        best = choices.max(0) + scores[frame, states]
    state = len(states) - 1 - int(best[-2] > best[-1])
    total, path = float(best[state]), [state]
    for frame in range(len(scores) - 1, 0, -1):
        path.append(path[-1] - steps[frame, path[-1]])
    path = np.array(path[::-1])
    frames = []
    for number, label in enumerate(labels):
        own = np.flatnonzero(path == 2 * number + 1)
        frames.append(int(own[scores[own, label].argmax()]))
    return total - float(scores.max(1).sum()), frames


def longest_run(flags: np.ndarray) -> tuple[int, int]:
    """Length and middle of the longest run of true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    runs = [(int(end - start), int(start + end) // 2) for start, end in zip(edges[::2], edges[1::2])]
    return max(runs, default=(0, 0))


if __name__ == "__main__":
    strings = an4_strings()
    (head,) = fit(WholeStrings(list(strings.values())), STEPS, [None])
    model = DigitRecogniser(head).eval()
    cuts = {}
    for name, clip in (strings | alphanumeric_strings()).items():
        pieces = cut(model, clip)
        if pieces is None:
            print("left out", name)
        else:
            cuts[name] = pieces
    lines = (f"  {json.dumps(name)}: {json.dumps(pieces)}" for name, pieces in cuts.items())
    CUTS.write_text("{\n" + ",\n".join(lines) + "\n}\n")
