"""
What every model is asked: texts in several scripts, with emoji and combining marks; and pictures and sounds made by formula,
which are written to models/parity/fixtures/media/ and sent from there.
"""

import wave
from pathlib import Path

import numpy as np
from PIL import Image

MEDIA = Path(__file__).parents[1] / "fixtures" / "media"

TEXTS = [
    "Ada Lovelace lived in London.",
    "молоко простоквашино 3.2% 1л",
    "Café naïve, São Paulo — e\u0301tude; the licence's notice",
    "👩‍👩‍👧 buys 2 kg of картошка, 東京 too",
    "a",
    "Licensed works   and\tderivative works\n\nof the Licensor " * 2,
]

RANKING = [
    {"query": "terms of the licence", "documents": ["The Licensor grants rights.", "молоко 1л", "a", "notice and attribution of the Work " * 3]},
    {"query": "сыр", "documents": ["сыр российский 45% 200 г", "no warranty"]},
]


def _save_sound(name: str, seconds: float, rate: int = 16_000) -> None:
    time = np.arange(int(seconds * rate)) / rate
    # A rising tone under a beat, and hiss that is the same everywhere.
    tone = np.sin(2 * np.pi * (200 + 900 * time) * time) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time))
    hiss = np.random.default_rng(7).uniform(-0.1, 0.1, time.size)
    with wave.open(str(MEDIA / name), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(0.5 * tone + hiss, -1, 1) * 32_000).astype("<i2").tobytes())


def _picture(width: int, height: int) -> Image.Image:
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    channels = [128 + 120 * np.sin(9 * x + 4 * y * c + c) * np.cos(5 * y * x + c) for c in (1, 2, 3)]
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


def make_media() -> None:
    MEDIA.mkdir(parents=True, exist_ok=True)
    _save_sound("tone.wav", 1.3)
    _save_sound("short.wav", 0.25)
    _save_sound("word.wav", 0.8)
    _picture(83, 60).save(MEDIA / "wide.png")
    _picture(20, 31).save(MEDIA / "small.png")
    turned = Image.Exif()
    turned[0x0112] = 6
    _picture(120, 70).save(MEDIA / "turned.jpg", quality=85, exif=turned)


def sounds() -> list[Path]:
    return sorted(MEDIA.glob("*.wav"))


def pictures() -> list[Path]:
    return sorted([*MEDIA.glob("*.png"), *MEDIA.glob("*.jpg")])
