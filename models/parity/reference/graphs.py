"""Graphs of encoder-decoders that optimum has no exporter for, written as it writes those that it has."""

import tempfile
from pathlib import Path

import torch
from optimum.onnx import merge_decoders
from torch import nn
from transformers import DynamicCache, EncoderDecoderCache

KINDS = ("decoder.key", "decoder.value", "encoder.key", "encoder.value")


class CachedDecoder(nn.Module):
    """The first call of a text, without a cache; or a further one, which gives no more of the encoder's part."""

    def __init__(self, call, parts: nn.Module, is_first: bool):
        super().__init__()
        # Held for its weights.
        self.parts, self.call, self.is_first = parts, call, is_first

    def forward(self, fed, encoder_hidden_states, encoder_attention_mask, *past):
        layers = tuple(past[at : at + 4] for at in range(0, len(past), 4))
        cache = EncoderDecoderCache.from_legacy_cache(layers) if past else EncoderDecoderCache(DynamicCache(), DynamicCache())
        logits, cache = self.call(fed, encoder_hidden_states, encoder_attention_mask, cache)
        kept = cache.to_legacy_cache()
        return (logits, *[tensor for layer in kept for tensor in (layer if self.is_first else layer[:2])])


def write_merged(call, parts: nn.Module, fed: torch.Tensor, states: torch.Tensor, layers: int, fed_name: str, folder: Path) -> None:
    """decoder_model_merged.onnx. `call`: fed tokens, the encoder's states, their mask, a cache -> logits and the cache."""
    mask = torch.ones(states.shape[:2], dtype=torch.int64)
    named = lambda prefix, kinds: [f"{prefix}.{layer}.{kind}" for layer in range(layers) for kind in kinds]
    inputs = [fed_name, "encoder_hidden_states", "encoder_attention_mask"]
    with tempfile.TemporaryDirectory() as scratch:
        first, further = (Path(scratch) / f"{name}.onnx" for name in ("first", "further"))
        start = (fed, states, mask)
        write(CachedDecoder(call, parts, True), start, first, inputs, ["logits", *named("present", KINDS)])
        then = (fed[:, :1], states, mask, *CachedDecoder(call, parts, True)(*start)[1:])
        own, given = [*inputs, *named("past_key_values", KINDS)], ["logits", *named("present", KINDS[:2])]
        write(CachedDecoder(call, parts, False), then, further, own, given)
        merge_decoders(first, further, save_path=folder / "decoder_model_merged.onnx", strict=False)


def write(module, tensors, path: Path, inputs: list[str], outputs: list[str]) -> None:
    axes = {port: _axes(port) for port in (*inputs, *outputs)}
    # The exporter puts a module back into the mode it found: a wrapper in training would take its parts with it.
    torch.onnx.export(
        module.eval(), tensors, str(path), input_names=inputs, output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False
    )


def _axes(port: str) -> dict[int, str]:
    if port.startswith(("past_key_values", "present")):
        return {0: "batch", 2: "encoded" if ".encoder." in port else port.split(".")[0]}
    return {0: "batch"} if port in ("pixel_values", "image_features") else {0: "batch", 1: f"{port}_length"}
