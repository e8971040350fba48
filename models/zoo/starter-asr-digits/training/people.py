"""Owns the recordings of people beyond FSDD's five: which are used, and which words lie where.

cuts.json names the strings that are used and where their words can be parted; `align.py` wrote it. None of
these people is ever a test speaker, so every fold may learn from all of them.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from data import WORDS, Clip, to_16k, trim
from sources import HERE, fetched

CUTS = HERE / "cuts.json"


@dataclass
class Recording:
    """One person's string of digits, and the pieces that pauses part it into: first and last sample, and words."""

    audio: np.ndarray
    speaker: str
    pieces: list[tuple[int, int, str]]


def load_theo() -> list[Clip]:
    clips = []
    for path in sorted((fetched("fsdd") / "recordings").glob("*_theo_*.wav")):
        digit, speaker, index = path.stem.split("_")
        clips.append(Clip(read(path), WORDS[int(digit)], speaker, int(index)))
    return clips


def load_strings() -> list[Recording]:
    """Digit strings of AN4 and of the alphanumeric audio dataset, in the order of cuts.json."""
    recordings = []
    for name, pieces in json.loads(CUTS.read_text()).items():
        source, speaker, *_ = name.split("/")
        recordings.append(Recording(read(string_path(name)), f"{source}/{speaker}", [tuple(piece) for piece in pieces]))
    return recordings


def load_commands() -> list[Clip]:
    clips = []
    for word in WORDS:
        for path in sorted((fetched("commands") / "speech_commands_v0.01" / word).glob("*.wav")):
            clips.append(Clip(trim(read(path)), word, "commands/" + path.name.split("_")[0]))
    return clips


def load_singles(strings: list[Recording]) -> dict[str, list[Clip]]:
    """Single digits by speaker: those of the strings that pauses set apart, and the commands."""
    singles: dict[str, list[Clip]] = {}
    for recording in strings:
        for start, end, words in recording.pieces:
            if " " not in words:
                clip = Clip(trim(recording.audio[start:end]), words, recording.speaker)
                singles.setdefault(recording.speaker, []).append(clip)
    for clip in load_commands():
        singles.setdefault(clip.speaker, []).append(clip)
    return singles


def string_path(name: str) -> Path:
    """`an4/fash/cen7-fash-b` or `alphanumeric/R_1KvCEEGNThnpnzy`, as cuts.json names them."""
    source, *rest = name.split("/")
    if source == "alphanumeric":
        return fetched(source) / "audio_data" / "Numbers" / f"{rest[0]}.wav"
    return next((fetched(source) / "data" / "an4" / "wav").glob(f"*/{rest[0]}/{rest[1]}.raw"))


def read(path: Path) -> np.ndarray:
    if path.suffix == ".raw":  # AN4: 16 kHz, 16 bits, big-endian, no header
        return np.fromfile(path, dtype=">i2").astype(np.float32) / 32768
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return to_16k(audio.mean(axis=1), rate)
