"""Owns the shipped files: two graphs, tokenizer, configuration and image processor in the Hub layout.

encoder_model: pixel_values -> cross.{i}.key, cross.{i}.value for every decoder layer, computed once per picture.
decoder_slots_model: one token of each row; keys and values of the past come in slots of any capacity, with a mask of the
written ones, and only this step's column goes out. Rows of any age share a step: continuous batching.
"""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from model import D_MODEL, FEED_FORWARD, HEAD, HEADS, LAYERS, POSITIONS, Decoder, Diagram, Encoder
from scan import SERVED
from vocabulary import BEGIN, END, PAD, TOKENS, write_tokenizer

OPSET, IR_VERSION = 18, 9
Tensors = dict[str, np.ndarray]


class ServedEncoder(nn.Module):
    def __init__(self, model: Diagram):
        super().__init__()
        self.encoder: Encoder = model.encoder
        self.layers = model.decoder.layers
        self.register_buffer("luma", torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1))

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, ...]:
        memory, _ = self.encoder((pixel_values * self.luma).sum(1, keepdim=True))
        return tuple(t for layer in self.layers for t in layer.cross_attention.keys_values(memory))


class ServedDecoder(nn.Module):
    def __init__(self, model: Diagram):
        super().__init__()
        self.decoder: Decoder = model.decoder

    def forward(
        self, input_ids: Tensor, position_ids: Tensor, attention_mask: Tensor, past: list[Tensor], cross: list[Tensor]
    ) -> tuple[Tensor, ...]:
        pairs = lambda flat: [(flat[2 * i], flat[2 * i + 1]) for i in range(LAYERS)]  # noqa: E731
        logits, present = self.decoder.step(input_ids, position_ids, attention_mask, pairs(past), pairs(cross))
        return (logits, *[t for pair in present for t in pair])


def names(prefix: str) -> list[str]:
    return [f"{prefix}.{layer}.{part}" for layer in range(LAYERS) for part in ("key", "value")]


def export(weights: Path, folder: Path) -> list[Path]:
    model = Diagram(SERVED)
    model.load_state_dict(torch.load(weights)["model"])
    model.eval()
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    paths = [folder / "onnx" / "encoder_model.onnx", folder / "onnx" / "decoder_slots_model.onnx"]
    write_encoder(ServedEncoder(model).eval(), paths[0])
    write_decoder(ServedDecoder(model).eval(), paths[1])
    write_tokenizer(folder)
    for name, content in configuration().items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")
    assert_same_as_torch(model, paths)
    return paths


def write_encoder(served: ServedEncoder, path: Path) -> None:
    batch = torch.export.Dim("batch", min=1, max=4096)
    program = torch.onnx.export(
        served, (torch.zeros(2, 3, SERVED.height, SERVED.width),), input_names=["pixel_values"], output_names=names("cross"),
        dynamic_shapes=({0: batch},), opset_version=OPSET, dynamo=True, verbose=False,
    )  # fmt: skip
    save(program.model_proto, path)


def write_decoder(served: ServedDecoder, path: Path) -> None:
    batch = torch.export.Dim("batch", min=1, max=4096)
    capacity, places = torch.export.Dim("capacity", min=1, max=4096), torch.export.Dim("places", min=1, max=65_536)
    long = lambda width: torch.zeros(2, width, dtype=torch.int64)  # noqa: E731
    slots = [torch.zeros(2, HEADS, 7, HEAD) for _ in names("past")]
    cross = [torch.zeros(2, HEADS, 9, HEAD) for _ in names("cross")]
    program = torch.onnx.export(
        served,
        (long(1), long(1), long(8), slots, cross),
        input_names=["input_ids", "position_ids", "attention_mask", *names("past"), *names("cross")],
        output_names=["logits", *names("present")],
        dynamic_shapes=(
            {0: batch}, {0: batch}, {0: batch, 1: capacity + 1},
            [{0: batch, 2: capacity}] * len(slots), [{0: batch, 2: places}] * len(cross),
        ),
        opset_version=OPSET, dynamo=True, verbose=False,
    )  # fmt: skip
    save(program.model_proto, path)


