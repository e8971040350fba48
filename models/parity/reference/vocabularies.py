"""
Tokenisers for models of random weights, trained here on text of our own (LICENSE and the grocery lexicons), each in the
files that its real model has. A given text gives a given vocabulary, so exports are repeatable.
"""

import json
import string
from pathlib import Path

import sentencepiece
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertTokenizerFast, PreTrainedTokenizerFast, Wav2Vec2CTCTokenizer, XLMRobertaTokenizerFast

ROOT = Path(__file__).parents[3]
LEXICONS = ROOT / "models/zoo/starter-ner-groceries/training/lexicons"


def lines() -> list[str]:
    paths = [ROOT / "LICENSE", *sorted(LEXICONS.glob("*.txt"))]
    return [line.strip() for path in paths for line in path.read_text().splitlines() if line.strip()]


def bert(size: int, lowercase: bool) -> BertTokenizerFast:
    """WordPiece as BERT has it: uncased strips accents, cased keeps everything."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(lines(), trainers.WordPieceTrainer(vocab_size=size, special_tokens=special, show_progress=False))
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return BertTokenizerFast(tokenizer_object=tokenizer, do_lower_case=lowercase, model_max_length=512)


def xlm_roberta(size: int, folder: Path) -> XLMRobertaTokenizerFast:
    """A real sentencepiece model (unigram, NFKC with its compiled table), converted as the Hub's files were."""
    folder.mkdir(parents=True, exist_ok=True)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines()),
        model_prefix=str(folder / "sentencepiece"),
        vocab_size=size,
        character_coverage=0.9995,
        minloglevel=2,
    )
    return XLMRobertaTokenizerFast(vocab_file=str(folder / "sentencepiece.model"), model_max_length=512)


def unigram(size: int) -> PreTrainedTokenizerFast:
    """The same without sentencepiece's table of 240 KB: small enough to be kept in the repository."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(" {2,}", " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    trainer = trainers.UnigramTrainer(vocab_size=size, special_tokens=special, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(lines(), trainer)
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
