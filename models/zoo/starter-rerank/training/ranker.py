"""Owns the network: how much a document answers a query, from both in one sequence.

The encoder of starter-embed reads query and document, each by itself. What the score rests on is what a query's token
meets in the document: the very same piece (counted as BM25 does, with learned weights), or one of like meaning
(soft counts at several degrees of likeness, as in K-NRM), and how near the two texts are as wholes.
"""
import where  # noqa: F401  first: it says where the modules below are

import torch
from torch import Tensor, nn
from torch.nn import functional

from model import Encoder

SPECIAL_PIECES = 4
# Tokens of a query that are looked for in the document; the rest still counts in the likeness of the whole texts.
ASKED_MAX = 64
# Degrees of likeness of two tokens, and how sharply each is told from the next.
DEGREES, SHARPNESS = (0.95, 0.8, 0.65, 0.5, 0.35, 0.2), 0.1
FEATURES = 2 * len(DEGREES) + 2 + 5
INNER = 24


def head_of(states: Tensor) -> Tensor:
    """The first tokens, where the query stands. Padded first, so that the cut is right for a sequence of any length."""
    return functional.pad(states, (0, 0, 0, ASKED_MAX))[:, :ASKED_MAX]


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum(1) / weights.sum(1).clamp(min=1e-6)


class Ranker(nn.Module):
    def __init__(self, pieces: int):
        super().__init__()
        self.encoder = Encoder(pieces)
        # How much a piece matters where it stands in a query: starts as its rarity.
        self.salience = nn.Embedding(pieces, 1)
        self.saturation = nn.Parameter(torch.tensor([0.2, 0.0]))
        self.spread = nn.BatchNorm1d(FEATURES, affine=False)
        self.inner, self.outer, self.straight = nn.Linear(FEATURES, INNER), nn.Linear(INNER, 1), nn.Linear(FEATURES, 1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        features = self.spread(self.features(input_ids, attention_mask, token_type_ids))
        return self.straight(features) + self.outer(functional.gelu(self.inner(features)))

    def features(self, ids: Tensor, mask: Tensor, types: Tensor) -> Tensor:
        together = (types.unsqueeze(1) == types.unsqueeze(2)) & (mask.unsqueeze(1) > 0)
        hidden = self.encoder.encode(ids, mask, together).float()
        words = (ids >= SPECIAL_PIECES) & (mask > 0)
        asked, given = ((words & (types == side)).float() for side in (0, 1))
        weights = head_of(functional.softplus(self.salience(ids)) * asked.unsqueeze(2)).squeeze(2)
        alike = [functional.normalize(states, dim=2) for states in (self.encoder.tokens(ids).float(), hidden)]
        soft = [self.soft_counts(head_of(states) @ states.transpose(1, 2), weights, given) for states in alike]
        exact = self.exact_counts(head_of(ids.unsqueeze(2)) == ids.unsqueeze(1), weights, given)
        return torch.cat([*soft, exact, self.whole(hidden, asked, given)], 1)

    def soft_counts(self, likeness: Tensor, weights: Tensor, given: Tensor) -> Tensor:
        """For each degree, how many tokens of the document are that like a token of the query; and the best likeness."""
        there = given.unsqueeze(1)
        # One degree after another: all at once would hold six tables of query by document for every pair of a batch.
        counts = [(torch.exp(-((likeness - degree) / SHARPNESS).square() / 2) * there).sum(2) for degree in DEGREES]
        best = (likeness + (there - 1) * 4).amax(2)
        return torch.stack([weighted_mean(values, weights) for values in (*map(torch.log1p, counts), best)], 1)

    def exact_counts(self, same: Tensor, weights: Tensor, given: Tensor) -> Tensor:
        times = (same.float() * given.unsqueeze(1)).sum(2)
        length = torch.log1p(given.sum(1, keepdim=True))
        half = torch.exp(self.saturation[0] + self.saturation[1] * (length - 4))
        met = (times > 0).float()
        return torch.stack([weighted_mean(times / (times + half), weights), weighted_mean(met, weights),
                            weighted_mean(met, (weights > 0).float()), length.squeeze(1) / 5], 1)

    def whole(self, hidden: Tensor, asked: Tensor, given: Tensor) -> Tensor:
        sums = [(hidden * side.unsqueeze(2)).sum(1) for side in (asked, given)]
        return functional.cosine_similarity(*sums, dim=1).unsqueeze(1)