def save(graph: onnx.ModelProto, path: Path) -> None:
    graph.ir_version = IR_VERSION
    # Names and doc strings of the exporter hold paths of the machine that ran it; nothing reads them.
    for node in graph.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in [*graph.graph.value_info, *graph.graph.input, *graph.graph.output]:
        del value.metadata_props[:]
    del graph.graph.value_info[:]
    onnx.checker.check_model(graph)
    path.write_bytes(graph.SerializeToString(deterministic=True))


def run_slots(session: onnxruntime.InferenceSession, cross: Tensors, ids: np.ndarray, capacity: int) -> np.ndarray:
    """Logits of given tokens, fed one by one through slots."""
    rows, length = ids.shape
    past = {name: np.zeros((rows, HEADS, capacity, HEAD), np.float32) for name in names("past")}
    mask = np.zeros((rows, capacity + 1), np.int64)
    mask[:, -1] = 1
    logits = []
    for at in range(length):
        position = np.full((rows, 1), at, np.int64)
        feeds = {"input_ids": ids[:, at : at + 1], "position_ids": position, "attention_mask": mask, **past, **cross}
        found, *present = session.run(None, feeds)
        logits.append(found)
        for name, column in zip(names("past"), present):
            past[name][:, :, at : at + 1] = column
        mask[:, at] = 1
    return np.concatenate(logits, 1)


def assert_same_as_torch(model: Diagram, paths: list[Path]) -> None:
    """Slots of two capacities, rows alone and together, against whole sequences in PyTorch."""
    encoder, decoder = (onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]) for path in paths)
    noise = np.random.default_rng(0)
    pixels = np.repeat(noise.uniform(-1, 1, (3, 1, SERVED.height, SERVED.width)), 3, 1).astype(np.float32)
    ids = noise.integers(4, len(TOKENS), (3, 20))
    with torch.no_grad():
        expected = model(torch.from_numpy(pixels[:, :1]), torch.from_numpy(ids))[0].numpy()
    cross = dict(zip(names("cross"), encoder.run(None, {"pixel_values": pixels})))
    together = run_slots(decoder, cross, ids, 24)
    alone = []
    for row in range(len(ids)):
        own = dict(zip(names("cross"), encoder.run(None, {"pixel_values": pixels[row : row + 1]})))
        alone.append(run_slots(decoder, own, ids[row : row + 1], 96))
    for name, other in (("PyTorch", expected), ("rows alone in longer slots", np.concatenate(alone))):
        difference = float(np.abs(together - other).max())
        print(f"largest difference from {name}: {difference:.1e}")
        if difference > 1e-3:
            raise SystemExit(f"The graphs differ from {name} by {difference}.")


def configuration() -> dict[str, object]:
    decoder = {
        "model_type": "millrace_diagram_decoder", "vocab_size": len(TOKENS), "hidden_size": D_MODEL,
        "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "intermediate_size": FEED_FORWARD,
        "max_position_embeddings": POSITIONS, "is_decoder": True, "add_cross_attention": True,
    }  # fmt: skip
    special = {"decoder_start_token_id": BEGIN, "bos_token_id": BEGIN, "eos_token_id": END, "pad_token_id": PAD}
    return {
        "config.json": {
            "model_type": "vision-encoder-decoder",
            "architectures": ["VisionEncoderDecoderModel"],
            "is_encoder_decoder": True,
            **special,
            "encoder": {"model_type": "millrace_diagram_encoder", "image_size": [SERVED.height, SERVED.width], "hidden_size": D_MODEL},
            "decoder": decoder,
        },
        "generation_config.json": {**special, "max_new_tokens": POSITIONS - 1, "do_sample": False, "num_beams": 1},
        # Keeps a picture's shape and pads it with black.
        "preprocessor_config.json": {
            "image_processor_type": "DonutImageProcessor",
            "size": {"height": SERVED.height, "width": SERVED.width},
            "do_resize": True, "do_thumbnail": True, "do_align_long_axis": False, "do_pad": True,
            "resample": 2, "do_rescale": True, "rescale_factor": 1 / 255,
            "do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3,
        },
    }  # fmt: skip
