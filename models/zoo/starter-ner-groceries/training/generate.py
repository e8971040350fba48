"""Makes labelled grocery queries: the only data this model is trained on.

Owns: the templates, how slots join into a text, and the committed held-out file. A row is
(text, words) where words is [(start, end, label)] in code points, label in BIO.
    python generate.py            prints 20 training rows
    python generate.py heldout    writes ../heldout.jsonl (300 rows, seed 20261121)
"""
import json
import random
import sys
from pathlib import Path

from lexicon import Lexicon
from slots import DAIRY, FAT, SLOTS, number

# Weights follow what a search box gets: nine in ten queries have one or two words, and a lone
# word is three times oftener a TYPE than a BRAND. "," separates the things of a list.
TEMPLATES = {
    "T": 330, "B": 125, "T B": 90, "B T": 110, "T Q": 70, "T P": 22, "T V": 25, "T B V": 20, "T B P V": 22, "T P V": 18,
    "B V": 20, "B M": 18, "B M V": 14, "B Q": 10, "T B Q": 10, "G": 16, "O": 10, "G G": 4, "O O": 4, "T O": 20, "O T": 12,
    "B O": 12, "O B": 4, "B T P V": 10, "B T V": 14, "V T": 6, "P T": 4, "T T": 6, "T , T": 8, "T , T , T": 5,
    "T , B , T": 3, "T Q B": 8, "T G": 6, "B G": 3, "Q": 5, "T B M V": 8, "B T M": 8, "T B T": 4, "B Q V": 8, "V": 2, "P": 1,
    "B P": 4, "T P B": 8, "O T Q": 4, "T V , T V , B T": 2, "T B , T B , T P , T": 2, "T S T": 4,
    "T S V": 4, "T S": 5, "B S T": 4, "S T": 3, "S": 3, "B S": 3, "T S B V": 3,
}
# Orders never seen in training; the held-out rows use only these.
HELD_OUT_TEMPLATES = {
    "B T Q": 12, "T V B": 10, "T P V B": 8, "B T P": 12, "T Q V": 10, "O T B": 8, "T M": 10, "B V T": 6, "V T B": 5,
    "B , T": 5, "T B O": 8, "M B": 6, "T V P": 6, "B T V P": 6,
}
QUOTES = [("«", "»"), ('"', '"'), ("(", ")")]
QUOTED = {"B": 0.04, "T": 0.01, "V": 0.02, "Q": 0.02}
OPENING, CLOSING = set("«("), set("»),!?;")
# One row in five has its slots in any order. Without these the model learnt the templates: what
# followed a VOLUME was nearly always called VOLUME too (held-out VOLUME F1 0.71).
SHUFFLED = 0.2
SHUFFLED_SLOTS = {"T": 10, "B": 9, "V": 8, "P": 5, "O": 2, "M": 2, "S": 1, "Q": 2}
ROWS_HELD_OUT = 300
SEED_HELD_OUT = 20261121


class Generator:
    def __init__(self, seed, held_out=False):
        self.rng = random.Random(seed)
        self.held_out = held_out
        self.lexicon = Lexicon(want_held_out=False)
        # A held-out row takes half its names from entries no training row contains.
        self.unseen = Lexicon(want_held_out=True) if held_out else self.lexicon
        templates = HELD_OUT_TEMPLATES if held_out else TEMPLATES
        self.names, self.weights = list(templates), list(templates.values())

    def row(self):
        """(text, words) of one query, or of a shopping list of several (one row in a hundred)."""
        rng = self.rng
        while True:
            pairs = self.query()
            if not self.held_out and rng.random() < 0.01:
                for _ in range(rng.randrange(3, 10)):
                    pairs += [(",", "O")] + self.query()
            if all(word for word, _ in pairs):
                return self.join(pairs)

    def template(self):
        rng = self.rng
        if self.held_out or rng.random() > SHUFFLED:
            return rng.choices(self.names, self.weights)[0].split()
        names, weights = list(SHUFFLED_SLOTS), list(SHUFFLED_SLOTS.values())
        while True:
            slots = rng.choices(names, weights, k=rng.choice([2, 3, 3, 4]))
            repeats = any(a == b for a, b in zip(slots, slots[1:]))
            if not repeats and " ".join(slots) not in HELD_OUT_TEMPLATES:
                return slots

    def query(self):
        rng, pairs = self.rng, []
        for slot in self.template():
            if slot == ",":
                pairs.append((",", "O"))
                continue
            pool = self.unseen if self.held_out and rng.random() < 0.5 else self.lexicon
            part = SLOTS[slot](rng, pool)
            # Half of the quoted names are brands: сок «Добрый». Quotes and brackets are words, labelled O.
            if rng.random() < QUOTED.get(slot, 0.0):
                opening, closing = rng.choice(QUOTES)
                part = [(opening, "O"), *part, (closing, "O")]
            if slot == "P" and pairs and pairs[-1][0] in DAIRY and rng.random() < 0.4:
                part = [(number(rng, FAT[2:24]), "B-PERCENT")]  # "молоко 3.2": the sign is often left out
            pairs += part
        if rng.random() < 0.012:
            pairs.append((rng.choice("!?;"), "O"))
        # The last word is the one still being typed: now and then only its first letters are there.
        if len(pairs) > 1 and pairs[-1][0].isalpha() and rng.random() < 0.08:
            pairs[-1] = (pairs[-1][0][:rng.randrange(1, 4)], pairs[-1][1])
        return pairs

    def join(self, pairs):
        rng, text, words = self.rng, "", []
        shout = rng.random()
        quotes = 0
        for word, label in pairs:
            if shout < 0.05:
                word = word.upper() if len(word.upper()) == len(word) else word
            elif shout < 0.13 and not text:
                word = word.capitalize()
            quotes += word == '"'
            glued = not text or word in CLOSING or text[-1] in OPENING or \
                (text[-1] == '"' and quotes % 2 == 1) or (word == '"' and quotes % 2 == 0)
            text += "" if glued else "  " if rng.random() < 0.01 else " "
            words.append((len(text), len(text) + len(word), label))
            text += word
        return text, words


def spans(words):
    """BIO words to spans: B-X starts one, I-X right after X extends it, else starts one."""
    found, previous = [], "O"
    for start, end, label in words:
        if label != "O":
            kind = label[2:]
            if label[0] == "I" and previous[2:] == kind:
                found[-1]["end"] = end
            else:
                found.append({"start": start, "end": end, "label": kind})
        previous = label
    return found


def write_held_out(path):
    generator = Generator(SEED_HELD_OUT, held_out=True)
    rows = {}
    while len(rows) < ROWS_HELD_OUT:
        text, words = generator.row()
        if spans(words):
            rows[text] = spans(words)
    lines = [json.dumps({"text": t, "spans": s}, ensure_ascii=False) for t, s in rows.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["heldout"]:
        write_held_out(Path(__file__).parent.parent / "heldout.jsonl")
    else:
        sample = Generator(seed=1)
        for _ in range(20):
            query, labelled = sample.row()
            print(query, [(query[s["start"]:s["end"]], s["label"]) for s in spans(labelled)])
