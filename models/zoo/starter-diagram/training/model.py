"""Owns the network: a convolutional encoder with a global branch, a small Transformer decoder.

384 x 272 pixels become 24 x 34 memory places (16 pixels high, 8 wide: about a letter). `reading` on the 8-pixel features
tells which token stands in the left and in the right half of a cell; what it found is a part of the memory, since the
decoder mistook letters that it had read right. `order` on the memory is for training only: in which line of the text, and
at which place of it, what stands there is written. The decoder runs whole sequences in training, and one token at a time
on preallocated slots when exported (`step`).
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scan import Canvas
from vocabulary import SEEN, TOKENS

D_MODEL, HEADS, LAYERS, FEED_FORWARD = 128, 4, 3, 384
HEAD = D_MODEL // HEADS
POSITIONS = 96
PLACE_HEIGHT, PLACE_WIDTH = 16, 8
LINES, SLOTS = 32, 8


def conv(inner: int, outer: int, size: int = 3, stride: int | tuple[int, int] = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inner, outer, size, stride, size // 2, bias=False), nn.BatchNorm2d(outer), nn.ReLU())


class Residual(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.first = conv(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
        nn.init.zeros_(self.second[1].weight)  # begins as nothing but its input

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x)))


class Attention(nn.Module):
    """Queries of one sequence, keys and values of another; the keys may come from a cache."""

    def __init__(self):
        super().__init__()
        self.query, self.key_value = nn.Linear(D_MODEL, D_MODEL), nn.Linear(D_MODEL, 2 * D_MODEL)
        self.out = nn.Linear(D_MODEL, D_MODEL)

    def split(self, x: Tensor) -> Tensor:
        return x.view(x.shape[0], -1, HEADS, HEAD).transpose(1, 2)

    def keys_values(self, x: Tensor) -> tuple[Tensor, Tensor]:
        keys, values = self.key_value(x).chunk(2, -1)
        return self.split(keys), self.split(values)

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None = None) -> tuple[Tensor, Tensor]:
        scores = self.split(self.query(x)) @ keys.transpose(2, 3) / math.sqrt(HEAD)
        if bias is not None:
            scores = scores + bias
        shares = scores.float().softmax(-1)
        mixed = (shares.to(values.dtype) @ values).transpose(1, 2).reshape(x.shape[0], -1, D_MODEL)
        return self.out(mixed), shares

    def fused(self, x: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """The same without telling where it looked, which takes half the time over many places."""
        mixed = F.scaled_dot_product_attention(self.split(self.query(x)), keys, values)
        return self.out(mixed.transpose(1, 2).reshape(x.shape[0], -1, D_MODEL))


class EncoderLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.attention, self.feed_norm = nn.LayerNorm(D_MODEL), Attention(), nn.LayerNorm(D_MODEL)
        self.feed = nn.Sequential(nn.Linear(D_MODEL, 2 * D_MODEL), nn.GELU(), nn.Linear(2 * D_MODEL, D_MODEL))

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        x = x + self.attention.fused(normed, *self.attention.keys_values(normed))
        return x + self.feed(self.feed_norm(x))


class Encoder(nn.Module):
    def __init__(self, canvas: Canvas):
        super().__init__()
        self.rows, self.columns = canvas.height // PLACE_HEIGHT, canvas.width // PLACE_WIDTH
        stem = [conv(1, 16, 5, 2), conv(16, 32, 3, 2), Residual(32)]
        self.near = nn.Sequential(*stem, conv(32, 80, 3, 2), Residual(80), Residual(80))
        self.reading = nn.Conv2d(80, 2 * SEEN, 1)
        self.read = nn.Conv2d(2 * SEEN, D_MODEL, (2, 1), (2, 1), bias=False)
        nn.init.zeros_(self.read.weight)
        self.fine = nn.Sequential(conv(80, D_MODEL, 3, (2, 1)), conv(D_MODEL, D_MODEL))
        self.coarse = conv(D_MODEL, D_MODEL, 3, (1, 2))
        self.coarse_place = nn.Parameter(torch.randn(1, self.rows * self.columns // 2, D_MODEL) * 0.02)
        self.far = nn.Sequential(EncoderLayer(), EncoderLayer())
        self.place = nn.Parameter(torch.randn(1, self.rows * self.columns, D_MODEL) * 0.02)
        self.norm = nn.LayerNorm(D_MODEL)
        self.order = nn.Linear(D_MODEL, LINES + SLOTS)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """The memory; what was read: batch, token, rows, half columns."""
        near = self.near(pixels)
        halves = self.reading(near).chunk(2, 1)
        fine = self.fine(near) + self.read(torch.cat([half.softmax(1) for half in halves], 1))
        coarse = self.coarse(fine).flatten(2).transpose(1, 2) + self.coarse_place
        # A coarse place lies over two fine ones of its row.
        whole = fine.flatten(2).transpose(1, 2).unflatten(1, (-1, 2)) + self.far(coarse).unsqueeze(2)
        return self.norm(whole.flatten(1, 2) + self.place), torch.stack(halves, -1).flatten(3)


class DecoderLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.self_norm, self.self_attention = nn.LayerNorm(D_MODEL), Attention()
        self.cross_norm, self.cross_attention = nn.LayerNorm(D_MODEL), Attention()
        self.feed_norm = nn.LayerNorm(D_MODEL)
        self.feed = nn.Sequential(nn.Linear(D_MODEL, FEED_FORWARD), nn.GELU(), nn.Linear(FEED_FORWARD, D_MODEL))

    def rest(self, x: Tensor, cross: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """All but self-attention; also where each head looked."""
        mixed, shares = self.cross_attention(self.cross_norm(x), *cross)
        x = x + mixed
        return x + self.feed(self.feed_norm(x)), shares


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(len(TOKENS), D_MODEL)
        self.positions = nn.Embedding(POSITIONS, D_MODEL)
        nn.init.normal_(self.tokens.weight, std=0.05)
        nn.init.normal_(self.positions.weight, std=0.02)
        self.layers = nn.ModuleList(DecoderLayer() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(D_MODEL)
        self.out = nn.Linear(D_MODEL, len(TOKENS))

    def forward(self, ids: Tensor, memory: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Whole sequences at once: logits, and where the first head of each layer looked."""
        length = ids.shape[1]
        x = self.tokens(ids) + self.positions(torch.arange(length, device=ids.device))
        bias = torch.full((length, length), -1e4).triu(1)
        looked = []
        for layer in self.layers:
            normed = layer.self_norm(x)
            x = x + layer.self_attention(normed, *layer.self_attention.keys_values(normed), bias)[0]
            x, shares = layer.rest(x, layer.cross_attention.keys_values(memory))
            looked.append(shares[:, 0])
        return self.out(self.norm(x)), looked

    def step(self, ids: Tensor, positions: Tensor, mask: Tensor, past: list, cross: list) -> tuple[Tensor, list]:
        """One token of each row. `past` are slots of any capacity; `mask` says which of them a row has written."""
        x = self.tokens(ids) + self.positions(positions)
        bias = ((1 - mask[:, None, None, :]) * -1e4).to(x.dtype)
        present = []
        for layer, (keys, values), over in zip(self.layers, past, cross):
            normed = layer.self_norm(x)
            key, value = layer.self_attention.keys_values(normed)
            whole = torch.cat([keys, key], 2), torch.cat([values, value], 2)
            x = x + layer.self_attention(normed, *whole, bias)[0]
            x, _ = layer.rest(x, over)
            present.append((key, value))
        return self.out(self.norm(x)), present


class Diagram(nn.Module):
    def __init__(self, canvas: Canvas):
        super().__init__()
        self.canvas = canvas
        self.encoder, self.decoder = Encoder(canvas), Decoder()

    def forward(self, pixels: Tensor, ids: Tensor) -> tuple[Tensor, list[Tensor], Tensor, Tensor]:
        memory, reading = self.encoder(pixels)
        logits, looked = self.decoder(ids, memory)
        return logits, looked, reading, self.encoder.order(memory)

    def on(self, canvas: Canvas) -> "Diagram":
        """The same weights for another canvas: only what belongs to places is stretched."""
        other, state, own = Diagram(canvas), self.state_dict(), self.encoder
        for name, columns in (("encoder.place", own.columns), ("encoder.coarse_place", own.columns // 2)):
            grid = state[name].transpose(1, 2).reshape(1, D_MODEL, own.rows, columns)
            size = (other.encoder.rows, other.encoder.columns * columns // own.columns)
            stretched = F.interpolate(grid, size, mode="bicubic", align_corners=False)
            state[name] = stretched.flatten(2).transpose(1, 2)
        other.load_state_dict(state)
        return other
