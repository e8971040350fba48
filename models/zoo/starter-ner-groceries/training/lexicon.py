"""Reads lexicons/ into pools of names and splits each pool into training and held-out.

Owns: the file formats and the split. An entry is held out by a hash of its text (one in
twenty), so adding a line never moves another line to the other side. An entry's inflected
forms and transliterations go with it.
"""
import re
import zlib
from pathlib import Path

import morphology
import noise

FOLDER = Path(__file__).parent / "lexicons"
HELD_OUT_ONE_IN = 20


def held_out(entry):
    return zlib.crc32(entry.encode()) % HELD_OUT_ONE_IN == 0


def read_entries(name, separator=","):
    """Entries of a lexicon file in file order, without comments or repeats."""
    seen = {}
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            for entry in line.split(separator):
                entry = entry.strip().lower().replace("ё", "е")
                if entry:
                    seen[entry] = None
    return list(seen)


def english_forms(word):
    if word.endswith("y") and word[-2] not in "aeiou":
        return [word, word[:-1] + "ies"]
    return [word, word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")]


def read_brands():
    """Every brand as the list of its spellings, each spelling a list of words."""
    brands = {}
    for entry in read_entries("brands-latin.txt", ";"):
        latin, _, aliases = entry.partition("=")
        names = [latin.strip()] + [a.strip() for a in aliases.split(",") if a.strip()]
        if len(names) == 1 and re.search("[a-z]", latin):
            names.append(noise.to_cyrillic(latin.strip()))
        brands.setdefault(names[0], names)
    for entry in read_entries("brands-cyrillic.txt"):
        brands.setdefault(entry, [entry])
    return brands


def read_o_words():
    """The O lexicon by kind: prep, tail, noise, mod."""
    kinds = {}
    for line in (FOLDER / "o-words.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            kind, _, entries = line.partition(":")
            pool = kinds.setdefault(kind, [])
            pool += [e.strip().lower().replace("ё", "е") for e in entries.split(",") if e.strip()]
    return kinds


class Lexicon:
    """The pools one side of the split may use: nouns, adjectives, phrases, english, brands, o."""

    def __init__(self, want_held_out):
        def keep(entries):
            return [e for e in entries if held_out(e) == want_held_out]

        nouns = read_entries("types-ru-food.txt") + read_entries("types-ru-goods.txt")
        nouns = list(dict.fromkeys(nouns))
        self.nouns = [noun_pool(n) for n in keep(nouns)]
        self.adjectives = [morphology.adjective_forms(a) for a in keep(read_entries("adjectives-ru.txt"))]
        self.phrases = keep(read_entries("types-phrases.txt"))
        self.english = [english_forms(w) for w in keep(read_entries("types-en.txt"))]
        brands = read_brands()
        self.brands = [brands[b] for b in keep(brands)]
        self.o = read_o_words()


def noun_pool(noun):
    """(plain forms, pet names with their forms) of a noun."""
    small = [f for d in morphology.diminutives(noun) for f in morphology.noun_forms(d)[:4]]
    return morphology.noun_forms(noun), small
