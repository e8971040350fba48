"""Makes the tiny encoder-decoder of the tests, random weights, in every layout that decoding knows:

    python models/generation/testing/make_tiny.py models/generation/testing/tiny

It reads pictures of any size in patches of 8 x 8 and writes words w0 to w20. `stock/` is a folder in Hub layout, its
graphs as Optimum exports them (encoder, first decoder, decoder with past, both merged); `slots/` has the same weights as
our export for continuous batching. Needs torch, onnx and optimum-onnx.
"""

import json
import sys
from pathlib import Path

import onnx
import torch
from optimum.onnx import merge_decoders
from torch import nn

LAYERS, WIDTH, HEADS, WORDS, POSITIONS, PATCH = 2, 16, 2, 24, 64, 8
SIZE = WIDTH // HEADS


def split_heads(x):
    return x.view(x.shape[0], -1, HEADS, SIZE).transpose(1, 2)


def attend(query, key, value, mask=None):
    scores = query @ key.transpose(2, 3) / SIZE**0.5
    if mask is not None:
        scores = scores.masked_fill(mask == 0, -1e9)
    mixed = scores.softmax(-1) @ value
    return mixed.transpose(1, 2).reshape(query.shape[0], -1, WIDTH)


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        for name in ("q", "k", "v", "o", "cross_q", "cross_k", "cross_v", "cross_o"):
            setattr(self, name, nn.Linear(WIDTH, WIDTH))
        self.up, self.down = nn.Linear(WIDTH, 2 * WIDTH), nn.Linear(2 * WIDTH, WIDTH)
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(3))

    def cross(self, states):
        return split_heads(self.cross_k(states)), split_heads(self.cross_v(states))

    def forward(self, x, past, cross, mask, cross_mask=None):
        y = self.norms[0](x)
        key, value = split_heads(self.k(y)), split_heads(self.v(y))
        keys = torch.cat([past[0], key], 2) if past else key
        values = torch.cat([past[1], value], 2) if past else value
        x = x + self.o(attend(split_heads(self.q(y)), keys, values, mask))
        y = self.norms[1](x)
        x = x + self.cross_o(attend(split_heads(self.cross_q(y)), *cross, cross_mask))
        x = x + self.down(torch.relu(self.up(self.norms[2](x))))
        return x, (keys, values), (key, value)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(WORDS, WIDTH), nn.Embedding(POSITIONS, WIDTH)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, WORDS)

    def run(self, ids, positions, pasts, crosses, mask, cross_mask=None):
        x = self.words(ids) + self.places(positions)
        presents = []
        for layer, past, cross in zip(self.layers, pasts, crosses, strict=True):
            x, whole, column = layer(x, past, cross, mask, cross_mask)
            presents.append((whole, column))
        return self.head(self.norm(x)), presents


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.lift, self.mix = nn.Conv2d(3, WIDTH, PATCH, PATCH), nn.Linear(WIDTH, WIDTH)

    def forward(self, pixel_values):
        return self.mix(torch.tanh(self.lift(pixel_values).flatten(2).transpose(1, 2) / PATCH))


class First(nn.Module):
    def __init__(self, decoder):
        super().__init__()
        self.decoder = decoder

    def forward(self, input_ids, encoder_hidden_states):
        length = input_ids.shape[1]
        positions = torch.arange(length)[None]
        mask = torch.ones(length, length, dtype=torch.int64).tril()
        crosses = [layer.cross(encoder_hidden_states) for layer in self.decoder.layers]
        logits, presents = self.decoder.run(input_ids, positions, [None] * LAYERS, crosses, mask)
        kept = [(*whole, *cross) for (whole, _), cross in zip(presents, crosses, strict=True)]
        return (logits, *[tensor for layer in kept for tensor in layer])


class Further(nn.Module):
    def __init__(self, decoder):
        super().__init__()
        self.decoder = decoder

    def forward(self, input_ids, *past):
        pasts = [past[4 * i : 4 * i + 2] for i in range(LAYERS)]
        crosses = [past[4 * i + 2 : 4 * i + 4] for i in range(LAYERS)]
        positions = torch.arange(1)[None] + past[0].shape[2]
        logits, presents = self.decoder.run(input_ids, positions, pasts, crosses, None)
        return (logits, *[tensor for whole, _ in presents for tensor in whole])


class Slots(nn.Module):
    def __init__(self, decoder):
        super().__init__()
        self.decoder = decoder

    def forward(self, input_ids, position_ids, attention_mask, cross_mask, *tensors):
        pasts = [tensors[4 * i : 4 * i + 2] for i in range(LAYERS)]
        crosses = [tensors[4 * i + 2 : 4 * i + 4] for i in range(LAYERS)]
        masks = attention_mask[:, None, None, :], cross_mask[:, None, None, :]
        logits, presents = self.decoder.run(input_ids, position_ids, pasts, crosses, *masks)
        return (logits, *[tensor for _, column in presents for tensor in column])


class SlotEncoder(nn.Module):
    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, pixel_values):
        states = self.encoder(pixel_values)
        return tuple(tensor for layer in self.decoder.layers for tensor in layer.cross(states))


