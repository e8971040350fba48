"""Owns what training hears: clips strung into utterances, then rooms, lines, noise and silence.

Works on 16 kHz waveforms with one seeded numpy generator. Knows nothing of models or targets
beyond the words of what it strung together. The vocal-tract warp lives in model.py, because it
acts on mel bands.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import fftconvolve

from data import RATE, Clip, normalise, trim
from people import Recording, load_singles

# Shares of what is spoken; the rest, nearly half, are FSDD's speakers and theo.
SYNTHETIC, PEOPLE = 0.15, 0.38
SPEED = (0.85, 1.18)


@dataclass
class Utterance:
    """`speaker` is whose voice it is; nobody's where nothing is said."""

    audio: np.ndarray
    text: str
    speaker: str


class Augmenter:
    def __init__(self, fsdd: list[Clip], espeak: list[Clip], strings: list[Recording], seed: int):
        self.rng = np.random.default_rng(seed)
        self.strings = strings
        self.singles = load_singles(strings)
        # Someone with four times the clips is heard twice as often.
        self.weights = np.sqrt([len(clips) for clips in self.singles.values()])
        self.weights /= self.weights.sum()
        self.by_speaker = {s: [c for c in fsdd if c.speaker == s] for s in sorted({c.speaker for c in fsdd})}
        self.espeak_single = [c for c in espeak if " " not in c.text]
        self.espeak_strings = [c for c in espeak if " " in c.text]
        self.pink = _pink_noise(self.rng, 30 * RATE)
        self.babble = self._babble(30 * RATE)

    def batches(self, running: bool, rows: int) -> list[list[Utterance]]:
        """Eight batches of `rows` utterances, nearest lengths together: unsorted, half of each batch was padding."""
        pool = [self.utterance(int(self.rng.integers(2, 7)) if running else 1) for _ in range(8 * rows)]
        pool.sort(key=lambda utterance: len(utterance.audio))
        return [pool[start : start + rows] for start in range(0, len(pool), rows)]

    def utterance(self, digits: int) -> Utterance:
        rng = self.rng
        if rng.random() < 0.02:  # no speech at all: silence and noise must come out as no words
            silence = np.zeros(int(rng.uniform(0.3, 1.0) * digits * RATE / 2) + RATE // 4, np.float32)
            said = Utterance(silence, "", "")
        else:
            said = self._speech(digits)
        speech = self._with_silence(said.audio)
        if rng.random() < 0.6:
            speech = self._channel(speech)
        if said.text == "" or rng.random() < 0.6:
            speech = self._with_noise(speech)
        if rng.random() < 0.08:  # 8-bit mu-law, as telephone lines carry
            peak = np.abs(speech).max() + 1e-6
            coded = np.round(np.log1p(255 * np.abs(speech) / peak) / np.log(256) * 127) / 127
            speech = np.sign(speech) * (256**coded - 1) / 255
        return replace(said, audio=normalise(speech))

    def _speech(self, digits: int) -> Utterance:
        source = self.rng.random()
        if source < SYNTHETIC:
            if digits > 1 and self.rng.random() < 0.6:
                clip = self.espeak_strings[self.rng.integers(len(self.espeak_strings))]
                return Utterance(_resampled(clip.audio, self.rng.uniform(0.85, 1.25)), clip.text, clip.speaker)
            return self._one_by_one(self.espeak_single, digits)
        if source < SYNTHETIC + PEOPLE:
            # Real running speech, slurs and pauses as they were; strung singles teach the other words of that voice.
            if digits > 1 and self.rng.random() < 0.7:
                return self._part_of_string(digits)
            speaker = list(self.singles)[self.rng.choice(len(self.singles), p=self.weights)]
            return self._one_by_one(self.singles[speaker], digits)
        return self._one_by_one(self.by_speaker[str(self.rng.choice(list(self.by_speaker)))], digits)

    def _part_of_string(self, digits: int) -> Utterance:
        """Whole pieces in a row, `digits` words or a few more; fewer where the recording has fewer."""
        recording = self.strings[self.rng.integers(len(self.strings))]
        pieces = recording.pieces
        first = last = int(self.rng.integers(len(pieces)))
        words = pieces[first][2].split()
        while len(words) < digits and (first > 0 or last < len(pieces) - 1):
            if last < len(pieces) - 1:
                last += 1
                words = words + pieces[last][2].split()
            else:
                first -= 1
                words = pieces[first][2].split() + words
        audio = trim(recording.audio[pieces[first][0] : pieces[last][1]])
        return Utterance(_resampled(audio, self.rng.uniform(*SPEED)), " ".join(words), recording.speaker)

    def _one_by_one(self, pool: list[Clip], digits: int) -> Utterance:
        clips = [pool[i] for i in self.rng.integers(len(pool), size=digits)]
        # Speed moves tempo, pitch and formants together, one rate a speaker and a little per digit.
        speed = self.rng.uniform(*SPEED)
        parts = [self._spoken(clip.audio, speed * self.rng.uniform(0.94, 1.06)) for clip in clips]
        return Utterance(self._strung(parts), " ".join(clip.text for clip in clips), pool[0].speaker)

    def _spoken(self, audio: np.ndarray, speed: float) -> np.ndarray:
        if self.rng.random() < 0.7:
            # FSDD was cut by level: at -10 dB only the vowel is left of "six", as with some of its speakers.
            cut = trim(audio, self.rng.uniform(-42, -10))
            audio = cut if len(cut) > RATE // 10 else audio
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

    def _babble(self, samples: int) -> np.ndarray:
        """Five voices at a time: speech-like, with no word standing out, and none that a fold may not hear."""
        clips = self.espeak_single + [clip for voice in self.singles.values() for clip in voice]
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
