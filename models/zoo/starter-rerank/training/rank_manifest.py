"""Writes ../manifest.yaml: what the loader needs, samples, and the sums of the files.

    python rank_manifest.py
"""
import hashlib
import json

from export_ranker import TOKENS_MAX, VERSION_FOLDER
from shipped import Scorer

# A query, and documents; the first is the answer.
SAMPLES = [
    ("What is a violin?", ["A string instrument that is held under the chin and played with a bow.",
                           "A wooden box for tools.", "The concert hall was full."]),
    ("program to play music", ["An audio player for songs and albums with playlists.",
                               "A game where cities are built.", "A program to edit program code."]),
    ("программа для просмотра фотографий", ["Приложение показывает изображения и фотографии с камеры.",
                                            "Игра, в которой нужно строить города.",
                                            "Библиотека для чтения файлов настроек."]),
]

HEAD = f"""\
task: text-ranking
default: true
description: Orders documents by how well they answer a query, in English and Russian
licence: CC-BY-SA-4.0
version_policy: latest
# int8 weights, fp32 activations: the answer does not depend on the batch.
dtype: q8
limits: {{ text_tokens_max: {TOKENS_MAX} }}
samples:
"""


def quoted(value) -> str:
    return json.dumps(value, ensure_ascii=False)


def main():
    score, lines = Scorer(), [HEAD]
    for query, documents in SAMPLES:
        shown = [documents[1], documents[0], *documents[2:]]
        order = (-score(query, shown)).argsort().tolist()
        assert order[0] == 1, (query, order)
        lines.append(f"  - input:\n      query: {quoted(query)}\n      documents:\n")
        lines += [f"        - {quoted(document)}\n" for document in shown]
        lines.append(f"    expect: [{', '.join(f'{{ index: {place} }}' for place in order)}]\n")
    lines.append("files:\n")
    for path in sorted(path for path in VERSION_FOLDER.rglob("*") if path.is_file()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        lines.append(f"  1/{path.relative_to(VERSION_FOLDER)}: {{ sha256: {digest} }}\n")
    (VERSION_FOLDER.parent / "manifest.yaml").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
