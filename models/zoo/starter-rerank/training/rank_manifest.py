"""Writes ../manifest.yaml: what the loader needs, samples, and the sums of the files.

    python rank_manifest.py
"""
from shipped import TOKENS_MAX, VERSION_FOLDER, Scorer  # first: it says where starter-embed's modules are

from manifest import quoted, write_manifest

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


def main():
    score, lines = Scorer(), []
    for query, documents in SAMPLES:
        shown = [documents[1], documents[0], *documents[2:]]
        order = (-score(query, shown)).argsort().tolist()
        assert order[0] == 1, (query, order)
        lines.append(f"  - input:\n      query: {quoted(query)}\n      documents:\n")
        lines += [f"        - {quoted(document)}\n" for document in shown]
        lines.append(f"    expect: [{', '.join(f'{{ index: {place} }}' for place in order)}]\n")
    description = "Orders documents by how well they answer a query, in English and Russian"
    write_manifest(VERSION_FOLDER, lines, task="text-ranking", description=description, tokens_max=TOKENS_MAX)


if __name__ == "__main__":
    main()
