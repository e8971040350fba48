"""A picture to its five likeliest labels."""
import json
import os

import numpy as np
from numeric import softmax
from onnx_session import open_session
from pixels import Processor

TOP = 5


class Model:
    def __init__(self, folder: str, graph: str) -> None:
        self.session = open_session(graph)
        self.processor = Processor(folder)
        with open(os.path.join(folder, "config.json")) as file:
            self.labels = json.load(file)["id2label"]

    def answer(self, path: str) -> list[dict]:
        logits = self.session.run(["logits"], {"pixel_values": self.processor.read(path)})[0][0]
        scores = softmax(logits)
        best = np.argsort(-scores, kind="stable")[:TOP]
        return [{"label": self.labels[str(index)], "score": float(scores[index])} for index in best]
