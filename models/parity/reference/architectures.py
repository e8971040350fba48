"""
What an architecture is for parity: its task, and how it is built with random weights, in its true shape or in a small one
that fits the repository. Weights are seeded, and spread wide enough that outputs depend on inputs.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
import transformers
from torch import nn

SEED = 20261127


@dataclass(frozen=True)
class Built:
    model: transformers.PreTrainedModel
    # Tokeniser, image processor or feature extractor: whatever saves its files beside the model.
    preprocessors: list
    # Files of a sentence-transformers folder, and other JSON that the exporter does not write.
    files: dict[str, object]
    # Sizes that the exporter would guess wrong.
    shapes: dict[str, int] = field(default_factory=dict)
    # Further arguments to the exporter.
    export: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Architecture:
    task: str
    # optimum's name of the export, or what writes the graphs of a layout that optimum does not have.
    export: str | Callable[[transformers.PreTrainedModel, Path], None]
    build: Callable[[bool, Path], Built]
    # Graphs that are left out of the folder.
    drops: tuple[str, ...] = ()


def encoder_shape(small: bool, layers: int, hidden: int) -> dict:
    if small:
        return {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "initializer_range": 0.4}
    # 0.05 instead of BERT's 0.02: at 0.02 every input gives nearly the same logits.
    heads = 12
    return {"hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads, "intermediate_size": 4 * hidden, "initializer_range": 0.05}


def build(architecture: Architecture, small: bool, folder: Path) -> Built:
    torch.manual_seed(SEED)
    built = architecture.build(small, folder)
    # What save_pretrained writes; the exporter saves the bare configuration.
    built.model.config.architectures = [type(built.model).__name__]
    # Heads start near zero, too: wider, so that the best label is seldom a near-tie.
    with torch.no_grad():
        for head in heads(built.model):
            head.weight.normal_(0, 4 / head.weight.shape[1] ** 0.5)
    built.model.eval()
    tame(built.model)
    return built


def tame(model: nn.Module) -> None:
    """Convolutional nets' features have any size: logits are brought to a spread of 2, where float32 holds 1e-4."""
    if model.main_input_name != "pixel_values":
        return
    [head] = heads(model) or [None]
    if head is None:
        return
    with torch.no_grad():
        side = getattr(model.config, "image_size", 224)
        head.weight *= 2 / model(pictures(side)).logits.std()


def pictures(side: int) -> torch.Tensor:
    """Smooth, as pictures are, in the range that processors give; 64, so that no variance is guessed from a few."""
    return nn.functional.interpolate(torch.rand(64, 3, 5, 5) * 4 - 2, size=(side, side), mode="bicubic")


def heads(model: nn.Module) -> list[nn.Linear]:
    names = ("classifier", "lm_head")
    return [module for name, module in model.named_modules() if isinstance(module, nn.Linear) and name.split(".")[0] in names]
