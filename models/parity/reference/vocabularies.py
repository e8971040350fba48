"""
Tokenisers for models of random weights, in the files that their real models have. True shapes take the real ones where the
test material is at hand; the others are made here of text of our own (LICENSE and the grocery lexicons). The trainers of
`tokenizers` break ties by chance; these give the same vocabulary every time.
"""

import json
import os
import string
from collections import Counter
from pathlib import Path

import sentencepiece
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertTokenizerFast, PreTrainedTokenizerFast, Wav2Vec2CTCTokenizer, XLMRobertaTokenizerFast

ROOT = Path(__file__).parents[3]
LEXICONS = ROOT / "models/zoo/starter-ner-groceries/training/lexicons"
REAL = Path(os.environ.get("MILLRACE_ASSETS", ROOT.parent / "shared/assets")) / "tokenizers"


def lines() -> list[str]:
    paths = [ROOT / "LICENSE", *sorted(LEXICONS.glob("*.txt"))]
    return [line.strip() for path in paths for line in path.read_text().splitlines() if line.strip()]


def real_bert(name: str, lowercase: bool) -> BertTokenizerFast:
    if (REAL / name).exists():
        return BertTokenizerFast.from_pretrained(REAL / name)
    return bert(8000, lowercase)


def bert(size: int, lowercase: bool) -> BertTokenizerFast:
    """WordPiece as BERT has it: uncased strips accents, cased keeps everything. Letters, then frequent pieces of words."""
    normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    splitter = pre_tokenizers.BertPreTokenizer()
    words = Counter(word for line in lines() for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(line)))
    letters = sorted({letter for word in words for letter in word})
    pieces = Counter()
    for word, count in words.items():
        for length in range(2, len(word) + 1):
            pieces[word[:length]] += count * length
            pieces[f"##{word[-length:]}"] += count * length if length < len(word) else 0
    by_rank = sorted(pieces, key=lambda piece: (-pieces[piece], piece))
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = [*special, *letters, *(f"##{letter}" for letter in letters), *by_rank][:size]
    tokenizer = Tokenizer(models.WordPiece({piece: index for index, piece in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, splitter
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return BertTokenizerFast(tokenizer_object=tokenizer, do_lower_case=lowercase, model_max_length=512)


def _sentencepiece(size: int, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines()),
        model_prefix=str(folder / "sentencepiece"),
        vocab_size=size,
        character_coverage=0.9995,
        num_threads=1,
        minloglevel=2,
    )
    return folder / "sentencepiece.model"


def xlm_roberta(size: int, folder: Path) -> XLMRobertaTokenizerFast:
    """A real sentencepiece model (unigram, NFKC with its compiled table), converted as the Hub's files were."""
    return XLMRobertaTokenizerFast(vocab_file=str(_sentencepiece(size, folder)), model_max_length=512)


def unigram(size: int, folder: Path) -> PreTrainedTokenizerFast:
    """The same without sentencepiece's table of 240 KB: small enough to be kept in the repository."""
    trained = sentencepiece.SentencePieceProcessor(model_file=str(_sentencepiece(size, folder)))
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    # sentencepiece's own <unk>, <s> and </s> come first.
    pieces = [(trained.id_to_piece(index), round(trained.get_score(index), 4)) for index in range(3, len(trained))]
    tokenizer = Tokenizer(models.Unigram([(token, 0.0) for token in special] + pieces, unk_id=3))
    tokenizer.add_special_tokens(special)
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(" {2,}", " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **names, cls_token="<s>", sep_token="</s>", model_max_length=512
    )


def ctc(folder: Path) -> Wav2Vec2CTCTokenizer:
    """wav2vec2-base-960h's 32 symbols."""
    folder.mkdir(parents=True, exist_ok=True)
    symbols = ["<pad>", "<s>", "</s>", "<unk>", "|", *string.ascii_uppercase, "'"]
    (folder / "vocab.json").write_text(json.dumps({symbol: index for index, symbol in enumerate(symbols)}))
    return Wav2Vec2CTCTokenizer(str(folder / "vocab.json"))
