"""Owns the network: seven convolutions on 64 x 64 grey, a mean, one linear layer."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from symbols import LABELS


def conv(inner: int, outer: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inner, outer, 3, stride, 1, bias=False), nn.BatchNorm2d(outer))


class Stage(nn.Module):
    """Half the side, then a residual convolution."""

    def __init__(self, inner: int, outer: int):
        super().__init__()
        self.down, self.refine = conv(inner, outer, 2), conv(outer, outer)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.down(x))
        return F.relu(x + self.refine(x))


class Symbols(nn.Module):
    def __init__(self):
        super().__init__()
        self.stages = nn.Sequential(Stage(1, 24), Stage(24, 48), Stage(48, 96))
        self.last = conv(96, 128, 2)
        self.head = nn.Linear(128, len(LABELS))

    def forward(self, grey: Tensor) -> Tensor:
        return self.head(F.relu(self.last(self.stages(grey))).mean((2, 3)))


class Served(nn.Module):
    """As it is exported: RGB pixels from -1 to 1 in, logits out."""

    def __init__(self, model: Symbols):
        super().__init__()
        self.model = model
        self.register_buffer("luma", torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1))

    def forward(self, pixel_values: Tensor) -> Tensor:
        return self.model((pixel_values * self.luma).sum(1, keepdim=True))
