"""Measures what batching and quantisation change in the logits of the shipped ONNX file.

Owns: the figures "batch drift" and "quantisation drift" of the model card. Fails when a text
alone and in a ragged padded batch differ by more than 1e-4 anywhere.
    python check_batching.py
"""
import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from evaluate import VERSION_FOLDER, onnx_predictor, pad, read_held_out
from export import FP32_FILE
from tokenization import TOKENS_MAX

DRIFT_MAX = 1e-4


def main():
    tokenizer = Tokenizer.from_file(str(VERSION_FOLDER / "tokenizer.json"))
    rows = [tokenizer.encode(text).ids for text, _ in read_held_out()]
    rows[7:8] = [(rows[7] * 40)[:TOKENS_MAX]]  # one full-length row makes every neighbour mostly padding
    predict = onnx_predictor()
    alone = [predict(*pad([row]))[0] for row in rows]
    drift = 0.0
    for size in (2, 7, 32, len(rows)):
        for at in range(0, len(rows), size):
            together = predict(*pad(rows[at:at + size]))
            for single, row in zip(alone[at:at + size], together):
                drift = max(drift, float(np.abs(single - row[:len(single)]).max()))
    print(f"batch drift: {drift:.1e} (largest logit difference, {len(rows)} rows alone and in batches of 2, 7, 32, all)")
    if FP32_FILE.exists():
        session = onnxruntime.InferenceSession(str(FP32_FILE))
        changed = total = 0
        for row, single in zip(rows, alone):
            ids, mask = pad([row])
            exact = session.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0][0]
            changed += int((exact.argmax(-1) != single.argmax(-1)).sum())
            total += len(row)
        print(f"quantisation drift: {changed} of {total} token labels differ from fp32")
    assert drift <= DRIFT_MAX, f"batch drift {drift:.1e} is over {DRIFT_MAX}"


if __name__ == "__main__":
    main()
