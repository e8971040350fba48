"""Owns every figure of the model card. Measures an exported folder through ONNX Runtime, as a server would run it.

`python evaluate.py --folder ../1` measures the shipped model on FSDD's test split (indices 0-4);
`--speaker george` measures a left-out fold on all 500 recordings of that speaker. Prints one JSON.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnxruntime
import soundfile
from scipy.signal import resample_poly

from data import ASSETS, RATE, SPEAKERS, TEST_INDEX_MAX, WORDS, Clip, load_fsdd, normalise, to_16k, trim

STRINGS = 200  # running strings per measurement, 2 to 7 digits each: about 900 words
SEED = 11


class Recogniser:
    def __init__(self, folder: Path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = folder / "onnx" / "model.onnx"
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        vocab = json.loads((folder / "vocab.json").read_text())
        self.tokens = sorted(vocab, key=vocab.get)

    def logits(self, waves: list[np.ndarray], pad_to: int = 0) -> np.ndarray:
        longest = max(pad_to, *(len(wave) for wave in waves))
        values, mask = (np.zeros((len(waves), longest), kind) for kind in (np.float32, np.int64))
        for row, wave in enumerate(waves):
            values[row, : len(wave)], mask[row, : len(wave)] = normalise(wave), 1
        return self.session.run(["logits"], {"input_values": values, "attention_mask": mask})[0]

    def transcribe(self, wave: np.ndarray) -> str:
        """Greedy CTC: best token of each frame, repeats collapsed, blanks dropped, `|` read as a space."""
        best = self.logits([wave])[0].argmax(-1)
        kept = [t for i, t in enumerate(best) if t != 0 and (i == 0 or t != best[i - 1])]
        return " ".join("".join(self.tokens[t] for t in kept).replace("|", " ").split())


def single_digit_accuracy(recogniser: Recogniser, clips: list[Clip], change=lambda wave: wave) -> float:
    return sum(recogniser.transcribe(change(clip.audio)) == clip.text for clip in clips) / len(clips)


def running_word_error_rate(recogniser: Recogniser, clips: list[Clip], change=lambda wave: wave) -> dict[str, float]:
    """Strings of one speaker's digits; gaps cycle through the kinds so that each has a quarter of the strings."""
    rng = np.random.default_rng(SEED)
    gaps_s = {"overlap_40ms": (-0.04, -0.04), "butted": (0, 0), "gap_50_150ms": (0.05, 0.15), "gap_200_500ms": (0.2, 0.5)}
    errors, words = dict.fromkeys(gaps_s, 0), dict.fromkeys(gaps_s, 0)
    for number in range(STRINGS):
        kind = list(gaps_s)[number % len(gaps_s)]
        speaker = str(rng.choice(sorted({clip.speaker for clip in clips})))
        pool = [clip for clip in clips if clip.speaker == speaker]
        chosen = [pool[i] for i in rng.integers(len(pool), size=int(rng.integers(2, 8)))]
        wave = join([trim(clip.audio) for clip in chosen], [rng.uniform(*gaps_s[kind]) for _ in chosen[1:]])
        said = [clip.text for clip in chosen]
        errors[kind] += edit_distance(said, recogniser.transcribe(change(wave)).split())
        words[kind] += len(said)
    rates = {kind: errors[kind] / words[kind] for kind in gaps_s}
    return {"all": sum(errors.values()) / sum(words.values()), **rates}


def join(parts: list[np.ndarray], gaps_s: list[float]) -> np.ndarray:
    out = parts[0]
    for part, gap_s in zip(parts[1:], gaps_s, strict=True):
        start = max(0, len(out) + round(gap_s * RATE))
        longer = np.zeros(max(len(out), start + len(part)), np.float32)
        longer[: len(out)] = out
        longer[start : start + len(part)] += part
        out = longer
    return out


def edit_distance(said: list[str], heard: list[str]) -> int:
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (word != other))
    return row[-1]


def conditions() -> dict[str, object]:
    """What a caller's audio may have gone through; noise is seeded per condition."""

    def noisy(snr_db: float):
        rng = np.random.default_rng(SEED)

        def add(wave: np.ndarray) -> np.ndarray:
            noise = rng.standard_normal(len(wave)).astype(np.float32)
            return wave + noise * np.sqrt((wave**2).mean() / 10 ** (snr_db / 10))

        return add

    return {
        "through 48 kHz": lambda wave: to_16k(resample_poly(wave, 3, 1), 48_000),
        "telephone band 300-3400 Hz": lambda wave: band(wave, 300, 3400),
        "0.5 s of silence on both sides": lambda wave: np.pad(wave, RATE // 2),
        "30 dB quieter": lambda wave: wave * 0.0316,
        **{f"white noise, {snr_db} dB SNR": noisy(snr_db) for snr_db in (20, 10, 5)},
    }


def band(wave: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    hertz = np.fft.rfftfreq(len(wave), 1 / RATE)
    return np.fft.irfft(np.fft.rfft(wave) * ((hertz >= low_hz) & (hertz <= high_hz)), len(wave)).astype(np.float32)


def other_speaker_clips() -> list[Clip]:
    """Spoken digits of a person who is in no training set, recorded full band on another microphone."""
    clips = []
    for word in WORDS:
        for path in sorted((ASSETS / "audio" / "moonshine" / "alphanumeric" / word).glob("*.wav")):
            audio, rate = soundfile.read(path, dtype="float32")
            clips.append(Clip(to_16k(audio, rate), word, "other"))
    return clips


def batch_drift(recogniser: Recogniser, clips: list[Clip]) -> float:
    """Largest change of any logit at any valid frame: alone, against ragged batches of 8 with extra padding."""
    worst = 0.0
    rng = np.random.default_rng(SEED)
    waves = [
        join([clips[j].audio for j in rng.integers(len(clips), size=1 + i % 7)], [0.1] * (i % 7)) for i in range(64)
    ]
    for start in range(0, len(waves), 8):
        batch = waves[start : start + 8]
        together = recogniser.logits(batch, pad_to=max(map(len, batch)) + 4000)
        for row, wave in enumerate(batch):
            alone = recogniser.logits([wave])[0]
            worst = max(worst, float(np.abs(together[row, : len(alone)] - alone).max()))
    return worst


def measure(folder: Path, speaker: str | None) -> dict[str, object]:
    recogniser = Recogniser(folder)
    clips = [c for c in load_fsdd() if (c.speaker == speaker if speaker else c.index <= TEST_INDEX_MAX)]
    figures: dict[str, object] = {
        "clips": len(clips),
        "single_digit_accuracy": single_digit_accuracy(recogniser, clips),
        "running_word_error_rate": running_word_error_rate(recogniser, clips),
    }
    other = other_speaker_clips()
    if other:  # these clips come with the test assets only
        figures["other_speaker_accuracy"] = single_digit_accuracy(recogniser, other)
    if speaker is None:
        figures["by_speaker"] = {
            name: single_digit_accuracy(recogniser, [c for c in clips if c.speaker == name]) for name in SPEAKERS
        }
        figures["conditions"] = {
            name: [single_digit_accuracy(recogniser, clips, change), running_word_error_rate(recogniser, clips, change)["all"]]
            for name, change in conditions().items()
        }
        figures["batch_drift"] = batch_drift(recogniser, clips)
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--speaker", choices=SPEAKERS)
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.folder, arguments.speaker), indent=2))