def export(model, tensors, path, inputs, outputs, axes):
    named = {name: axes[name.split(".")[0]] for name in (*inputs, *outputs)}
    torch.onnx.export(model, tensors, str(path), input_names=inputs, output_names=outputs, dynamic_axes=named,
                      opset_version=17, dynamo=False)


def write_words(folder):
    """Everything of the Hub layout but the graphs."""
    ids = {"pad_token_id": 0, "decoder_start_token_id": 1, "eos_token_id": 2}
    config = {"architectures": ["VisionEncoderDecoderModel"], "model_type": "vision-encoder-decoder",
              "encoder": {"model_type": "vit", "image_size": 16},
              "decoder": {"model_type": "trocr", "max_position_embeddings": POSITIONS, "max_length": 20}, **ids}
    space = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}
    special = ["<pad>", "<s>", "</s>"]
    words = special + [f"\u2581w{i}" for i in range(WORDS - len(special))]
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "normalizer": None, "post_processor": None,
        "added_tokens": [{"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False,
                          "normalized": False, "special": True} for i, token in enumerate(special)],
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, space]},
        "decoder": space,
        "model": {"type": "WordLevel", "vocab": {word: i for i, word in enumerate(words)}, "unk_token": "<pad>"},
    }
    files = {
        "config.json": config, "generation_config.json": {**ids, "max_length": 41}, "tokenizer.json": tokenizer,
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast"},
        "preprocessor_config.json": {"image_processor_type": "ViTImageProcessor", "size": {"height": 16, "width": 16}},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=1) + "\n")


def names(prefix, kinds):
    return [f"{prefix}.{i}.{kind}" for i in range(LAYERS) for kind in kinds]


def main(folder: Path):
    torch.manual_seed(0)
    encoder, decoder = Encoder().eval(), Decoder().eval()
    for parameter in [*encoder.parameters(), *decoder.parameters()]:
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=0.7)  # Far from flat: rows differ, and stop at different lengths.
    decoder.head.bias[2] -= 0.5  # The stop token: lengths from a few words to the longest.
    stock, slots = folder / "stock" / "onnx", folder / "slots" / "onnx"
    for path in (stock, slots):
        path.mkdir(parents=True, exist_ok=True)
    axes = {
        "pixel_values": {0: "batch", 2: "height", 3: "width"}, "last_hidden_state": {0: "batch", 1: "length"},
        "input_ids": {0: "batch", 1: "fed"}, "encoder_hidden_states": {0: "batch", 1: "length"},
        "logits": {0: "batch", 1: "fed"}, "past_key_values": {0: "batch", 2: "past"}, "present": {0: "batch", 2: "now"},
        "position_ids": {0: "batch"}, "attention_mask": {0: "batch", 1: "columns"},
        "cross_mask": {0: "batch", 1: "length"}, "past": {0: "batch", 2: "capacity"}, "cross": {0: "batch", 2: "length"},
    }
    cached = ("decoder.key", "decoder.value", "encoder.key", "encoder.value")
    image, ids = torch.randn(2, 3, PATCH, 5 * PATCH), torch.ones(2, 3, dtype=torch.int64)
    states = encoder(image)
    export(encoder, (image,), stock / "encoder_model.onnx", ["pixel_values"], ["last_hidden_state"], axes)
    first = First(decoder)
    export(first, (ids, states), stock / "decoder_model.onnx", ["input_ids", "encoder_hidden_states"],
           ["logits", *names("present", cached)], axes)
    past = first(ids, states)[1:]
    export(Further(decoder), (ids[:, :1], *past), stock / "decoder_with_past_model.onnx",
           ["input_ids", *names("past_key_values", cached)], ["logits", *names("present", cached[:2])], axes)
    merge_decoders(stock / "decoder_model.onnx", stock / "decoder_with_past_model.onnx",
                   save_path=stock / "decoder_model_merged.onnx", strict=False)
    cross = SlotEncoder(encoder, decoder)
    export(cross, (image,), slots / "encoder_model.onnx", ["pixel_values"], names("cross", ("key", "value")), axes)
    columns = torch.zeros(2, HEADS, 4, SIZE)
    tensors = [tensor for i in range(LAYERS) for tensor in (columns, columns, *cross(image)[2 * i : 2 * i + 2])]
    slot_inputs = [name for i in range(LAYERS)
                   for name in (f"past.{i}.key", f"past.{i}.value", f"cross.{i}.key", f"cross.{i}.value")]
    ones = torch.ones(2, 5, dtype=torch.int64)
    position = torch.zeros(2, 1, dtype=torch.int64)
    axes |= {"present": {0: "batch"}, "logits": {0: "batch"}, "input_ids": {0: "batch"}}
    export(Slots(decoder), (ids[:, :1], position, ones, ones, *tensors), slots / "decoder_slots_model.onnx",
           ["input_ids", "position_ids", "attention_mask", "cross_mask", *slot_inputs],
           ["logits", *names("present", ("key", "value"))], axes)
    for path in (stock.parent, slots.parent):
        write_words(path)
    for path in sorted(folder.rglob("*.onnx")):
        onnx.checker.check_model(str(path))
        print(path.relative_to(folder), path.stat().st_size)


if __name__ == "__main__":
    with torch.no_grad():
        main(Path(sys.argv[1]))
