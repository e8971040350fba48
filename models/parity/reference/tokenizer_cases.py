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


def encodings(tokenizer: Tokenizer, texts: list[str]) -> Iterable[list]:
    for text, encoding in zip(texts, tokenizer.encode_batch(texts), strict=True):
        yield [text, encoding.ids, [edge for pair in encoding.offsets for edge in pair], encoding.word_ids]


def is_plain(case: list) -> bool:
    """The character itself, byte by byte: what a reader assumes of a code point that is not listed."""
    text, ids, offsets, words = case
    return bytes(ids) == text.encode() and offsets == [0, 1] * len(ids) and not any(words)


def real_texts() -> list[str]:
    """Of the test material, where it is at hand."""
    names = ["text/blns/blns.txt", "ner/x5-grocery-ru/sample.csv", "similarity/stsb-multi-mt/stsb-en-dev.csv", "similarity/stsb-multi-mt/stsb-ru-dev.csv"]
    paths = [REAL.parent / name for name in names]
    return [line[:300] for path in paths if path.exists() for line in path.read_text("utf-8").splitlines()[:1000] if line]


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
    texts = random_texts(1500) + FRAGMENTS + real_texts() if arguments.full else random_texts(50) + lines()[:5]
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
        cases = list(encodings(one, texts)) + (points[::20] if is_sample else points)
        plain = None if is_sample or name not in probes else every_point()
        write(
            arguments.out / f"{name.replace(' ', '-').replace(',', '')}.json.gz",
            {"tables": tables, "points": plain, "tokenizers": [entry(name, one, tables, cases)]},
        )


if __name__ == "__main__":
    main()
