"""A picture to its text: the encoder once, then the decoder token by token with its past kept in one array per layer."""
import json
import os

import numpy as np
from onnx_session import open_session
from pixels import Processor
from tokenizers import Tokenizer


class Model:
    def __init__(self, folder: str, graph: str) -> None:
        self.encoder = open_session(os.path.join(folder, "onnx/encoder_model.onnx"))
        self.decoder = open_session(os.path.join(folder, "onnx/decoder_slots_model.onnx"))
        self.processor = Processor(folder)
        self.tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
        with open(os.path.join(folder, "generation_config.json")) as file:
            config = json.load(file)
        self.begin, self.end, self.most = config["decoder_start_token_id"], config["eos_token_id"], config["max_new_tokens"]
        self.crossed = [node.name for node in self.encoder.get_outputs()]
        self.outputs = [node.name for node in self.decoder.get_outputs()]
        self.pasts = {node.name: node.shape for node in self.decoder.get_inputs() if node.name.startswith("past.")}

    def answer(self, path: str) -> dict:
        states = self.encoder.run(self.crossed, {"pixel_values": self.processor.read(path)})
        cross = dict(zip(self.crossed, states))
        written: list[int] = []
        past = {name: np.zeros((1, shape[1], 0, shape[3]), np.float32) for name, shape in self.pasts.items()}
        token = self.begin
        for position in range(self.most):
            feeds = {
                "input_ids": np.array([[token]]),
                "position_ids": np.array([[position]]),
                "attention_mask": np.ones((1, position + 1), dtype=np.int64),
            }
            present = dict(zip(self.outputs, self.decoder.run(self.outputs, {**feeds, **past, **cross})))
            token = int(present["logits"][0, -1].argmax())
            if token == self.end:
                break
            written.append(token)
            for name, before in past.items():
                past[name] = np.concatenate([before, present[name.replace("past.", "present.")]], axis=2)
        return {"generated_text": self.tokenizer.decode(written)}
