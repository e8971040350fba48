"""
Writes what the Python package `tokenizers` makes of texts: ids, offsets in code points, and which word a token is of. One
file per tokeniser with --full, every code point alone among the texts; else one file of a few, kept in the repository:

    python models/parity/reference/tokenizer_cases.py --out models/parity/fixtures/tokenizers.json.gz
    python models/parity/reference/tokenizer_cases.py --full --out FOLDER
"""

import argparse
import base64
import gzip
import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer

from tokenizer_kinds import charsmap, probe, steps
from tokenizer_models import tokenizers
from tokenizer_texts import FRAGMENTS, every_point, random_texts
from vocabularies import REAL, lines


SUFFIXES = {".txt", ".csv", ".conll", ".xml"}


def encodings(tokenizer: Tokenizer, texts: list[str]) -> Iterable[list]:
    for text, encoding in zip(texts, tokenizer.encode_batch(texts), strict=True):
        yield [text, encoding.ids, [edge for pair in encoding.offsets for edge in pair], encoding.word_ids]


def is_plain(case: list) -> bool:
    """The character itself, byte by byte: what a reader assumes of a code point that is not listed."""
    text, ids, offsets, words = case
    return bytes(ids) == text.encode() and offsets == [0, 1] * len(ids) and not any(words)


def real_texts() -> list[str]:
    """Of the test material, where it is at hand: lines from the beginning of each text, and every word of all."""
    paths = [path for name in ("text", "ner", "similarity") for path in sorted((REAL.parent / name).rglob("*")) if path.suffix in SUFFIXES]
    read = [path.read_text("utf-8", errors="replace").splitlines() for path in paths]
    words = {word for lines in read for line in lines for word in line.split() if len(word) < 300}
    return [line[:300] for lines in read for line in lines[:300] if line] + sorted(words)


def write(path: Path, content: object) -> None:
    # No time in the header: the same cases are the same file.
    path.write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))


def entry(name: str, tokenizer: Tokenizer, tables: dict[str, str], cases: list) -> dict:
    """tokenizer.json with sentencepiece's table by name: it is in many. Each case's text, ids, offsets and words apart."""
    text = tokenizer.to_str()
    for rule, table in tables.items():
        text = text.replace(table, rule)
    return {"name": name, "tokenizer": json.loads(text), "cases": cases}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    rules = ["nmt_nfkc", "nmt_nfkc_cf"] if arguments.full else ["nmt_nfkc"]
    tables = {rule: base64.b64encode(charsmap(rule)).decode() for rule in rules}
    texts = random_texts(1500) + FRAGMENTS if arguments.full else random_texts(50) + lines()[:5]
    real_ones = real_texts() if arguments.full else []
    probes = {name: probe(*step) for name, step in steps(rules).items()}
    whole = tokenizers(FRAGMENTS + lines(), 600 if arguments.full else 80)
    if not arguments.full:
        every = [entry(name, one, tables, list(encodings(one, texts))) for name, one in (probes | whole).items()]
        write(arguments.out, {"tables": tables, "points": None, "tokenizers": every})
        return
    arguments.out.mkdir(parents=True, exist_ok=True)
    real = {f"real {path.name}": Tokenizer.from_file(str(path / "tokenizer.json")) for path in sorted(REAL.glob("*"))}
    for name, one in (probes | whole | real).items():
        one.no_padding()
        one.no_truncation()
        points = [case for case in encodings(one, every_point()) if not is_plain(case)] if name in probes else []
        # Where a step changes nearly all, every 20th; and what is not listed is then not plain.
        is_sample = len(points) > 100_000
        more = (points[::20] if is_sample else points) if name in probes else list(encodings(one, real_ones))
        cases = list(encodings(one, texts)) + more
        plain = None if is_sample or name not in probes else every_point()
        write(
            arguments.out / f"{name.replace(' ', '-').replace(',', '')}.json.gz",
            {"tables": tables, "points": plain, "tokenizers": [entry(name, one, tables, cases)]},
        )


if __name__ == "__main__":
    main()
