"""Owns the speech that training and evaluation draw on: FSDD recordings and espeak-ng synthesis.

Every clip leaves this file as mono float32 at 16 kHz with its words. Knows nothing of
augmentation or models. Both sources are cached under work/, so a second run starts in seconds.
"""

import os
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

from sources import HERE, WORDS, WORK, fetched

MODEL = HERE.parent
ASSETS = Path(os.environ.get("MILLRACE_ASSETS", HERE.parents[3] / ".." / "shared" / "assets"))

RATE = 16_000
SPEAKERS = ["george", "jackson", "lucas", "nicolas", "yweweler"]

# FSDD's own test split: recordings 0-4 of each speaker and digit. The shipped model never trains on them.
TEST_INDEX_MAX = 4

VOICES = ["en-gb", "en-us", "en-029", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-rp", "en-gb-x-gbcwmd", "en-us-nyc"]
# Variants that sound like people; robots, croaks and whispers are left out.
VARIANTS = (
    "Alex Alicia Andrea Andy Annie Denis Diogo Gene Gene2 Henrique Hugo Jacky Lee Marco Mario Michael Mike Nguyen "
    "adam anika antonio aunty belinda benjamin boris david ed edward edward2 f1 f2 f3 f4 f5 grandma grandpa gustave "
    "iven iven2 iven3 john kaukovalta klatt klatt2 klatt3 klatt4 linda m1 m2 m3 m4 m5 m6 m7 m8 marcelo max michel "
    "miguel norbert pablo paul pedro quincy rob robert sandro shelby steph steph2 travis victor zac"
).split()
ESPEAK_SINGLES, ESPEAK_STRINGS = 3000, 1500


@dataclass
class Clip:
    audio: np.ndarray
    text: str
    speaker: str
    index: int = -1


def fsdd_folder() -> Path:
    local = ASSETS / "audio" / "fsdd" / "recordings"
    return local if local.exists() else fetched("fsdd") / "recordings"


def load_fsdd() -> list[Clip]:
    """All recordings of the five, in file order: digit, speaker and index come from `7_jackson_32.wav`."""
    folder, clips = fsdd_folder(), []
    for path in sorted(folder.glob("*.wav")):
        digit, speaker, index = path.stem.split("_")
        if speaker in SPEAKERS:
            audio, rate = soundfile.read(path, dtype="float32")
            clips.append(Clip(to_16k(audio, rate), WORDS[int(digit)], speaker, int(index)))
    if len(clips) != 2500:
        raise SystemExit(f"Found {len(clips)} FSDD recordings of five speakers under {folder}; 2500 are needed.")
    return clips


def load_espeak() -> list[Clip]:
    """Synthetic digits: single words, then strings of 2 to 6, over voices, variants, pitch and speed."""
    cache = WORK / "espeak.npz"
    if not cache.exists():
        rng = random.Random(1)
        requests = [_espeak_request(rng, 1) for _ in range(ESPEAK_SINGLES)]
        requests += [_espeak_request(rng, rng.randint(2, 6)) for _ in range(ESPEAK_STRINGS)]
        with ThreadPoolExecutor(2) as pool:
            audio = list(pool.map(lambda request: _synthesise(*request), requests))
        WORK.mkdir(exist_ok=True)
        joined = (np.concatenate(audio) * 32767).astype(np.int16)
        np.savez(cache, audio=joined, ends=np.cumsum([len(a) for a in audio]), text=[r[0] for r in requests])
    stored = np.load(cache)
    pieces = np.split(stored["audio"].astype(np.float32) / 32767, stored["ends"][:-1])
    return [Clip(trim(audio), str(text), "espeak") for audio, text in zip(pieces, stored["text"], strict=True)]


def _espeak_request(rng: random.Random, count: int) -> tuple[str, list[str]]:
    voice = f"{rng.choice(VOICES)}+{rng.choice(VARIANTS)}"
    # 110 to 240 words a minute: from dictation to hurry. Pitch 20-80 keeps every variant human.
    options = ["-v", voice, "-s", str(rng.randint(110, 240)), "-p", str(rng.randint(20, 80))]
    return " ".join(rng.choice(WORDS) for _ in range(count)), options


def _synthesise(text: str, options: list[str]) -> np.ndarray:
    wave = subprocess.run(["espeak-ng", *options, "--stdout", text], capture_output=True, check=True).stdout
    audio, rate = soundfile.read(BytesIO(wave), dtype="float32")
    audio = to_16k(audio, rate)
    return audio / max(1.0, float(np.abs(audio).max()))


def to_16k(audio: np.ndarray, rate: int) -> np.ndarray:
    divisor = np.gcd(RATE, rate)
    return resample_poly(audio, RATE // divisor, rate // divisor).astype(np.float32)


def trim(audio: np.ndarray, floor_db: float = -40.0) -> np.ndarray:
    """Cuts leading and trailing 10 ms steps that lie `floor_db` below the loudest one."""
    steps = audio[: len(audio) // 160 * 160].reshape(-1, 160)
    power = (steps**2).mean(axis=1)
    loud = np.flatnonzero(power > power.max(initial=0) * 10 ** (floor_db / 10))
    return audio[loud[0] * 160 : (loud[-1] + 1) * 160] if len(loud) else audio


def normalise(audio: np.ndarray) -> np.ndarray:
    """Zero mean, unit variance: what Wav2Vec2FeatureExtractor does with do_normalize."""
    return ((audio - audio.mean()) / np.sqrt(audio.var() + 1e-7)).astype(np.float32)
