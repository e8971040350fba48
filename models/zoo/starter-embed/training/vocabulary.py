"""Owns the tokenizer: which pieces there are, and tokenizer.json.

    python vocabulary.py     learns the pieces and writes work/tokenizer.json
"""
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from sources import WORK
from texts import english, pairs

TOKENIZER_FILE = WORK / "tokenizer.json"
PIECES = 20_000
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
# There is a sixth as much Russian as English, and a Russian word has more forms: without weight it would be in bits.
RUSSIAN_WEIGHT = 3


def learn() -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    # Accents stay: stripping them would turn й into и.
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=False, handle_chinese_chars=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    both = pairs()
    texts = english() + [pair[0] for pair in both] + RUSSIAN_WEIGHT * [pair[1] for pair in both]
    trainer = trainers.WordPieceTrainer(vocab_size=PIECES, special_tokens=SPECIAL, limit_alphabet=200,
                                        min_frequency=3, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    cls, sep = (SPECIAL.index(token) for token in ("[CLS]", "[SEP]"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", cls), ("[SEP]", sep)])
    return tokenizer


def load() -> Tokenizer:
    return Tokenizer.from_file(str(TOKENIZER_FILE))


if __name__ == "__main__":
    tokenizer = learn()
    tokenizer.save(str(TOKENIZER_FILE))
    for text in ("A man is playing the guitar.", "Мужчина играет на гитаре, ещё и поёт."):
        print(tokenizer.encode(text).tokens)
