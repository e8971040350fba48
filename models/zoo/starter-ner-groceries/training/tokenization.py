"""The tokenizer: words cut as a search box user sees them, words cut into WordPieces.

Owns: the alphabet, tokenizer.json, and the same encoding in plain Python for training.
Every character of the alphabet is a piece both at the start of a word and inside one, and
any other character becomes □, so no text gives [UNK] (but a word over 128 characters). Every step
before the pieces keeps the number of words, so the k-th token without "##" starts the k-th
match of WORD in the original text: that is how labels come back to exact offsets.
"""
import json
import re
from pathlib import Path

TOKENS_MAX = 128  # positions the model is trained on; [CLS] and [SEP] included
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
UNKNOWN = "□"
PIECES_FILE = Path(__file__).parent / "work" / "pieces.txt"
ALPHABET = "abcdefghijklmnopqrstuvwxyz" + "абвгдежзийклмнопрстуфхцчшщъыьэюя" + "0123456789" + \
    "!\"#$%&'()*+,-./:;=?@[\\]_`{}«»№·–—’×" + UNKNOWN
# Written out because engines disagree on \s: U+0085 is space to Rust only, U+FEFF to JavaScript only.
SPACE = r"\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
# A comma before a digit is decimal ("0,5 л"); other list and quote marks are words of their own.
MARK = r",(?![0-9])|[;!?()\"«»]"
# A special token spelled out in the text is cut as one word, as every tokenizer library does.
LITERAL = r"\[(?:PAD|UNK|CLS|SEP)\]"
WORD = re.compile(rf"{LITERAL}|{MARK}|(?:(?!{LITERAL}|{MARK})[^{SPACE}])+")
FOLD = {"ё": "е", "é": "e", "è": "e", "ê": "e", "ö": "o", "ó": "o", "ô": "o", "ø": "o", "ü": "u", "ú": "u", "û": "u",
        "ä": "a", "á": "a", "à": "a", "â": "a", "å": "a", "ç": "c", "ñ": "n", "í": "i", "î": "i", "ï": "i"}


CHARACTERS = list(ALPHABET) + ["##" + c for c in ALPHABET]
PAD, CLS, SEP = SPECIAL.index("[PAD]"), SPECIAL.index("[CLS]"), SPECIAL.index("[SEP]")


def fold(word):
    """The word as the normalizer leaves it; differs only where lower case grows (İ)."""
    chars = (FOLD.get(c, c) for c in word.lower())
    return "".join(c if c in ALPHABET else UNKNOWN for c in chars)


def load_vocabulary():
    """{piece: id}: special tokens, characters, then the pieces that pieces.py learned."""
    learned = PIECES_FILE.read_text(encoding="utf-8").split()
    return {piece: i for i, piece in enumerate(SPECIAL + CHARACTERS + learned)}


class PieceEncoder:
    """Longest piece first, like WordPiece. With drop, pieces are passed over by chance."""

    def __init__(self, vocabulary, rng=None, drop=0.0):
        self.vocabulary, self.rng, self.drop = vocabulary, rng, drop
        self.longest = max(len(piece.removeprefix("##")) for piece in vocabulary)

    def encode(self, word):
        word, ids, at = fold(word), [], 0
        # Half of the words keep their usual pieces: those are what the shipped tokenizer gives.
        drop = self.drop if self.drop and self.rng.random() < 0.5 else 0.0
        while at < len(word):
            mark, end = "##" if at else "", min(len(word), at + self.longest)
            while end > at + 1 and (mark + word[at:end] not in self.vocabulary or (drop and self.rng.random() < drop)):
                end -= 1
            ids.append(self.vocabulary[mark + word[at:end]])
            at = end
        return ids


def replace(pattern, content):
    return {"type": "Replace", "pattern": {"Regex": pattern}, "content": content}


def tokenizer_json(vocabulary):
    folds = {}
    for old, new in FOLD.items():
        folds.setdefault(new, []).append(old)
    allowed = re.sub(r"([\[\]\\\-\^])", r"\\\1", ALPHABET)
    template = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}}]
    specials = {t: {"id": t, "ids": [SPECIAL.index(t)], "tokens": [t]} for t in ("[CLS]", "[SEP]")}
    pair = template + [{"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}]
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": SPECIAL.index(t), "content": t, "single_word": False, "lstrip": False, "rstrip": False,
                          "normalized": False, "special": True} for t in SPECIAL],
        "normalizer": {"type": "Sequence", "normalizers": [
            replace("[" + SPACE.encode().decode("unicode_escape") + "]", " "),
            {"type": "Lowercase"},
            *[replace(f"[{''.join(old)}]", new) for new, old in folds.items()],
            replace(rf"[^{allowed} ]", UNKNOWN)]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "WhitespaceSplit"},
            {"type": "Split", "pattern": {"Regex": MARK}, "behavior": "Isolated", "invert": False}]},
        "post_processor": {"type": "TemplateProcessing", "single": template, "pair": pair, "special_tokens": specials},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": False},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": TOKENS_MAX, "vocab": vocabulary},
    }


def save_tokenizer(folder, vocabulary):
    """Writes tokenizer.json, tokenizer_config.json and special_tokens_map.json."""
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": TOKENS_MAX, "padding_side": "right",
              "clean_up_tokenization_spaces": False, "model_input_names": ["input_ids", "attention_mask"], **names}
    for name, content in (("tokenizer.json", tokenizer_json(vocabulary)), ("tokenizer_config.json", config),
                          ("special_tokens_map.json", names)):
        text = json.dumps(content, ensure_ascii=False, indent=1 if name == "tokenizer.json" else 2)
        (folder / name).write_text(text + "\n", encoding="utf-8")
