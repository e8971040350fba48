"""Owns the int8 form of a graph: large weights are stored as int8 with one scale per row of a table or column of a
product, and multiplied out before use. Activations stay fp32: a scale taken over a batch would let a row's answer move
with its batch-mates.
"""
import numpy as np
import onnx
from onnx import helper, numpy_helper

# Below this a tensor (bias, normalisation) stays fp32: nothing to gain.
QUANTIZED_VALUES_MIN = 4_000


def quantize(source: str, target: str) -> None:
    model = onnx.load(source)
    graph = model.graph
    gathered = {node.input[0] for node in graph.node if node.op_type == "Gather"}
    nodes, initializers = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.ndim != 2 or min(values.shape) < 2 or values.size < QUANTIZED_VALUES_MIN:
            initializers.append(tensor)
            continue
        axis = 0 if tensor.name in gathered else 1
        scale = np.abs(values).max(axis=1 - axis).clip(min=1e-8) / 127
        stored = np.round(values / np.expand_dims(scale, 1 - axis)).astype(np.int8)
        names = [f"{tensor.name}_{part}" for part in ("int8", "scale")]
        initializers += [numpy_helper.from_array(stored, names[0]),
                         numpy_helper.from_array(scale.astype(np.float32), names[1])]
        nodes.append(helper.make_node("DequantizeLinear", names, [tensor.name], axis=axis, name=f"{tensor.name}_dq"))
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(initializers)
    ordered = nodes + list(graph.node)
    for node in ordered:
        del node.metadata_props[:]  # exporter traces: a quarter of the file
    del graph.node[:]
    graph.node.extend(ordered)
    onnx.checker.check_model(model)
    onnx.save(model, target)
