"""Owns the shipped ranker in Python: the scores of a query's documents, by ONNX Runtime."""
from where import HERE  # first: it says where the modules below are

import numpy as np

from evaluate import opened

VERSION_FOLDER = HERE.parent / "1"
# Training saw up to 128; longer documents are more of the same tokens, and the length is one of the features.
TOKENS_MAX = 512
BATCH = 25


class Scorer:
    def __init__(self):
        self.session, self.tokenizer = opened(VERSION_FOLDER)
        self.tokenizer.enable_truncation(TOKENS_MAX, strategy="only_second")

    def __call__(self, query: str, documents: list[str]) -> np.ndarray:
        order = np.argsort([len(document) for document in documents])
        scores = np.empty(len(documents), np.float32)
        for start in range(0, len(order), BATCH):
            places = order[start:start + BATCH]
            encoded = self.tokenizer.encode_batch([(query, documents[place]) for place in places])
            feed = {name: np.array([getattr(item, field) for item in encoded], np.int64) for name, field in
                    (("input_ids", "ids"), ("attention_mask", "attention_mask"), ("token_type_ids", "type_ids"))}
            scores[places] = self.session.run(["logits"], feed)[0][:, 0]
        return scores
