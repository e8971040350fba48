"""Owns what is read from the sources: English sentences, and pairs of an English and a Russian text.

    python texts.py     counts them
"""
import functools
import html
import json
import random
import re

import yaml

from captions import captions, lexicon
from sources import debian_list, debian_package, repository

SEED = 5
CHARACTERS_MIN, CHARACTERS_MAX = 8, 240
SYNOPSES_MAX, DESCRIPTIONS_MAX, CAPTIONS_MAX = 25_000, 25_000, 25_000
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-ZА-ЯЁ\"«])")

Pair = tuple[str, str]


def sentences(text: str) -> list[str]:
    return [part.strip() for part in SENTENCE_END.split(" ".join(text.split())) if part.strip()]


@functools.cache
def wordnet() -> list[tuple[list[str], str, list[str]]]:
    """Every synset: its words, its definition, its examples."""
    synsets = []
    folder = debian_package("wordnet-base") / "usr/share/wordnet"
    for part in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"data.{part}").read_text(encoding="utf-8").splitlines():
            if line.startswith("  "):
                continue
            head, gloss = line.split(" | ", 1)
            fields = head.split()
            words = [fields[4 + 2 * index].split("(")[0].replace("_", " ") for index in range(int(fields[3], 16))]
            examples = re.findall(r'"([^"]+)"', gloss)
            synsets.append((words, re.sub(r'[;,]?\s*"[^"]*"', "", gloss).strip(" ;"), examples))
    return synsets


@functools.cache
def descriptions(language: str) -> dict[str, tuple[str, list[str]]]:
    """Debian packages by the sum of their English description: synopsis and paragraphs."""
    found = {}
    for block in debian_list(f"i18n_Translation-{language}").split("\n\n"):
        lines = block.splitlines()
        if len(lines) < 3:
            continue
        key, synopsis = lines[1].split(": ", 1)[1], lines[2].split(": ", 1)[-1]
        # Two spaces start a list or a layout of its own: not prose.
        prose = [line for line in lines[3:] if not line.startswith("  ")]
        paragraphs = re.split(r"\n \.\n", "\n".join(prose))
        found[key] = (synopsis, [" ".join(paragraph.split()) for paragraph in paragraphs if paragraph.strip()])
    return found


def appstream() -> list[Pair]:
    """Summaries and paragraphs of applications, where the Russian has as many paragraphs as the English."""
    pairs = []
    for block in debian_list("dep11_Components-amd64.yml").split("\n---\n"):
        if "\n  ru:" not in block:
            continue
        component = yaml.load(block, yaml.CSafeLoader)
        for field in ("Summary", "Description"):
            both = [component.get(field, {}).get(language) for language in ("C", "ru")]
            if all(both):
                english, russian = (paragraphs_of(text) for text in both)
                pairs += zip(english, russian) if len(english) == len(russian) else []
    return pairs


def paragraphs_of(markup: str) -> list[str]:
    parts = re.split(r"</?(?:p|ul|ol|li)>", markup)
    plain = (" ".join(html.unescape(re.sub(r"<[^>]+>", "", part)).split()) for part in parts)
    return [part for part in plain if part]


def xquad(language: str) -> list[tuple[str, list[str]]]:
    """Passages of Wikipedia with questions about them."""
    data = json.loads((repository("xquad") / f"xquad.{language}.json").read_text(encoding="utf-8"))["data"]
    paragraphs = [paragraph for article in data for paragraph in article["paragraphs"]]
    return [(paragraph["context"], [qa["question"] for qa in paragraph["qas"]]) for paragraph in paragraphs]


def xquad_pairs() -> list[Pair]:
    pairs = []
    for (english, questions), (russian, asked) in zip(xquad("en"), xquad("ru"), strict=True):
        pairs += zip(questions, asked, strict=True)
        both = sentences(english), sentences(russian)
        pairs += zip(*both) if len(both[0]) == len(both[1]) else []
    return pairs


def lines_of(name: str, path: str) -> list[str]:
    return (repository(name) / path).read_text(encoding="utf-8").splitlines()


def debian_pairs() -> list[Pair]:
    english, pairs = descriptions("en"), []
    for key, (synopsis, paragraphs) in descriptions("ru").items():
        if key not in english:
            continue
        pairs.append((english[key][0], synopsis))
        if len(paragraphs) == len(english[key][1]):
            for both in zip(english[key][1], paragraphs):
                parts = [sentences(text) for text in both]
                pairs += zip(*parts) if len(parts[0]) == len(parts[1]) else []
    return pairs


def fits(text: str) -> bool:
    return CHARACTERS_MIN <= len(text) <= CHARACTERS_MAX


def pairs() -> list[Pair]:
    """English and Russian texts of one meaning."""
    ntrex = [lines_of("ntrex", f"NTREX-128/newstest2019-{side}.txt") for side in ("src.eng", "ref.rus")]
    tatoeba = [lines_of("tatoeba", f"data/tatoeba/v1/tatoeba.rus-eng.{side}") for side in ("eng", "rus")]
    found = [*zip(*ntrex, strict=True), *zip(*tatoeba, strict=True), *xquad_pairs(), *debian_pairs(), *appstream()]
    short = {pair for pair in lexicon()}
    found += captions(CAPTIONS_MAX, SEED)
    kept = dict.fromkeys(pair for pair in found if all(map(fits, pair)))
    return [*kept, *sorted(short)]


def english() -> list[str]:
    """English sentences without a translation, no text twice."""
    random_ = random.Random(SEED)
    synopses = sorted({synopsis for synopsis, _ in descriptions("en").values()})
    opening = sorted({sentence for _, parts in descriptions("en").values() for sentence in sentences(" ".join(parts))[:2]})
    random_.shuffle(synopses)
    random_.shuffle(opening)
    found = [*synopses[:SYNOPSES_MAX], *opening[:DESCRIPTIONS_MAX]]
    for words, definition, examples in wordnet():
        found += [definition, *examples]
    known = {pair[0] for pair in pairs()}
    return [text for text in dict.fromkeys(found) if fits(text) and text not in known]


if __name__ == "__main__":
    both = pairs()
    print(len(both), "pairs,", len(english()), "English texts")
    for pair in random.Random(1).sample(both, 12):
        print(" | ".join(pair))
