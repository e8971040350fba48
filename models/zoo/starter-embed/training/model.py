"""Owns the network: a table of token vectors, and small blocks that let a token see its neighbours and its sentence.

A block ends in weights that start at zero: the untrained network is the plain mean of its token vectors, and the
blocks only add what that mean gets wrong. Order comes from a convolution over three tokens, so there are no positions
and no length that training did not see.
"""
import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTH, BLOCKS, HEADS, INNER = 192, 2, 4, 384
KERNEL = 3
# Added to the score of a token that is not to be seen: its share of attention is exactly 0.
HIDDEN = -1e9


class Neighbours(nn.Module):
    """Each token with the one before and the one after, weighted by channel."""

    def __init__(self):
        super().__init__()
        self.taps = nn.Parameter(torch.zeros(KERNEL, WIDTH))
        self.mix = nn.Linear(WIDTH, WIDTH)
        nn.init.normal_(self.taps, std=0.5)
        nn.init.zeros_(self.mix.weight)
        nn.init.zeros_(self.mix.bias)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        hidden = hidden * mask
        padded = functional.pad(hidden, (0, 0, 1, 1))
        length = hidden.shape[1]
        shifted = (padded[:, :length], hidden, padded[:, 2:])
        return self.mix(functional.gelu(sum(part * tap for part, tap in zip(shifted, self.taps))))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.ask, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, hidden: Tensor, bias: Tensor) -> Tensor:
        heads = lambda states: states.unflatten(2, (HEADS, WIDTH // HEADS)).transpose(1, 2)
        ask, key, value = (heads(layer(hidden)) for layer in (self.ask, self.key, self.value))
        scores = ask @ key.transpose(2, 3) / (WIDTH // HEADS) ** 0.5 + bias
        return self.out((scores.softmax(3) @ value).transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(3))
        self.neighbours, self.attention = Neighbours(), Attention()
        self.inner, self.outer = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, hidden: Tensor, mask: Tensor, bias: Tensor) -> Tensor:
        hidden = hidden + self.neighbours(self.norms[0](hidden), mask)
        hidden = hidden + self.attention(self.norms[1](hidden), bias)
        return hidden + self.outer(functional.gelu(self.inner(self.norms[2](hidden))))


class Encoder(nn.Module):
    def __init__(self, pieces: int):
        super().__init__()
        self.tokens = nn.Embedding(pieces, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Every token sees every token."""
        return self.encode(input_ids, attention_mask, attention_mask.unsqueeze(1))

    def encode(self, input_ids: Tensor, attention_mask: Tensor, sees: Tensor) -> Tensor:
        """`sees` is [batch, token or 1, token]: which tokens a token attends to."""
        hidden = self.tokens(input_ids)
        mask = attention_mask.unsqueeze(2).to(hidden.dtype)
        bias = ((1 - sees.to(hidden.dtype)) * HIDDEN).unsqueeze(1)
        for block in self.blocks:
            hidden = block(hidden, mask, bias)
        return hidden


def sentence_vectors(encoder: Encoder, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
    """The mean of the tokens, as 1_Pooling says; not yet of unit length."""
    mask = attention_mask.unsqueeze(2).float()
    return (encoder(input_ids, attention_mask).float() * mask).sum(1) / mask.sum(1)
