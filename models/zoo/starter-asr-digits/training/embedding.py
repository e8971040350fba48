"""Owns Google's speech embedding: 20 frozen convolutions that know more voices than all data here.

The network turns 76 log-mel frames (0.775 s) into 96 numbers, every 80 ms. Run so, two digits can fall into
one step; here its last strides become dilations, so that it answers every 20 ms with the same weights and,
frame by frame, the same numbers. Its middle layers are handed on too: they see less and place words better.
No convolution pads time but over the whole utterance, with the floor of the front end, so that silence,
padding and batch-mates all look the same.
"""

import onnx
import torch
from torch import nn

from sources import embedding_path

# Channels in, channels out, pairs of convolutions (over bands, over time), dilation in time.
STAGES = [(24, 24, 1, 1), (24, 48, 2, 1), (48, 72, 2, 1), (72, 96, 2, 2), (96, 96, 2, 2)]
# Kernel, stride and dilation, (time, bands), of the pooling after each stage. The third and fifth had stride 2 in time.
POOLS = [((2, 2), (2, 2), 1), ((1, 2), (1, 2), 1), ((2, 2), (1, 2), 1), ((1, 2), (1, 2), 1), ((2, 2), (1, 2), (2, 1))]
LAST_DILATION = 4
# A window of 76 frames around frame 2f+1, the middle of output frame f.
PAD_BEFORE, PAD_AFTER = 36, 37
# By stage: frames that its output has before the one centred on output frame f. The last two are the whole network's.
TAPPED = {2: 13, 3: 9, 4: 4}
TAP_WIDTHS = [288, 192, 96, 96]
LEAST_ACTIVATION = -0.4


class SpeechEmbedding(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 24, 3, padding=(0, 1))
        self.stages = nn.ModuleList(nn.ModuleList(_pairs(*stage)) for stage in STAGES)
        self.last = nn.Conv2d(96, 96, (3, 1), dilation=(LAST_DILATION, 1), bias=False)
        self.requires_grad_(False)

    def forward(self, mel: torch.Tensor, floor: float) -> list[torch.Tensor]:
        """[batch, 10 ms frames, 32] to four of [batch, 20 ms frames, width]: shallow and sharp to deep and wide."""
        frames = (mel.shape[1] - 3) // 2 + 1
        x = nn.functional.pad(mel, (0, 0, PAD_BEFORE, PAD_AFTER), value=floor).unsqueeze(1)
        x = _activated(self.first(x))
        taps = []
        for number, (stage, (kernel, stride, dilation)) in enumerate(zip(self.stages, POOLS, strict=True)):
            for convolution in stage:
                x = _activated(convolution(x))
            x = nn.functional.max_pool2d(x, kernel, stride, dilation=dilation)
            if number in TAPPED:
                taps.append(_by_frame(x, TAPPED[number], frames))
        return [*taps, _by_frame(self.last(x), 0, frames)]


def pretrained_embedding() -> SpeechEmbedding:
    graph = onnx.load(embedding_path()).graph
    arrays = {i.name: torch.from_numpy(onnx.numpy_helper.to_array(i).copy()) for i in graph.initializer}
    nodes = [node for node in graph.node if node.op_type == "Conv"]
    model = SpeechEmbedding()
    convolutions = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    for convolution, node in zip(convolutions, nodes, strict=True):
        convolution.weight.copy_(arrays[node.input[1]])
        if convolution.bias is not None:
            convolution.bias.copy_(arrays[node.input[2]])
    return model.eval()


def _pairs(channels: int, wider: int, pairs: int, dilation: int) -> list[nn.Conv2d]:
    layers = []
    for number in range(pairs):
        layers.append(nn.Conv2d(wider if number else channels, wider, (1, 3), padding=(0, 1)))
        layers.append(nn.Conv2d(wider, wider, (3, 1), dilation=(dilation, 1)))
    return layers


def _activated(x: torch.Tensor) -> torch.Tensor:
    return nn.functional.leaky_relu(x, 0.2).clamp(min=LEAST_ACTIVATION)


def _by_frame(x: torch.Tensor, first: int, frames: int) -> torch.Tensor:
    """[batch, channels, time, bands] to [batch, frames, channels x bands]."""
    return x[:, :, first : first + frames].permute(0, 2, 1, 3).flatten(2)
