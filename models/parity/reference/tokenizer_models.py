"""
Whole tokenisers of small vocabularies, laid out as those on the Hub: every model that a tokenizer.json may name, with the
steps that go with it, and added tokens of every kind.
"""

import random
from collections import Counter

from tokenizers import AddedToken, Regex, Tokenizer, models, processors

from tokenizer_kinds import QWEN, N, P, charsmap

LETTERS = [*"abcdefghijklmnopqrstuvwxyzабвгдежзийклмнопрстуфхцчшщыьэюяё0123456789.,!-'_ßσςéαωυδ中文東京国한국어あいウ👩👧🏳🌈$~"]
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]


def _pieces(words: list[str], prefix: str = "") -> list[str]:
    """Letters, then pieces of words, in an order that is always the same."""
    found = Counter()
    for word in words:
        for start in range(len(word)):
            for end in range(start + 2, min(len(word), start + 5) + 1):
                found[(prefix if start and prefix == "##" else "") + word[start:end]] += 1
    return [piece for piece, _ in sorted(found.items(), key=lambda item: (-item[1], item[0]))]


def _word_piece(words: list[str], size: int, cased: bool) -> Tokenizer:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    listed = [*special, *LETTERS, *(f"##{letter}" for letter in LETTERS), *_pieces(words, "##")[:size]]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(listed))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=20))
    tokenizer.normalizer, tokenizer.pre_tokenizer = N.BertNormalizer(lowercase=not cased), P.BertPreTokenizer()
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def _unigram(words: list[str], size: int, byte_fallback: bool = False) -> models.Unigram:
    chance = random.Random(3)
    listed = dict.fromkeys([*SPECIAL, "▁", *LETTERS, *_pieces([f"▁{word}" for word in words])[:size]])
    if byte_fallback:
        listed |= dict.fromkeys(f"<0x{byte:02X}>" for byte in range(256))
    # Scores with ties: who wins them is part of the algorithm.
    return models.Unigram([(piece, -round(chance.uniform(1, 12) * 4) / 4 - 3 * (len(piece) == 1)) for piece in listed], unk_id=3, byte_fallback=byte_fallback)


