"""Owns running the shipped graph from Python, as any ONNX Runtime program would."""
import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from where import HERE

VERSION_FOLDER = HERE.parent / "1"
TOKENS_MAX = 512
BATCH = 25


class Scorer:
    def __init__(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        graph = str(VERSION_FOLDER / "onnx" / "model_quantized.onnx")
        self.session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(str(VERSION_FOLDER / "tokenizer.json"))
        self.tokenizer.enable_truncation(TOKENS_MAX, strategy="only_second")
        self.tokenizer.enable_padding(pad_id=0)

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
