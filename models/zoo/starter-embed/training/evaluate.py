"""Owns every figure of the model card, measured on the shipped graph.

    python evaluate.py

STS-B dev is read from $MILLRACE_ASSETS (default ../shared/assets beside the repository); nothing was trained on it.
"""
import csv
import os
import re
from pathlib import Path

import numpy as np
import onnxruntime
from scipy.stats import spearmanr
from tokenizers import Tokenizer

from sources import HERE

VERSION_FOLDER = HERE.parent / "1"
ASSETS = Path(os.environ.get("MILLRACE_ASSETS", HERE.parents[4] / "shared" / "assets"))
SEED, RESAMPLES = 7, 2_000
BATCH = 64
# What e2e/accuracy/starter-embed.e2e.test.ts sends over HTTP.
FEW_EVERY = 5


def opened(version_folder: Path) -> tuple[onnxruntime.InferenceSession, Tokenizer]:
    """The graph, on one thread, and the tokenizer, which pads. starter-rerank opens its own files so too."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    graph = str(version_folder / "onnx" / "model_quantized.onnx")
    tokenizer = Tokenizer.from_file(str(version_folder / "tokenizer.json"))
    tokenizer.enable_padding(pad_id=0)
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"]), tokenizer


class Shipped:
    """The graph in the version folder, pooled and scaled as modules.json says."""

    def __init__(self):
        self.session, self.tokenizer = opened(VERSION_FOLDER)

    def __call__(self, texts: list[str]) -> np.ndarray:
        return np.concatenate([self.batch(texts[start:start + BATCH]) for start in range(0, len(texts), BATCH)])

    def batch(self, texts: list[str]) -> np.ndarray:
        encoded = self.tokenizer.encode_batch(texts)
        ids, mask = (np.array([getattr(item, field) for item in encoded], np.int64) for field in ("ids", "attention_mask"))
        hidden = self.session.run(["last_hidden_state"], {"input_ids": ids, "attention_mask": mask})[0]
        pooled = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
        return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)


def pairs_of(language: str) -> tuple[list[str], list[str], np.ndarray]:
    path = ASSETS / "similarity" / "stsb-multi-mt" / f"stsb-{language}-dev.csv"
    with path.open(newline="", encoding="utf-8") as file:
        first, second, scores = zip(*csv.reader(file))
    return list(first), list(second), np.array(scores, float)


def cosines(first: np.ndarray, second: np.ndarray, width: int | None = None) -> np.ndarray:
    first, second = first[:, :width], second[:, :width]
    return (first * second).sum(1) / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)


def spearman_line(name: str, found: np.ndarray, scores: np.ndarray) -> str:
    """With the 95 % bounds of resampled pairs."""
    random = np.random.default_rng(SEED)
    draws = [random.integers(0, len(scores), len(scores)) for _ in range(RESAMPLES)]
    low, high = np.percentile([spearmanr(found[draw], scores[draw]).statistic for draw in draws], (2.5, 97.5))
    return f"STS-B dev {name}: Spearman {spearmanr(found, scores).statistic:.4f} ({low:.3f} to {high:.3f})"


def drift(encode: Shipped, texts: list[str]) -> float:
    """The largest change of a number of a vector between a text alone and in batches of mixed lengths."""
    alone = np.concatenate([encode.batch([text]) for text in texts])
    return float(np.abs(np.concatenate([encode.batch(texts[at:at + 50]) for at in range(0, len(texts), 50)]) - alone).max())


def plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def unseen(first: list[str], second: list[str], known: set[str]) -> np.ndarray:
    """Pairs of which neither sentence stands in the training texts, whatever its case and points."""
    return np.array([plain(a) not in known and plain(b) not in known for a, b in zip(first, second)])


def training_texts() -> set[str]:
    from texts import english, pairs
    return {plain(text) for pair in pairs() for text in pair} | {plain(text) for text in english()}


def main():
    encode, known = Shipped(), training_texts()
    vectors = {}
    for language in ("en", "ru"):
        first, second, scores = pairs_of(language)
        vectors[language] = encode(first), encode(second)
        for width in (None, 128, 64):
            name = f"{language}, {width or 'all'} numbers"
            print(spearman_line(name, cosines(*vectors[language], width), scores), flush=True)
        few = slice(None, None, FEW_EVERY)
        print(spearman_line(f"{language}, every fifth pair", cosines(*vectors[language])[few], scores[few]), flush=True)
        new = unseen(first, second, known)
        name = f"{language}, the {new.sum()} pairs without a training text"
        print(spearman_line(name, cosines(*vectors[language])[new], scores[new]), flush=True)
    print(spearman_line("English to Russian", cosines(vectors["en"][0], vectors["ru"][1]), scores))
    both = list(dict.fromkeys(pairs_of("en")[0][:250] + pairs_of("ru")[0][-250:]))
    print(f"batch drift over {len(both)} texts: {drift(encode, both):.1e}")


if __name__ == "__main__":
    main()
