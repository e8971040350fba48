"""A recording to its words: samples at the model's rate, the likeliest symbol of each frame, runs of one joined (CTC)."""
import json
import os

import numpy as np
import soundfile
import soxr
from onnx_session import open_session


class Model:
    def __init__(self, folder: str, graph: str) -> None:
        self.session = open_session(graph)
        with open(os.path.join(folder, "preprocessor_config.json")) as file:
            self.rate = json.load(file)["sampling_rate"]
        with open(os.path.join(folder, "vocab.json")) as file:
            self.symbols = {index: symbol for symbol, index in json.load(file).items()}

    def answer(self, path: str) -> dict:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        wave = samples.mean(1)
        if rate != self.rate:
            wave = soxr.resample(wave, rate, self.rate)
        wave = (wave - wave.mean()) / np.sqrt(wave.var() + 1e-7)
        values = wave[None].astype(np.float32)
        feeds = {"input_values": values, "attention_mask": np.ones(values.shape, dtype=np.int64)}
        best = self.session.run(["logits"], feeds)[0][0].argmax(1)
        changes = best[np.insert(best[1:] != best[:-1], 0, True)]
        letters = [self.symbols[int(index)] for index in changes]
        text = "".join(letter for letter in letters if not letter.startswith("<")).replace("|", " ")
        return {"text": " ".join(text.split())}
