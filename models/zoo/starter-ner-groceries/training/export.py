"""Turns work/model.pt into the version folder: config, tokenizer and ONNX file.

Owns: the ONNX graph, and its weight-only int8 form. Weights are
stored as int8 with one scale per output column and multiplied out before use; activations
stay fp32. Dynamic quantisation would be smaller work for the processor but takes one scale
over a whole batch, so a row's answer would move with its batch-mates.
    python export.py
"""
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from tokenization import load_vocabulary, save_tokenizer
from train import CHECKPOINT, build_model

VERSION_FOLDER = Path(__file__).parent.parent / "1"
FP32_FILE = CHECKPOINT.parent / "model.onnx"
# Below this a tensor (bias, normalisation, classifier) stays fp32: nothing to gain.
QUANTIZED_VALUES_MIN = 10_000


class Logits(torch.nn.Module):
    """The tagger with plain inputs and one plain output; segment ids are always zero."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids=input_ids, attention_mask=attention_mask).logits


def export_fp32(model):
    ids = torch.tensor([[2, 5, 6, 3], [2, 5, 3, 0], [2, 7, 3, 0]])
    batch, sequence = torch.export.Dim("batch"), torch.export.Dim("sequence", max=128)
    axes = {0: batch, 1: sequence}
    torch.onnx.export(
        Logits(model).eval(), (ids, (ids != 0).long()), str(FP32_FILE), input_names=["input_ids", "attention_mask"],
        output_names=["logits"], dynamic_shapes={"input_ids": axes, "attention_mask": axes},
        opset_version=18, dynamo=True, external_data=False)


def quantize_weights(source, target):
    """Replaces each large fp32 weight by int8 values, per-column scales and a DequantizeLinear."""
    model = onnx.load(source)
    graph = model.graph
    gathered = {node.input[0] for node in graph.node if node.op_type == "Gather"}
    nodes, initializers = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.ndim != 2 or values.size < QUANTIZED_VALUES_MIN:
            initializers.append(tensor)
            continue
        axis = 0 if tensor.name in gathered else 1  # one scale per embedding row, or per output of a product
        scale = np.abs(values).max(axis=1 - axis).clip(min=1e-8) / 127
        stored = np.round(values / np.expand_dims(scale, 1 - axis)).astype(np.int8)
        names = [f"{tensor.name}_{part}" for part in ("int8", "scale")]
        initializers += [numpy_helper.from_array(stored, names[0]),
                         numpy_helper.from_array(scale.astype(np.float32), names[1])]
        nodes.append(helper.make_node("DequantizeLinear", names, [tensor.name], axis=axis, name=f"{tensor.name}_dq"))
    del graph.initializer[:]
    graph.initializer.extend(initializers)
    del graph.value_info[:]
    ordered = nodes + list(graph.node)
    for node in ordered:
        del node.metadata_props[:]  # exporter traces: a quarter of the file
    del graph.node[:]
    graph.node.extend(ordered)
    for tensor in graph.input:
        assert tensor.type.tensor_type.elem_type == TensorProto.INT64
    onnx.checker.check_model(model)
    onnx.save(model, target)


def main():
    vocabulary = load_vocabulary()
    model = build_model(len(vocabulary)).eval()
    model.load_state_dict(torch.load(CHECKPOINT))
    shutil.rmtree(VERSION_FOLDER, ignore_errors=True)
    (VERSION_FOLDER / "onnx").mkdir(parents=True)
    config = {**model.config.to_diff_dict(), "architectures": ["BertForTokenClassification"]}
    (VERSION_FOLDER / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    save_tokenizer(VERSION_FOLDER, vocabulary)
    export_fp32(model)
    quantize_weights(FP32_FILE, VERSION_FOLDER / "onnx" / "model_quantized.onnx")


if __name__ == "__main__":
    main()
