"""Measures span F1 (exact start, end and label) of the shipped ONNX file.

Owns: the scoring, and the reading of the dirty real file. That file is read for measuring
only; nothing of it is trained on or committed. Unseen rows are those nobody looked at while
the generator was written: rows 0-299 and every thirtieth row after were looked at.
    python evaluate.py    the ONNX file on held-out rows, and on real rows where found
"""
import ast
import csv
import json
import os
import re
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from generate import spans
from tokenization import PAD, TOKENS_MAX, WORD

MODEL_FOLDER = Path(__file__).parent.parent
VERSION_FOLDER = MODEL_FOLDER / "1"
REPOSITORY = MODEL_FOLDER.parents[2]
REAL_FILE = Path(os.environ.get("MILLRACE_ASSETS", REPOSITORY / "../shared/assets")) / "ner/x5-grocery-ru/sample.csv"
CLASSES = ["TYPE", "BRAND", "VOLUME", "PERCENT"]


def read_real():
    """[(text, spans, looked_at)]. Label "0" is O; ends past the text are cut; empty spans dropped."""
    rows = []
    with open(REAL_FILE, encoding="utf-8") as file:
        for i, record in enumerate(csv.DictReader(file, delimiter=";")):
            text, words = record["sample"], []
            for start, end, label in ast.literal_eval(record["annotation"]):
                start, end = max(0, start), min(end, len(text))
                if start < end:
                    words.append((start, end, "O" if label in ("0", "O", "") else label))
            rows.append((text, spans(sorted(words)), i < 300 or i % 30 == 0))
    return rows


def read_held_out():
    lines = (MODEL_FOLDER / "heldout.jsonl").read_text(encoding="utf-8").splitlines()
    return [(row["text"], row["spans"]) for row in map(json.loads, lines)]


def onnx_predictor():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    path = next((VERSION_FOLDER / "onnx").glob("*.onnx"))
    session = onnxruntime.InferenceSession(str(path), options)
    return lambda ids, mask: session.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0]


def pad(rows):
    longest = max(map(len, rows))
    ids = np.array([row + [PAD] * (longest - len(row)) for row in rows], dtype=np.int64)
    mask = np.array([[1] * len(row) + [0] * (longest - len(row)) for row in rows], dtype=np.int64)
    return ids, mask


def word_starts(text, encoding):
    """[(token, start, end)]: the k-th token that starts a word belongs to the k-th WORD match."""
    starts = [i for i, token in enumerate(encoding.tokens) if not token.startswith("##")][1:]
    return [(i, m.start(), m.end()) for i, m in zip(starts, WORD.finditer(text)) if i < TOKENS_MAX]


def tag(texts, predict, tokenizer, labels, rows_per_batch=64):
    """Spans of each text: the label of a word is the best label of its first token."""
    found = []
    for at in range(0, len(texts), rows_per_batch):
        group = texts[at:at + rows_per_batch]
        encodings = [tokenizer.encode(text) for text in group]
        ids, mask = pad([e.ids[:TOKENS_MAX] for e in encodings])
        best = predict(ids, mask).argmax(-1)
        for row, (text, encoding) in enumerate(zip(group, encodings)):
            found.append(spans([(s, e, labels[best[row, i]]) for i, s, e in word_starts(text, encoding)]))
    return found


def score(gold, predicted):
    """{class: (precision, recall, f1, support)} with "micro" over all classes."""
    counts = {c: [0, 0, 0] for c in CLASSES + ["micro"]}
    for want, got in zip(gold, predicted):
        want = {(s["start"], s["end"], s["label"]) for s in want}
        got = {(s["start"], s["end"], s["label"]) for s in got}
        for label in counts:
            w = {s for s in want if label in (s[2], "micro")}
            g = {s for s in got if label in (s[2], "micro")}
            counts[label] = [a + b for a, b in zip(counts[label], (len(w & g), len(g), len(w)))]
    table = {}
    for label, (hit, got, want) in counts.items():
        table[label] = (hit / max(got, 1), hit / max(want, 1), 2 * hit / max(got + want, 1), want)
    return table


def script_rule(texts):
    """What knowing no words at all gives: a run of Latin words is a BRAND, any other run a TYPE."""
    found = []
    for text in texts:
        words, previous = [], None
        for match in WORD.finditer(text):
            kind = "BRAND" if re.search("[a-zA-Z]", match.group()) else "TYPE"
            words.append((match.start(), match.end(), ("I-" if kind == previous else "B-") + kind))
            previous = kind
        found.append(spans(words))
    return found


def report(name, rows, tagger):
    table = score([row[1] for row in rows], tagger([row[0] for row in rows]))
    print(f"{name} ({len(rows)} rows)")
    for label in ["micro"] + CLASSES:
        p, r, f, n = table[label]
        print(f"  {label:8} F1 {f:.3f}  precision {p:.3f}  recall {r:.3f}  spans {n}")


def shipped_tagger():
    tokenizer = Tokenizer.from_file(str(VERSION_FOLDER / "tokenizer.json"))
    config = json.loads((VERSION_FOLDER / "config.json").read_text())
    labels = [config["id2label"][str(i)] for i in range(len(config["id2label"]))]
    predict = onnx_predictor()
    return lambda texts: tag(texts, predict, tokenizer, labels)


def main():
    tagger = shipped_tagger()
    report("held-out synthetic", read_held_out(), tagger)
    if not REAL_FILE.exists():
        print(f"no real file at {REAL_FILE}; set MILLRACE_ASSETS to measure on it")
        return
    rows = read_real()
    report("real, looked at", [row for row in rows if row[2]], tagger)
    report("real, unseen", [row for row in rows if not row[2]], tagger)
    report("real, all", rows, tagger)
    report("real, unseen, by script alone", [row for row in rows if not row[2]], script_rule)
    report("real, all, by script alone", rows, script_rule)


if __name__ == "__main__":
    main()
