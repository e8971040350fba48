"""A query and its documents, all pairs in one call, to the documents' order."""
import os

import numpy as np
from onnx_session import open_session
from tokenizers import Tokenizer

LENGTH_MAX = 512


class Model:
    def __init__(self, folder: str, graph: str) -> None:
        self.session = open_session(graph)
        self.tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
        self.tokenizer.enable_truncation(LENGTH_MAX)
        self.tokenizer.enable_padding()

    def answer(self, item: dict) -> list[dict]:
        encoded = self.tokenizer.encode_batch([(item["query"], document) for document in item["documents"]])
        feeds = {
            "input_ids": np.array([one.ids for one in encoded], dtype=np.int64),
            "attention_mask": np.array([one.attention_mask for one in encoded], dtype=np.int64),
            "token_type_ids": np.array([one.type_ids for one in encoded], dtype=np.int64),
        }
        logits = self.session.run(["logits"], feeds)[0][:, 0]
        scores = 1 / (1 + np.exp(-logits))
        return [{"index": int(index), "score": float(scores[index])} for index in np.argsort(-logits, kind="stable")]
