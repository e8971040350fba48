"""What every tokeniser is asked: fragments that break normalisers and offsets, put together by chance from a seed."""

import random
import unicodedata

FRAGMENTS = [
    "play", "Молоко", "ΟΔΥΣΣΕΥΣ", "İstanbul", "Straße", "café", "cafe\u0301", "й", "и\u0306", "👩‍👩‍👧", "🏳️‍🌈", "🇷🇺", "🇷🇺🇩🇪", "中文",
    "한국어", "\u1112\u1161\u11ab", "\ud55c\u11ab", "ﬁ", "ﬁ\u0301", "①", "\u00ad", "\u200b", "\u200d", "\u200c", "\ufeff", "\t", "\n", "\r\n", " ", "  ",
    "\u00a0", "\u3000", "𝔘", "עברית", "नमस्ते", "क्षि", "…", "~", "～", "don't", "I'LL", "3,5", "1234567", "\ufffd", "ΑΣ.", "\u0301", "e", "``",
    "''", "\x85", "\u2028", "_", "a_b", "٣", "²", "½", "\x00", "\u0e33", "\u0f0b", "ｶﾞ", "ẛ̣", "s", "ς", "Å", "TM™\x1eg", "½\u0301", "👍🏽", "क\u093c", "\u0600a",
    "\u32ff", "\U0002b820", "\U0002b920", "<mask>", " <mask> ", "</s>", "~~", "[SEP]", "[MASK]", "Café", "CAFE", "plays", "DON'T", "istanbul", "中文字",
    "☃", "☃☄", "$&",
]  # fmt: skip


def every_point() -> list[str]:
    """Every code point of the planes that have characters, save surrogates and most of the private ones."""
    planes = [*range(0, 0xD800), *range(0xE000, 0xE100), *range(0xF900, 0x33480), *range(0xE0000, 0xE0200)]
    return [chr(point) for point in planes]


def random_texts(count: int) -> list[str]:
    chance = random.Random(7)
    named = [point for point in every_point() if unicodedata.category(point) != "Cn"]
    marks = [point for point in named if unicodedata.category(point)[0] == "M"]
    kinds = [FRAGMENTS, named, marks, [chr(point) for point in range(0x20, 0x180)], [" "]]

    def text() -> str:
        return "".join(chance.choice(kind) for kind in chance.choices(kinds, [55, 12, 10, 15, 8], k=chance.randint(1, 9)))

    return [text() for _ in range(count)]
