"""A text to labelled spans: each word has the label of its first piece, neighbours of one kind join (`first`)."""
import json
import os

import numpy as np
from numeric import softmax
from onnx_session import open_session
from tokenizers import Tokenizer


class Model:
    def __init__(self, folder: str, graph: str) -> None:
        self.session = open_session(graph)
        self.tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
        with open(os.path.join(folder, "config.json")) as file:
            labels = json.load(file)["id2label"]
        self.labels = [labels[str(index)] for index in range(len(labels))]

    def answer(self, text: str) -> list[dict]:
        encoded = self.tokenizer.encode(text)
        ids = np.array([encoded.ids], dtype=np.int64)
        logits = self.session.run(["logits"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0]
        scores = softmax(logits)
        best = scores.argmax(1)
        words: list[dict] = []
        last = None
        for at, word in enumerate(encoded.word_ids):
            if word is None:
                continue
            start, end = encoded.offsets[at]
            if word == last:
                words[-1]["end"] = end
            else:
                words.append({"label": self.labels[best[at]], "score": float(scores[at, best[at]]), "start": start, "end": end})
            last = word
        return [self.to_span(text, group) for group in group_words(words) if group[0]["label"] != "O"]

    @staticmethod
    def to_span(text: str, words: list[dict]) -> dict:
        start, end = words[0]["start"], words[-1]["end"]
        score = sum(word["score"] for word in words) / len(words)
        kind = words[0]["label"].split("-", 1)[-1]
        return {"entity_group": kind, "score": score, "word": text[start:end], "start": start, "end": end}


def group_words(words: list[dict]) -> list[list[dict]]:
    groups: list[list[dict]] = []
    for word in words:
        label = word["label"]
        if groups and not label.startswith("B-") and groups[-1][0]["label"].split("-", 1)[-1] == label.split("-", 1)[-1]:
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups
