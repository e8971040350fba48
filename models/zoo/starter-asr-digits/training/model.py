"""Owns the network: log-mel front end, the head on the speech embedding, word logits, and their spelling.

The only place that knows the frame arithmetic: frames are counted as if by two unpadded
convolutions, kernel 400 stride 160 (10 ms) and kernel 3 stride 2 (20 ms), exactly as
`_get_feat_extract_output_lengths` counts them. Beyond an utterance's last frame the embedding
sees the floor and the head zeros, so batch-mates and padding cannot change a result.

Training is CTC over the ten words; the exported graph spells each word into characters around
the frame that found it. Trained on characters directly, the network wrote half-words whenever it
hesitated between two digits ("tero", "twve"): most errors of the first trial, in which 71 % of an
unseen speaker's digits came out right. The first trial on words, as long, reached 86 %.
"""

import math

import torch
from torch import nn

from embedding import TAP_WIDTHS, pretrained_embedding

RATE = 16_000
CONV_KERNEL, CONV_STRIDE = [400, 3], [160, 2]
FRAME_SAMPLES, FRAME_HOP = 720, 320  # what one output frame sees of the wave, and its step
# The embedding's own bands. They end below 4 kHz: 8 kHz telephone audio and full-band audio look the same to it.
MEL_BANDS, MEL_LOW_HZ, MEL_HIGH_HZ = 32, 60.0, 3800.0
BINS, BIN_HZ = 122, RATE / 512  # up to the end of the last band
POWER_FLOOR = 1e-4  # 40 dB below the speech
LEAST = 1e-6  # keeps silence from dividing by 0
# The embedding takes log10 of the band power of 16-bit samples, plus 2. There, 9.5 is speech at -32 dB of full scale.
LOUDNESS = 9.5
FLOOR = math.log10(POWER_FLOOR) + LOUDNESS
CHANNELS, BLOCKS, KERNEL = 128, 2, 7  # the embedding sees 0.78 s; the blocks add 0.12 s on either side

WORDS = "zero one two three four five six seven eight nine".split()
VOCAB = ["<pad>", "<s>", "</s>", "<unk>", "|", *sorted(set("".join(WORDS)))]
BLANK = 0
NEVER = -20.0  # log odds of what is not there
# Word delimiter first, three frames before the word's own frame; a blank keeps "ee" from collapsing to "e".
SPELLING = [["|", *("<pad>" if c == "_" else c for c in word.replace("ee", "e_e"))] for word in WORDS]
BEFORE, AFTER = 3, 3


def output_length(samples: torch.Tensor | int):
    for kernel, stride in zip(CONV_KERNEL, CONV_STRIDE, strict=True):
        samples = (samples - kernel) // stride + 1
    return samples


def mel_matrix(warp: float = 1.0) -> torch.Tensor:
    """Slaney's bands of equal area over the DFT bins; `warp` stretches the frequency axis, as another vocal tract does."""
    # Linear to 1 kHz (mel 15), then 27 mels for each factor of 6.4.
    to_hertz = lambda mel: torch.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((mel - 15) / 27))
    low, high = MEL_LOW_HZ * 3 / 200, 15 + 27 * math.log(MEL_HIGH_HZ / 1000, 6.4)
    edges = to_hertz(torch.linspace(low, high, MEL_BANDS + 2)) * warp
    hertz = torch.arange(1, BINS + 1)[:, None] * BIN_HZ
    rising = (hertz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hertz) / (edges[2:] - edges[1:-1])
    return torch.minimum(rising, falling).clamp(min=0) * 2 / (edges[2:] - edges[:-2])


class FrontEnd(nn.Module):
    """Wave to the log-mel frames that the speech embedding knows, by fixed weights: windowed DFT, then the mel matrix."""

    def __init__(self):
        super().__init__()
        angle = 2 * math.pi * BIN_HZ / RATE * torch.arange(1, BINS + 1)[:, None] * torch.arange(400)
        basis = torch.cat([torch.cos(angle), torch.sin(angle)]) * torch.hann_window(400)
        self.register_buffer("basis", basis[:, None, :], persistent=False)
        self.register_buffer("mel", mel_matrix(), persistent=False)

    def forward(self, wave: torch.Tensor, samples: torch.Tensor, mel: torch.Tensor | None = None) -> torch.Tensor:
        spectrum = nn.functional.conv1d(wave[:, None, :], self.basis, stride=160)
        real, imaginary = spectrum.split(BINS, dim=1)
        bands = (real * real + imaginary * imaginary).transpose(1, 2) @ (self.mel if mel is None else mel)
        whole = torch.arange(bands.shape[1])[None] * 160 + 400 <= samples[:, None]
        bands = bands * whole[:, :, None]
        # The level of the speech: mean power over whole frames, weighted by power, so that silence does not count.
        # Normalising the wave alone makes tightly cut speech quieter than the rest.
        power = bands.mean(2)
        level = (power * power).sum(1) / (power.sum(1) + LEAST) + LEAST
        return torch.log10(bands / level[:, None, None] + POWER_FLOOR) + LOUDNESS


class Block(nn.Module):
    """Depthwise convolution over time, then a two-layer mix of channels; residual."""

    def __init__(self):
        super().__init__()
        self.depthwise = nn.Conv2d(CHANNELS, CHANNELS, (1, KERNEL), padding=(0, KERNEL // 2), groups=CHANNELS)
        self.norm = nn.LayerNorm(CHANNELS)
        self.widen = nn.Linear(CHANNELS, 2 * CHANNELS)
        self.narrow = nn.Linear(2 * CHANNELS, CHANNELS)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        # [batch, time, channels] seen as a channels-last image of height 1: 1.6 times faster than Conv1d here.
        y = self.depthwise((x * mask).transpose(1, 2).unsqueeze(2)).squeeze(2).transpose(1, 2)
        return x + self.narrow(torch.relu(self.widen(self.norm(y))))


class Speller(nn.Module):
    """Log odds of words to log odds of characters.

    Writes a word once, around the first frame of the run of frames that it wins, as greedy CTC would
    on words. A character is as likely as the likeliest word that would put it there.
    """

    def __init__(self):
        super().__init__()
        shifts, words = BEFORE + 1 + AFTER, len(WORDS)
        never, certain = shifts * words, shifts * words + 1  # two constant columns: NEVER, and 0 for blank
        sources: list[list[int]] = [[] for _ in VOCAB]
        sources[BLANK].append(certain)
        for word, tokens in enumerate(SPELLING):
            for position, token in enumerate(tokens):
                sources[VOCAB.index(token)].append(position * words + word)
        width = max(map(len, sources))
        table = torch.tensor([source + [never] * (width - len(source)) for source in sources])
        self.register_buffer("table", table.flatten(), persistent=False)
        self.width = width

    def forward(self, odds: torch.Tensor) -> torch.Tensor:
        frames = odds.shape[1]
        padded = nn.functional.pad(onsets(odds), (0, 0, AFTER, BEFORE), value=NEVER)
        # Column block p holds the word whose frame lies 3 - p frames later: that frame writes character p here.
        last = BEFORE + AFTER
        columns = [padded[:, last - p : last - p + frames] for p in range(last + 1)]
        constants = torch.tensor([NEVER, 0.0]).expand(odds.shape[0], frames, 2)
        found = torch.cat([*columns, constants], dim=2).index_select(2, self.table)
        return found.unflatten(2, (len(VOCAB), self.width)).amax(3)


def onsets(odds: torch.Tensor) -> torch.Tensor:
    """Above 0 where a word beats blank and all others, and did not one frame earlier. Continuous in `odds`."""
    best = torch.nn.functional.pad(odds, (1, 0)).topk(2, dim=2).values
    # The rival of the best class is the second best; of every other class, the best.
    margin = odds - torch.where(odds == best[:, :, :1], best[:, :, 1:], best[:, :, :1])
    earlier = nn.functional.pad(margin, (0, 0, 1, 0), value=NEVER)[:, :-1]
    return torch.minimum(margin, -earlier).clamp(min=NEVER)


class Head(nn.Module):
    """All that is trained: what the embedding heard, at four depths, to the log odds of each word against blank."""

    def __init__(self):
        super().__init__()
        # Dropout, since one unit of the embedding must not stand for one speaker's word.
        self.taps = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Dropout(0.2), nn.Linear(width, CHANNELS)) for width in TAP_WIDTHS
        )
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(CHANNELS)
        self.words = nn.Linear(CHANNELS, len(WORDS))
        # Most frames are blank: starting there spares the first hundred steps.
        nn.init.constant_(self.words.bias, -3.0)
        # Frames a word needs after its own, to be written out before the utterance ends.
        self.register_buffer("room", torch.tensor([len(s) - 1 - BEFORE for s in SPELLING]), persistent=False)

    def forward(self, heard: list[torch.Tensor], samples: torch.Tensor) -> torch.Tensor:
        x = sum(tap(part) for tap, part in zip(self.taps, heard, strict=True))
        # A frame counts when the last sample it sees is real; the comparison needs no floor division.
        frame = torch.arange(x.shape[1])
        last_sample = frame * FRAME_HOP + FRAME_SAMPLES
        mask = (last_sample[None, :] <= samples[:, None]).to(x.dtype)[:, :, None]
        for block in self.blocks:
            x = block(x, mask)
        needed = last_sample[:, None] + self.room.clamp(min=0) * FRAME_HOP
        # Two frames before hold the first letters; a delimiter lost at the very start costs nothing.
        fits = (needed[None] <= samples[:, None, None]) & (frame[None, :, None] >= BEFORE - 1)
        return torch.where(fits, self.words(self.norm(x)).clamp(min=NEVER), NEVER)


class DigitRecogniser(nn.Module):
    """`input_values`, `attention_mask` [batch, samples] to `logits` [batch, frames, vocab]."""

    def __init__(self, head: Head):
        super().__init__()
        self.front_end, self.embedding, self.head, self.speller = FrontEnd(), pretrained_embedding(), head, Speller()

    def forward(self, input_values: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        samples = attention_mask.sum(1)
        return self.speller(self.word_odds(input_values, samples))

    def word_odds(self, wave: torch.Tensor, samples: torch.Tensor) -> torch.Tensor:
        """Log odds of each word against blank, [batch, frames, words]."""
        return self.head(self.embedding(self.front_end(wave, samples), FLOOR), samples)