def _sentencepiece(words: list[str], size: int, normalizer, pre_tokenizer, **options) -> Tokenizer:
    tokenizer = Tokenizer(_unigram(words, size, **options))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizer
    tokenizer.add_special_tokens([*SPECIAL, AddedToken("<mask>", lstrip=True, special=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def _merges(words: list[str], alphabet: list[str], count: int) -> list[tuple[str, str]]:
    """BPE's own training, with ties broken by the pair itself."""
    split = [list(word) for word in words]
    merges = []
    for _ in range(count):
        pairs = Counter(pair for word in split for pair in zip(word, word[1:]) if pair[0][0] in alphabet)
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        for word in split:
            at = 0
            while at < len(word) - 1:
                if (word[at], word[at + 1]) == best:
                    word[at : at + 2] = ["".join(best)]
                at += 1
    return merges


def _bpe(words: list[str], size: int, alphabet: list[str], bytes_too: bool = False, **options) -> Tokenizer:
    merges = _merges(words, alphabet, size)
    listed = dict.fromkeys([*SPECIAL, *alphabet, *("".join(pair) for pair in merges)])
    if bytes_too:
        listed |= dict.fromkeys(f"<0x{byte:02X}>" for byte in range(256))
    suffix = options.get("end_of_word_suffix")
    if suffix:
        listed |= dict.fromkeys([letter + suffix for letter in alphabet])
    return Tokenizer(models.BPE({piece: index for index, piece in enumerate(listed)}, merges, **options))


def _byte_words(words: list[str]) -> list[str]:
    spell = P.ByteLevel(add_prefix_space=True, use_regex=False)
    return [spell.pre_tokenize_str(word)[0][0] for word in words]


def _roberta(words: list[str], size: int) -> Tokenizer:
    tokenizer = _bpe(_byte_words(words), size, sorted(P.ByteLevel.alphabet()))
    tokenizer.pre_tokenizer = P.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens([*SPECIAL, AddedToken("<mask>", lstrip=True, special=True)])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    return tokenizer


def _qwen(words: list[str], size: int) -> Tokenizer:
    tokenizer = _bpe(_byte_words(words), size, sorted(P.ByteLevel.alphabet()), ignore_merges=True)
    tokenizer.normalizer = N.NFC()
    tokenizer.pre_tokenizer = P.Sequence([P.Split(Regex(QWEN), "isolated"), P.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.add_special_tokens(["<|endoftext|>"])
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="$A <|endoftext|>", pair="$A $B", special_tokens=[("<|endoftext|>", tokenizer.token_to_id("<|endoftext|>"))]),
    ])
    return tokenizer


def _gemma(words: list[str], size: int, pre_tokenizer, normalizer) -> Tokenizer:
    tokenizer = _bpe([f"▁{word}" for word in words], size, ["▁", *LETTERS], True, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizer
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


def _clip(words: list[str], size: int) -> Tokenizer:
    tokenizer = _bpe(words, size, LETTERS, unk_token="<unk>", end_of_word_suffix="</w>", fuse_unk=False)
    tokenizer.normalizer = N.Sequence([N.NFC(), N.Replace(Regex(r"\s+"), " "), N.Lowercase()])
    tokenizer.pre_tokenizer = P.Sequence([P.Split(Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), "removed", invert=True)])
    return tokenizer


def _added(words: list[str], size: int) -> Tokenizer:
    """Added tokens of every kind, some of which begin as others do."""
    tokenizer = _word_piece(words, size, cased=False)
    tokenizer.add_tokens([
        AddedToken("play", single_word=True, normalized=False),
        AddedToken("Café", normalized=True),
        AddedToken("don't", lstrip=True, rstrip=True, normalized=True),
        AddedToken("~", lstrip=True, normalized=False),
        AddedToken("~~", rstrip=True, normalized=False),
        AddedToken("İstanbul", single_word=True, normalized=True),
        AddedToken("中文", normalized=False),
    ])
    return tokenizer


def tokenizers(texts: list[str], size: int) -> dict[str, Tokenizer]:
    words = [word for text in texts for word in text.lower().split()]
    words = sorted(word for word in set(words) if all(letter in LETTERS for letter in word))[:400]
    table = N.Precompiled(charsmap("nmt_nfkc"))
    squeeze = N.Replace(Regex(" {2,}"), " ")
    meta = P.Metaspace(prepend_scheme="always")
    quotes = [N.Replace("``", '"'), N.Replace("''", '"')]
    word_level = Tokenizer(models.WordLevel({word: at for at, word in enumerate(["[UNK]", *words])}, unk_token="[UNK]"))
    word_level.pre_tokenizer = P.Whitespace()
    return {
        "BERT uncased": _word_piece(words, size, cased=False),
        "BERT cased": _word_piece(words, size, cased=True),
        "XLM-R": _sentencepiece(words, size, table, P.Sequence([P.WhitespaceSplit(), meta])),
        "bge-m3": _sentencepiece(words, size, N.Sequence([table, squeeze]), meta),
        "mDeBERTa": _sentencepiece(words, size, N.Sequence([N.Strip(), table, squeeze]), meta),
        "ALBERT": _sentencepiece(words, size, N.Sequence([*quotes, N.NFKD(), N.StripAccents(), N.Lowercase(), table]), P.Sequence([P.WhitespaceSplit(), meta])),
        "T5": _sentencepiece(words, size, table, P.Metaspace(prepend_scheme="always", split=False)),
        "Unigram of bytes": _sentencepiece(words, size, squeeze, meta, byte_fallback=True),
        "RoBERTa": _roberta(words, size),
        "Qwen": _qwen(words, size),
        "Gemma": _gemma(words, size, P.Split(" ", "merged_with_previous"), N.Replace(" ", "▁")),
        "Llama": _gemma(words, size, None, N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")])),
        "CLIP": _clip(words, size),
        "word level": word_level,
        "added tokens": _added(words, size),
    }
