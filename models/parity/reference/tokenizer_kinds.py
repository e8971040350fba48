"""
Every step that a tokenizer.json may name, as the Python package `tokenizers` runs it. A step is tried under a model that
shows all of it: BPE with one token per byte and no merges, so that ids are the bytes of what came out, word ids the
pieces, and offsets where each byte is from. Models and added tokens are tried with vocabularies of their own.
"""

import functools
import io

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

N, P = normalizers, pre_tokenizers
# The expressions of GPT-2, of Llama 3 and Qwen 3, and of GPT-4o.
ENDINGS = "'s|'t|'re|'ve|'m|'ll|'d"
GPT2 = ENDINGS + r"| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
QWEN = rf"(?i:{ENDINGS})|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
GPT4O = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+(?i:{ENDINGS})?|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*(?i:{ENDINGS})?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
WAYS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]


@functools.cache
def charsmap(rule: str) -> bytes:
    """The table that sentencepiece puts into a model: XLM-R's and bge-m3's is `nmt_nfkc`."""
    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["hello world"] * 50), model_writer=made, vocab_size=12, hard_vocab_limit=False,
        normalization_rule_name=rule, minloglevel=2,
    )  # fmt: skip
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(made.getvalue())
    return proto.normalizer_spec.precompiled_charsmap


def steps(rules: list[str]) -> dict[str, tuple]:
    """Name to normaliser and pre-tokeniser."""
    return {
        **{f"precompiled {rule}": (N.Precompiled(charsmap(rule)), None) for rule in rules},
        "bert uncased": (N.BertNormalizer(), P.BertPreTokenizer()),
        "bert cased": (N.BertNormalizer(lowercase=False), P.BertPreTokenizer()),
        "bert accents kept": (N.BertNormalizer(strip_accents=False), P.BertPreTokenizer()),
        "bert accents stripped, cased": (N.BertNormalizer(strip_accents=True, lowercase=False), P.BertPreTokenizer()),
        "bert raw": (N.BertNormalizer(clean_text=False, handle_chinese_chars=False), P.BertPreTokenizer()),
        "NFC": (N.NFC(), None),
        "NFD": (N.NFD(), None),
        "NFKC": (N.NFKC(), None),
        "NFKD": (N.NFKD(), None),
        "NFKD, StripAccents, Lowercase": (N.Sequence([N.NFKD(), N.StripAccents(), N.Lowercase()]), None),
        "NFD, Lowercase, StripAccents": (N.Sequence([N.NFD(), N.Lowercase(), N.StripAccents()]), None),
        "StripAccents": (N.StripAccents(), None),
        "Lowercase": (N.Lowercase(), None),
        "Nmt": (N.Nmt(), None),
        "ByteLevel normaliser": (N.ByteLevel(), None),
        "Replace": (N.Sequence([N.Replace("``", '"'), N.Replace("''", '"'), N.Replace(Regex(" {2,}"), " ")]), None),
        "Replace dollars": (N.Sequence([N.Replace("a", "$&"), N.Replace(Regex(r"(e)(\s)"), "$2$1")]), None),
        "Replace space": (N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")]), None),
        "Strip": (N.Strip(), None),
        "Strip right": (N.Strip(left=False, right=True), None),
        "whitespace": (None, P.Whitespace()),
        "whitespace split": (None, P.WhitespaceSplit()),
        "byte level": (None, P.ByteLevel(add_prefix_space=False)),
        "byte level, space before": (None, P.ByteLevel(add_prefix_space=True)),
        "byte level, no regex": (None, P.ByteLevel(add_prefix_space=False, use_regex=False)),
        "metaspace always": (None, P.Metaspace(prepend_scheme="always")),
        "metaspace first": (None, P.Metaspace(prepend_scheme="first")),
        "metaspace never": (None, P.Metaspace(prepend_scheme="never")),
        "metaspace whole": (None, P.Metaspace(prepend_scheme="always", split=False)),
        "whitespace split, metaspace": (None, P.Sequence([P.WhitespaceSplit(), P.Metaspace(prepend_scheme="always")])),
        "digits": (None, P.Digits(individual_digits=False)),
        "digits alone": (None, P.Digits(individual_digits=True)),
        "char delimiter": (None, P.CharDelimiterSplit("e")),
        "fixed length": (None, P.FixedLength(3)),
        **{f"punctuation {way}": (None, P.Punctuation(way)) for way in WAYS},
        **{f"split space {way}": (None, P.Split(" ", way)) for way in WAYS},
        "split inverted": (None, P.Split(Regex(r"\w+|[^\w\s]+"), "removed", invert=True)),
        "split GPT-2": (None, P.Split(Regex(GPT2), "isolated")),
        "split Qwen": (N.NFC(), P.Sequence([P.Split(Regex(QWEN), "isolated"), P.ByteLevel(add_prefix_space=False, use_regex=False)])),
        "split GPT-4o": (None, P.Split(Regex(GPT4O), "isolated")),
        "split digits": (None, P.Split(Regex(r"\d{1,3}"), "isolated")),
    }


def bytes_model() -> models.BPE:
    return models.BPE({f"<0x{byte:02X}>": byte for byte in range(256)}, [], byte_fallback=True)


def probe(normalizer, pre_tokenizer) -> Tokenizer:
    tokenizer = Tokenizer(bytes_model())
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    return tokenizer
