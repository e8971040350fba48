"""
The architectures that parity is shown for: per name its task and how to build it with random weights, in its true shape
or in a small one that fits the repository. Weights are seeded, and spread wide enough that outputs depend on inputs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers
from torch import nn

import vocabularies

SEED = 20261127
LABELS = ["O", "B-MISC", "I-MISC", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]


@dataclass(frozen=True)
class Built:
    model: transformers.PreTrainedModel
    # Tokeniser, image processor or feature extractor: whatever saves its files beside the model.
    preprocessors: list
    # Files of a sentence-transformers folder, and other JSON that the exporter does not write.
    files: dict[str, object]


@dataclass(frozen=True)
class Architecture:
    task: str
    # optimum's name of the export.
    export: str
    build: Callable[[bool, Path], Built]


def _encoder(small: bool, layers: int, hidden: int) -> dict:
    if small:
        return {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "initializer_range": 0.4}
    # 0.05 instead of BERT's 0.02: at 0.02 every input gives nearly the same logits.
    heads = 12
    return {"hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads, "intermediate_size": 4 * hidden, "initializer_range": 0.05}


def bert_ner(small: bool, _folder: Path) -> Built:
    tokenizer = vocabularies.bert(260 if small else 8000, lowercase=False)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer), max_position_embeddings=96 if small else 512, num_labels=len(LABELS),
        id2label=dict(enumerate(LABELS)), label2id={label: index for index, label in enumerate(LABELS)}, **_encoder(small, 12, 768),
    )
    return Built(transformers.BertForTokenClassification(config), [tokenizer], {})


def minilm_embedder(small: bool, _folder: Path) -> Built:
    tokenizer = vocabularies.bert(260 if small else 8000, lowercase=True)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer), max_position_embeddings=96 if small else 512, **_encoder(small, 6, 384)
    )
    return Built(transformers.BertModel(config), [tokenizer], _sentence_files(config.hidden_size, "mean"))


def minilm_reranker(small: bool, _folder: Path) -> Built:
    tokenizer = vocabularies.bert(260 if small else 8000, lowercase=True)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer), max_position_embeddings=96 if small else 512, num_labels=1, **_encoder(small, 6, 384)
    )
    return Built(transformers.BertForSequenceClassification(config), [tokenizer], {})


def xlm_roberta(small: bool, folder: Path) -> Built:
    """bge-m3's way in a smaller shape: XLM-R, the vector of its first token, scaled to length 1."""
    tokenizer = vocabularies.unigram(300) if small else vocabularies.xlm_roberta(2000, folder)
    config = transformers.XLMRobertaConfig(
        vocab_size=len(tokenizer), max_position_embeddings=98 if small else 514, type_vocab_size=1,
        pad_token_id=1, bos_token_id=0, eos_token_id=2, **_encoder(small, 12, 384),
    )
    return Built(transformers.XLMRobertaModel(config), [tokenizer], _sentence_files(config.hidden_size, "cls"))


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


