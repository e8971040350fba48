"""Owns the demo recordings: FSDD test-split clips of one speaker strung into numbers, as 8 kHz WAV.

Fixed choices, so the files are the same on every run. The shipped model has not trained on any of
these clips. Refuses to write a sample that the model gets wrong.
"""

from pathlib import Path

import numpy as np
import soundfile

from data import MODEL, WORDS, fsdd_folder, to_16k
from evaluate import Recogniser

# File name: speaker, digits, FSDD indices (0-4 are the test split), gap in seconds.
SAMPLES = {
    "seven-two-nine.wav": ("jackson", [7, 2, 9], [0, 1, 2], 0.12),
    "four-zero-eight-one-five.wav": ("george", [4, 0, 8, 1, 5], [1, 0, 3, 2, 4], 0.08),
    "three-six.wav": ("yweweler", [3, 6], [0, 1], 0.2),
}
FSDD_RATE = 8000


def write_samples(model_folder: Path) -> None:
    recogniser = Recogniser(model_folder)
    for name, (speaker, digits, indices, gap_s) in SAMPLES.items():
        gap = np.zeros(int(gap_s * FSDD_RATE), np.float32)
        parts = [gap]
        for digit, index in zip(digits, indices, strict=True):
            path = fsdd_folder() / f"{digit}_{speaker}_{index}.wav"
            parts += [soundfile.read(path, dtype="float32")[0], gap]
        wave = np.concatenate(parts)
        expected = " ".join(WORDS[digit] for digit in digits)
        heard = recogniser.transcribe(to_16k(wave, FSDD_RATE))
        if heard != expected:
            raise SystemExit(f"Sample {name} says '{expected}', the model hears '{heard}'. Choose another clip.")
        path = MODEL / "samples" / name
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, wave, FSDD_RATE, subtype="PCM_16")
