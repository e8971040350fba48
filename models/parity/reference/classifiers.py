"""
Architectures that classify pictures: ViT, MobileNet v2, ResNet, EfficientNet.
"""

from pathlib import Path

import torch
import transformers
from torch import nn

from architectures import Architecture, Built, encoder_shape, pictures


def vit(small: bool, _folder: Path) -> Built:
    side = 32 if small else 224
    processor = transformers.ViTImageProcessor(size={"height": side, "width": side})
    config = transformers.ViTConfig(image_size=side, patch_size=side // 4 if small else 16, num_labels=12 if small else 1000, **encoder_shape(small, 12, 768))
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
        model(pictures(side))
        for module in model.modules():
            # A channel that hardly varies around a large mean would blow float32's rounding up a thousandfold.
            if isinstance(module, nn.BatchNorm2d):
                module.running_var += 0.3 * module.running_mean**2
    return model


CLASSIFIERS: dict[str, Architecture] = {
    "vit-base": Architecture("image-classification", "image-classification", vit),
    "mobilenet-v2": Architecture("image-classification", "image-classification", mobilenet_v2),
    "resnet-50": Architecture("image-classification", "image-classification", resnet),
    "efficientnet-b0": Architecture("image-classification", "image-classification", efficientnet),
}
