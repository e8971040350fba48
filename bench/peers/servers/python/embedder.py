"""An embedding model as every Python service here runs it: tokenizers, one onnxruntime session, mean pooling, unit length."""
import os

import numpy as np
from onnx_session import open_session
from tokenizers import Tokenizer

MODEL = os.environ["BENCH_MODEL"]
GRAPH = os.environ["BENCH_GRAPH"]
LENGTH_MAX = 256


class Embedder:
    def __init__(self, threads: int) -> None:
        self.session = open_session(GRAPH, threads)
        self.names = [node.name for node in self.session.get_inputs()]
        self.tokenizer = Tokenizer.from_file(os.path.join(MODEL, "tokenizer.json"))
        self.tokenizer.enable_truncation(LENGTH_MAX)
        self.tokenizer.enable_padding()

    def embed(self, texts: list[str]) -> list[list[float]]:
        encoded = self.tokenizer.encode_batch(texts)
        ids = np.array([one.ids for one in encoded], dtype=np.int64)
        mask = np.array([one.attention_mask for one in encoded], dtype=np.int64)
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self.session.run(None, {name: feeds[name] for name in self.names})[0]
        weights = mask[:, :, None].astype(np.float32)
        pooled = (hidden * weights).sum(1) / weights.sum(1)
        return (pooled / np.linalg.norm(pooled, axis=1, keepdims=True)).tolist()
