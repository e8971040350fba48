"""Owns what training hears: clips strung into utterances, then rooms, lines, noise and silence.

Works on 16 kHz waveforms with one seeded numpy generator. Knows nothing of models or targets
beyond the words of what it strung together. The vocal-tract warp lives in model.py, because it
acts on mel bands.
"""

import numpy as np
from scipy.signal import fftconvolve

from data import RATE, Clip, normalise, trim


class Augmenter:
    def __init__(self, fsdd: list[Clip], espeak: list[Clip], seed: int):
        self.rng = np.random.default_rng(seed)
        self.by_speaker = {s: [c for c in fsdd if c.speaker == s] for s in sorted({c.speaker for c in fsdd})}
        self.espeak_single = [c for c in espeak if " " not in c.text]
        self.espeak_strings = [c for c in espeak if " " in c.text]
        self.pink = _pink_noise(self.rng, 30 * RATE)
        self.babble = self._babble(fsdd + self.espeak_single, 30 * RATE)

    def batches(self, running: bool, rows: int) -> list[list[tuple[np.ndarray, str]]]:
        """Eight batches of `rows` utterances, nearest lengths together: unsorted, half of each batch was padding."""
        pool = [self.utterance(int(self.rng.integers(2, 7)) if running else 1) for _ in range(8 * rows)]
        pool.sort(key=lambda pair: len(pair[0]))
        return [pool[start : start + rows] for start in range(0, len(pool), rows)]

    def utterance(self, digits: int) -> tuple[np.ndarray, str]:
        rng = self.rng
        if rng.random() < 0.02:  # no speech at all: silence and noise must come out as no words
            speech, text = np.zeros(int(rng.uniform(0.3, 1.0) * digits * RATE / 2) + RATE // 4, np.float32), ""
        else:
            speech, text = self._speech(digits)
        speech = self._with_silence(speech)
        if rng.random() < 0.6:
            speech = self._channel(speech)
        if text == "" or rng.random() < 0.4:
            speech = self._with_noise(speech)
        if rng.random() < 0.08:  # 8-bit mu-law, as telephone lines carry
            peak = np.abs(speech).max() + 1e-6
            coded = np.round(np.log1p(255 * np.abs(speech) / peak) / np.log(256) * 127) / 127
            speech = np.sign(speech) * (256**coded - 1) / 255
        return normalise(speech), text

    def _speech(self, digits: int) -> tuple[np.ndarray, str]:
        rng = self.rng
        # Three in ten clips are synthetic: seventy extra "speakers", yet people stay the majority.
        if rng.random() < 0.3:
            if digits > 1 and rng.random() < 0.6:
                clip = self.espeak_strings[rng.integers(len(self.espeak_strings))]
                return _resampled(clip.audio, rng.uniform(0.85, 1.25)), clip.text
            pool = self.espeak_single
        else:
            pool = self.by_speaker[str(rng.choice(list(self.by_speaker)))]
        clips = [pool[i] for i in rng.integers(len(pool), size=digits)]
        # Speed moves tempo, pitch and formants together, one rate a speaker and a little per digit.
        speed = rng.uniform(0.85, 1.18)
        parts = [self._spoken(clip.audio, speed * rng.uniform(0.94, 1.06)) for clip in clips]
        return self._strung(parts), " ".join(clip.text for clip in clips)

    def _spoken(self, audio: np.ndarray, speed: float) -> np.ndarray:
        if self.rng.random() < 0.5:
            audio = trim(audio, self.rng.uniform(-45, -25))
        # +-3 dB: digits of one string are seldom equally loud.
        level = 10 ** (self.rng.uniform(-3, 3) / 20) / (np.sqrt((audio**2).mean()) + 1e-6)
        return _resampled(audio, speed) * level

    def _strung(self, parts: list[np.ndarray]) -> np.ndarray:
        out = parts[0]
        kind = self.rng.choice(["butted", "overlapping", "short", "long", "mixed"])
        for part in parts[1:]:
            gap_s = {
                "butted": 0.0,
                "overlapping": -self.rng.uniform(0.0, 0.06),
                "short": self.rng.uniform(0.01, 0.12),
                "long": self.rng.uniform(0.1, 0.5),
                "mixed": self.rng.uniform(-0.04, 0.4),
            }[str(kind)]
            start = max(0, len(out) + int(gap_s * RATE))
            joined = np.zeros(max(len(out), start + len(part)), np.float32)
            joined[: len(out)] = out
            joined[start : start + len(part)] += part
            out = joined
        return out

    def _with_silence(self, speech: np.ndarray) -> np.ndarray:
        # Half of the ends stay tight, as FSDD itself is cut; the rest get up to 0.5 s.
        lead, trail = (0 if self.rng.random() < 0.5 else int(self.rng.uniform(0.02, 0.5) * RATE) for _ in range(2))
        return np.pad(speech, (lead, trail))

    def _channel(self, speech: np.ndarray) -> np.ndarray:
        """Microphone, telephone band and room, as one filter in the frequency domain."""
        rng = self.rng
        bins = len(speech) // 2 + 1
        hertz = np.linspace(0, RATE / 2, bins)
        # A smooth curve of +-6 dB through six points: another microphone, another mouth distance.
        decibels = np.interp(hertz, [0, 300, 800, 1600, 2800, 8000], rng.uniform(-6, 6, 6))
        if rng.random() < 0.3:
            low, high = rng.uniform(80, 350), rng.uniform(2800, 4000)
            decibels -= 30 * ((hertz < low) | (hertz > high))
        speech = np.fft.irfft(np.fft.rfft(speech) * 10 ** (decibels / 20), len(speech)).astype(np.float32)
        if rng.random() < 0.3:
            seconds = rng.uniform(0.05, 0.4)
            time = np.arange(int(seconds * RATE)) / RATE
            # -60 dB after 0.05 to 0.4 s: from a phone in the hand to a tiled room.
            room = rng.standard_normal(len(time)) * 10 ** (-3 * time / seconds) * rng.uniform(0.01, 0.08)
            room[0] = 1.0
            speech = fftconvolve(speech, room)[: len(speech)].astype(np.float32)
        return speech

    def _with_noise(self, speech: np.ndarray) -> np.ndarray:
        rng = self.rng
        kind = rng.choice(["white", "pink", "babble"], p=[0.35, 0.4, 0.25])
        if kind == "white":
            noise = rng.standard_normal(len(speech), dtype=np.float32)
        else:
            pool = self.pink if kind == "pink" else self.babble
            start = rng.integers(len(pool) - len(speech))
            noise = pool[start : start + len(speech)]
        # Babble is speech too: below 8 dB even people would not know which words count.
        snr_db = rng.uniform(8 if kind == "babble" else 4, 40)
        power = (speech**2).mean() or 1e-6
        return speech + noise * np.sqrt(power / 10 ** (snr_db / 10) / ((noise**2).mean() + 1e-9))

    def _babble(self, clips: list[Clip], samples: int) -> np.ndarray:
        """Five voices at a time: speech-like, with no word standing out."""
        out = np.zeros(samples, np.float32)
        for _ in range(5):
            order = self.rng.permutation(len(clips))
            voice = np.concatenate([normalise(clips[i].audio) for i in order[:120]])
            out += np.resize(voice, samples)
        return out


def _resampled(audio: np.ndarray, speed: float) -> np.ndarray:
    # Linear interpolation: the model listens below 4 kHz only, where at 16 kHz it loses at most 2 dB.
    return np.interp(np.arange(0, len(audio) - 1, speed), np.arange(len(audio)), audio).astype(np.float32)


def _pink_noise(rng: np.random.Generator, samples: int) -> np.ndarray:
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    return np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), samples).astype(np.float32)