def vit(small: bool, _folder: Path) -> Built:
    side = 32 if small else 224
    processor = transformers.ViTImageProcessor(size={"height": side, "width": side})
    config = transformers.ViTConfig(image_size=side, patch_size=side // 4 if small else 16, num_labels=12 if small else 1000, **_encoder(small, 12, 768))
    return Built(transformers.ViTForImageClassification(config), [processor], {})


def mobilenet_v2(small: bool, _folder: Path) -> Built:
    side = 32 if small else 224
    processor = transformers.MobileNetV2ImageProcessor(size={"shortest_edge": side * 8 // 7}, crop_size={"height": side, "width": side})
    shape = {"depth_multiplier": 0.1, "finegrained_output": False, "expand_ratio": 2} if small else {"num_labels": 1001}
    config = transformers.MobileNetV2Config(image_size=side, **({"num_labels": 12} | shape))
    return Built(_calibrated(transformers.MobileNetV2ForImageClassification(config), side), [processor], {})


def resnet(small: bool, _folder: Path) -> Built:
    side = 32 if small else 224
    processor = transformers.ConvNextImageProcessor(size={"shortest_edge": side}, crop_pct=0.875, resample=3)
    shape = {"embedding_size": 8, "hidden_sizes": [16, 24], "depths": [1, 2], "layer_type": "basic", "num_labels": 12}
    config = transformers.ResNetConfig(**(shape if small else {"num_labels": 1000}))
    return Built(_calibrated(transformers.ResNetForImageClassification(config), side), [processor], {})


def efficientnet(small: bool, _folder: Path) -> Built:
    side = 32 if small else 224
    processor = transformers.EfficientNetImageProcessor(size={"height": side, "width": side}, resample=3, do_center_crop=False)
    b0 = {"width_coefficient": 1.0, "depth_coefficient": 1.0, "hidden_dim": 1280, "num_labels": 1000}
    tiny = {"expand_ratios": [1, 2, 2, 2, 2, 2, 2], "width_coefficient": 0.1, "depth_coefficient": 0.1, "hidden_dim": 128, "num_labels": 12}
    config = transformers.EfficientNetConfig(image_size=side, dropout_rate=0.0, drop_connect_rate=0.0, **(tiny if small else b0))
    return Built(_calibrated(transformers.EfficientNetForImageClassification(config), side), [processor], {})


def _pictures(side: int) -> torch.Tensor:
    """Smooth, as pictures are, in the range that processors give; 64, so that no variance is guessed from a few."""
    return nn.functional.interpolate(torch.rand(64, 3, 5, 5) * 4 - 2, size=(side, side), mode="bicubic")


def _calibrated(model: nn.Module, side: int) -> nn.Module:
    """Signals die or explode in random weights; one pass in training mode gives batch norms true statistics."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
            nn.init.uniform_(module.weight, 0.7, 1.3)
            nn.init.uniform_(module.bias, -0.3, 0.3)
    model.train()
    with torch.no_grad():
        model(_pictures(side))
        for module in model.modules():
            # A channel that hardly varies around a large mean would blow float32's rounding up a thousandfold.
            if isinstance(module, nn.BatchNorm2d):
                module.running_var += 0.3 * module.running_mean**2
    return model


ARCHITECTURES: dict[str, Architecture] = {
    "bert-base-ner": Architecture("token-classification", "token-classification", bert_ner),
    "minilm-embedder": Architecture("feature-extraction", "feature-extraction", minilm_embedder),
    "xlm-roberta": Architecture("feature-extraction", "feature-extraction", xlm_roberta),
    "minilm-reranker": Architecture("text-ranking", "text-classification", minilm_reranker),
    "wav2vec2-base": Architecture("automatic-speech-recognition", "automatic-speech-recognition", wav2vec2),
    "vit-base": Architecture("image-classification", "image-classification", vit),
    "mobilenet-v2": Architecture("image-classification", "image-classification", mobilenet_v2),
    "resnet-50": Architecture("image-classification", "image-classification", resnet),
    "efficientnet-b0": Architecture("image-classification", "image-classification", efficientnet),
}


def build(name: str, small: bool, folder: Path) -> Built:
    torch.manual_seed(SEED)
    built = ARCHITECTURES[name].build(small, folder)
    # What save_pretrained writes; the exporter saves the bare configuration.
    built.model.config.architectures = [type(built.model).__name__]
    # Heads start near zero, too: wider, so that the best label is seldom a near-tie.
    with torch.no_grad():
        for head in _heads(built.model):
            head.weight.normal_(0, 4 / head.weight.shape[1] ** 0.5)
    built.model.eval()
    _tame(built.model)
    return built


def _tame(model: nn.Module) -> None:
    """Convolutional nets' features have any size: logits are brought to a spread of 2, where float32 holds 1e-4."""
    [head] = _heads(model) or [None]
    if head is None or model.main_input_name != "pixel_values":
        return
    with torch.no_grad():
        side = getattr(model.config, "image_size", 224)
        head.weight *= 2 / model(_pictures(side)).logits.std()


def _heads(model: nn.Module) -> list[nn.Linear]:
    names = ("classifier", "lm_head")
    return [module for name, module in model.named_modules() if isinstance(module, nn.Linear) and name.split(".")[0] in names]
