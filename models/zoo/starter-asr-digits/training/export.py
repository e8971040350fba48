"""Owns the shipped files: ONNX graph, configuration and tokeniser in the Hub layout of a Wav2Vec2ForCTC.

Writes one version folder from trained weights and checks the graph against PyTorch before it
returns. Knows nothing of data or accuracy.
"""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from model import BLANK, CHANNELS, CONV_KERNEL, CONV_STRIDE, MEL_BANDS, RATE, VOCAB, DigitRecogniser, Head

OPSET = 18  # the lowest that PyTorch's exporter writes without converting; ONNX Runtime has it since 1.14
IR_VERSION = 9


def export(weights: Path, folder: Path) -> Path:
    head = Head()
    head.load_state_dict(torch.load(weights))
    model = DigitRecogniser(head).eval()
    path = folder / "onnx" / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_graph(model, path)
    for name, content in configuration().items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")
    assert_same_as_torch(model, path)
    return path


def write_graph(model: DigitRecogniser, path: Path) -> None:
    batch, samples = torch.export.Dim("batch", min=1, max=4096), torch.export.Dim("samples", min=1040, max=960_000)
    shape = {0: batch, 1: samples}
    program = torch.onnx.export(
        model,
        (torch.zeros(2, 16_000), torch.ones(2, 16_000, dtype=torch.int64)),
        input_names=["input_values", "attention_mask"],
        output_names=["logits"],
        dynamic_shapes=(shape, shape),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    graph = program.model_proto
    graph.ir_version = IR_VERSION
    # Names and doc strings of the exporter hold paths of the machine that ran it; nothing reads them.
    for node in graph.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in [*graph.graph.value_info, *graph.graph.input, *graph.graph.output]:
        del value.metadata_props[:]
    del graph.graph.value_info[:]
    graph.graph.output[0].type.tensor_type.shape.dim[1].dim_param = "frames"
    onnx.checker.check_model(graph)
    path.write_bytes(graph.SerializeToString(deterministic=True))


def assert_same_as_torch(model: DigitRecogniser, path: Path) -> None:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    wave = np.random.default_rng(0).standard_normal((3, 23_456)).astype(np.float32)
    mask = (np.arange(23_456) < np.array([[23_456], [9_000], [720]])).astype(np.int64)
    wave *= mask
    (found,) = session.run(["logits"], {"input_values": wave, "attention_mask": mask})
    with torch.no_grad():
        expected = model(torch.from_numpy(wave), torch.from_numpy(mask)).numpy()
    difference = float(np.abs(found - expected).max())
    if found.shape != expected.shape or difference > 1e-3:
        raise SystemExit(f"The graph differs from PyTorch by {difference}, shapes {found.shape}, {expected.shape}.")


def configuration() -> dict[str, object]:
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    vocab = {token: index for index, token in enumerate(VOCAB)}
    return {
        "config.json": {
            "model_type": "wav2vec2",
            "architectures": ["Wav2Vec2ForCTC"],
            "vocab_size": len(VOCAB),
            "pad_token_id": BLANK,
            "bos_token_id": vocab["<s>"],
            "eos_token_id": vocab["</s>"],
            "hidden_size": CHANNELS,
            "feat_extract_norm": "layer",
            "conv_dim": [MEL_BANDS, CHANNELS],
            "conv_kernel": CONV_KERNEL,
            "conv_stride": CONV_STRIDE,
            "num_feat_extract_layers": len(CONV_KERNEL),
        },
        "preprocessor_config.json": {
            "feature_extractor_type": "Wav2Vec2FeatureExtractor",
            "processor_class": "Wav2Vec2Processor",
            "feature_size": 1,
            "sampling_rate": RATE,
            "do_normalize": True,
            "padding_side": "right",
            "padding_value": 0.0,
            "return_attention_mask": True,
        },
        "vocab.json": vocab,
        "special_tokens_map.json": special,
        "tokenizer_config.json": {
            "tokenizer_class": "Wav2Vec2CTCTokenizer",
            "processor_class": "Wav2Vec2Processor",
            **special,
            "word_delimiter_token": "|",
            "replace_word_delimiter_char": " ",
            "do_lower_case": False,
            "clean_up_tokenization_spaces": False,
        },
        "tokenizer.json": {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [
                {"id": vocab[token], "content": token, "single_word": False, "lstrip": False, "rstrip": False}
                # Not special: a decoder told to skip special tokens would drop the blank between the e's of "three".
                | {"normalized": False, "special": token != "<pad>"}
                for token in VOCAB
                if token.startswith("<")
            ],
            "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "|"},
            "pre_tokenizer": {"type": "Split", "pattern": {"Regex": ""}, "behavior": "Isolated", "invert": False},
            "post_processor": None,
            "decoder": {"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": True},
            "model": {"vocab": vocab},
        },
    }
