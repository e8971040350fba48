"""Owns the version folder: graph, tokenizer and configuration in sentence-transformers' layout, from work/model.pt.

    python export.py
"""
import json
import shutil
from pathlib import Path

import torch

from model import BLOCKS, HEADS, INNER, WIDTH, Encoder
from quantize import quantize
from sources import HERE, WORK
from train import CHECKPOINT
from vocabulary import SPECIAL, load

VERSION_FOLDER = HERE.parent / "1"
# Training saw up to 40; longer texts are averages over more of the same. 256 is the teacher's limit.
TOKENS_MAX = 256
LIBRARY = "sentence_transformers.models"


def export_graph(model: torch.nn.Module, inputs: dict[str, torch.Tensor], output: str, target: Path) -> None:
    """Batch and sequence are free; weights int8."""
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("sequence", max=4096)}
    fp32 = WORK / "model.onnx"
    torch.onnx.export(model.eval(), tuple(inputs.values()), str(fp32), input_names=list(inputs), output_names=[output],
                      dynamic_shapes=tuple(axes for _ in inputs), opset_version=18, dynamo=True, external_data=False)
    target.parent.mkdir(parents=True, exist_ok=True)
    quantize(str(fp32), str(target))


def write_json(path: Path, value) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def write_tokenizer(folder: Path, tokens_max: int) -> None:
    tokenizer = load()
    tokenizer.save(str(folder / "tokenizer.json"))
    named = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), SPECIAL))
    write_json(folder / "special_tokens_map.json", named)
    write_json(folder / "tokenizer_config.json",
               {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": tokens_max, **named})


def encoder_config(architecture: str) -> dict:
    return {"architectures": [architecture], "model_type": "neighbour-encoder", "vocab_size": load().get_vocab_size(),
            "hidden_size": WIDTH, "num_hidden_layers": BLOCKS, "num_attention_heads": HEADS,
            "intermediate_size": INNER, "pad_token_id": SPECIAL.index("[PAD]")}


def main():
    encoder = Encoder(load().get_vocab_size())
    encoder.load_state_dict(torch.load(CHECKPOINT))
    shutil.rmtree(VERSION_FOLDER, ignore_errors=True)
    ids = torch.tensor([[2, 50, 60, 3], [2, 50, 3, 0], [2, 70, 3, 0]])
    inputs = {"input_ids": ids, "attention_mask": (ids != 0).long()}
    export_graph(encoder, inputs, "last_hidden_state", VERSION_FOLDER / "onnx" / "model_quantized.onnx")
    write_tokenizer(VERSION_FOLDER, TOKENS_MAX)
    write_json(VERSION_FOLDER / "config.json", encoder_config("NeighbourEncoderModel"))
    write_json(VERSION_FOLDER / "sentence_bert_config.json", {"max_seq_length": TOKENS_MAX, "do_lower_case": False})
    write_json(VERSION_FOLDER / "modules.json", [
        {"idx": 0, "name": "0", "path": "", "type": f"{LIBRARY}.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{LIBRARY}.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": f"{LIBRARY}.Normalize"}])
    write_json(VERSION_FOLDER / "1_Pooling" / "config.json",
               {"word_embedding_dimension": WIDTH, "pooling_mode_mean_tokens": True})


if __name__ == "__main__":
    main()
