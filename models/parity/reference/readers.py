"""
Architectures that read texts and sounds: BERT, MiniLM, XLM-R, wav2vec2.
"""

from pathlib import Path

import torch
import transformers

import vocabularies
from architectures import Architecture, Built, encoder_shape

LABELS = ["O", "B-MISC", "I-MISC", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]


def bert_ner(small: bool, _folder: Path) -> Built:
    tokenizer = vocabularies.bert(260, lowercase=False) if small else vocabularies.real_bert("bert-base-ner", lowercase=False)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer), max_position_embeddings=96 if small else 512, num_labels=len(LABELS),
        id2label=dict(enumerate(LABELS)), label2id={label: index for index, label in enumerate(LABELS)}, **encoder_shape(small, 12, 768),
    )
    return Built(transformers.BertForTokenClassification(config), [tokenizer], {})


def minilm_embedder(small: bool, _folder: Path) -> Built:
    tokenizer = vocabularies.bert(260, lowercase=True) if small else vocabularies.real_bert("all-MiniLM-L6-v2", lowercase=True)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer), max_position_embeddings=96 if small else 512, **encoder_shape(small, 6, 384)
    )
    return Built(transformers.BertModel(config), [tokenizer], _sentence_files(config.hidden_size, "mean"))


def minilm_reranker(small: bool, _folder: Path) -> Built:
    tokenizer = vocabularies.bert(260, lowercase=True) if small else vocabularies.real_bert("all-MiniLM-L6-v2", lowercase=True)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer), max_position_embeddings=96 if small else 512, num_labels=1, **encoder_shape(small, 6, 384)
    )
    return Built(transformers.BertForSequenceClassification(config), [tokenizer], {})


def xlm_roberta(small: bool, folder: Path) -> Built:
    """bge-m3's way in a smaller shape: XLM-R, the vector of its first token, scaled to length 1."""
    tokenizer, config = _xlm_roberta_parts(small, folder)
    return Built(transformers.XLMRobertaModel(config), [tokenizer], _sentence_files(config.hidden_size, "cls"))


def xlm_roberta_reranker(small: bool, folder: Path) -> Built:
    """bge-reranker's way in a smaller shape: two closing tokens between the texts of a pair, and one segment."""
    tokenizer, config = _xlm_roberta_parts(small, folder)
    config.num_labels = 1
    return Built(transformers.XLMRobertaForSequenceClassification(config), [tokenizer], {})


def _xlm_roberta_parts(small: bool, folder: Path) -> tuple[transformers.PreTrainedTokenizerBase, transformers.XLMRobertaConfig]:
    tokenizer = vocabularies.unigram(300, folder) if small else vocabularies.xlm_roberta(2000, folder)
    config = transformers.XLMRobertaConfig(
        vocab_size=len(tokenizer), max_position_embeddings=98 if small else 514, type_vocab_size=1,
        pad_token_id=1, bos_token_id=0, eos_token_id=2, **encoder_shape(small, 12, 384),
    )
    return tokenizer, config


def _sentence_files(dimension: int, pooling: str) -> dict[str, object]:
    modules = ["", "1_Pooling", "2_Normalize"]
    kinds = ["Transformer", "Pooling", "Normalize"]
    pooling_config = {
        "word_embedding_dimension": dimension,
        "pooling_mode_cls_token": pooling == "cls",
        "pooling_mode_mean_tokens": pooling == "mean",
    }
    listed = [
        {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for index, (path, kind) in enumerate(zip(modules, kinds, strict=True))
    ]
    return {"modules.json": listed, "1_Pooling/config.json": pooling_config}


def wav2vec2(small: bool, folder: Path) -> Built:
    tokenizer = vocabularies.ctc(folder)
    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=False)
    shape = {
        "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "conv_dim": (8,) * 7,
        "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2, "initializer_range": 0.4,
    }
    config = transformers.Wav2Vec2Config(vocab_size=len(tokenizer), pad_token_id=0, **(shape if small else {"initializer_range": 0.05}))
    model = transformers.Wav2Vec2ForCTC(config)
    # Trained models never write <s>, </s> or <unk>; where one does, transformers prints it and Millrace does not.
    with torch.no_grad():
        model.lm_head.bias[1:4] = -40
    return Built(model, [extractor, tokenizer], {})


READERS: dict[str, Architecture] = {
    "bert-base-ner": Architecture("token-classification", "token-classification", bert_ner),
    "minilm-embedder": Architecture("feature-extraction", "feature-extraction", minilm_embedder),
    "xlm-roberta": Architecture("feature-extraction", "feature-extraction", xlm_roberta),
    "minilm-reranker": Architecture("text-ranking", "text-classification", minilm_reranker),
    "bge-reranker": Architecture("text-ranking", "text-classification", xlm_roberta_reranker),
    "wav2vec2-base": Architecture("automatic-speech-recognition", "automatic-speech-recognition", wav2vec2),
}
