"""Owns the tokens: their ids, and the tokenizer.json that turns ids into text (byte-level spelling: Ġ blank, Ċ new line)."""

import json
from pathlib import Path

from grammar import ARITHMETIC, COMPARISON, NAMES

PAD, BEGIN, END, UNKNOWN = 0, 1, 2, 3
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]
HEADS = ["start", "end", "input", "output", "if", "while", "else"]
SYMBOLS = ["=", *ARITHMETIC, *COMPARISON]
DIGITS = [str(digit) for digit in range(10)]
TOKENS = [
    *SPECIAL, "Ċ", *HEADS, "Ġif", "Ġwhile", *NAMES, *[f"Ġ{name}" for name in NAMES],
    *[f"Ġ{symbol}" for symbol in SYMBOLS], *[f"Ġ{digit}" for digit in DIGITS], *DIGITS,
]  # fmt: skip
ID = {token: index for index, token in enumerate(TOKENS)}
NEWLINE = ID["Ċ"]
# What the encoder's own reading head tells apart besides: the labels of branches.
SEEN_YES, SEEN_NO = len(TOKENS), len(TOKENS) + 1
SEEN = len(TOKENS) + 2


def ids_of(tokens: list[str]) -> list[int]:
    """Written tokens, "\\n" between lines, to ids."""
    ids: list[int] = []
    before = "\n"
    for token in tokens:
        bare = token == "\n" or before == "\n" or (token.isdigit() and before.isdigit())
        ids.append(NEWLINE if token == "\n" else ID[token if bare else f"Ġ{token}"])
        before = token
    return ids


def text_of(ids: list[int]) -> str:
    known = [TOKENS[i] for i in ids if i >= len(SPECIAL)]
    return "".join(known).replace("Ġ", " ").replace("Ċ", "\n").strip("\n")


def write_tokenizer(folder: Path) -> None:
    split = r" ?(?:[a-z]+|[0-9]|[<>=!]=|[^\sa-z0-9])|\n"
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
            for i, t in enumerate(SPECIAL)
        ],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": split}, "behavior": "Isolated", "invert": False},
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
            ],
        },
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": True,
            "vocab": ID, "merges": [],
        },
    }  # fmt: skip
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False, indent=1) + "\n")
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
