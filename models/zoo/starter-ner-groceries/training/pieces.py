"""Learns the word pieces from generated rows: byte-pair merging over characters.

Owns: work/pieces.txt. Spoiled words are among the rows, so frequent slips get pieces too.
Written out here because the tokenizers library breaks ties by chance: two runs of its
trainer differed in 2 of 2,811 pieces, and a model must train the same twice.
    python pieces.py        about 20 seconds
"""
from collections import Counter, defaultdict

from generate import Generator
from tokenization import PIECES_FILE, fold

SEED = 99
ROWS = 300_000
# With 160 numbers each, 2,800 pieces are a quarter of the model. Characters alone (no pieces)
# were at F1 0.53 on held-out rows where pieces were at 0.70, after equal training time.
PIECES = 2800


def count_words():
    generator, counts = Generator(SEED), Counter()
    for _ in range(ROWS):
        text, words = generator.row()
        counts.update(fold(text[start:end]) for start, end, _ in words)
    # A word seen once is mostly a random slip; it would only blur the counts.
    return {word: count for word, count in counts.items() if count > 1}


def merge(parts, pair):
    out, at = [], 0
    while at < len(parts):
        if tuple(parts[at:at + 2]) == pair:
            out.append(parts[at] + parts[at + 1].removeprefix("##"))
            at += 2
        else:
            out.append(parts[at])
            at += 1
    return out


def learn(counts):
    """Pieces in the order they were merged; ties go to the pair first in the alphabet."""
    split = {word: [word[0]] + ["##" + c for c in word[1:]] for word in counts}
    pairs, where = Counter(), defaultdict(set)
    for word, parts in split.items():
        for pair in zip(parts, parts[1:]):
            pairs[pair] += counts[word]
            where[pair].add(word)
    learned = {}
    while len(learned) < PIECES:
        best = max(pairs.items(), key=lambda item: (item[1], item[0]))[0]
        learned[best[0] + best[1].removeprefix("##")] = None
        for word in where.pop(best):
            parts = split[word]
            for pair in zip(parts, parts[1:]):
                pairs[pair] -= counts[word]
            split[word] = merge(parts, best)
            for pair in zip(split[word], split[word][1:]):
                pairs[pair] += counts[word]
                where[pair].add(word)
        del pairs[best]
    return learned


if __name__ == "__main__":
    PIECES_FILE.parent.mkdir(exist_ok=True)
    PIECES_FILE.write_text("\n".join(learn(count_words())) + "\n", encoding="utf-8")
