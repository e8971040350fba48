"""Owns the version folder: graph, tokenizer and configuration as a ...ForSequenceClassification, from work/ranker.pt.

    python export_ranker.py
"""
import shutil

from shipped import TOKENS_MAX, VERSION_FOLDER  # first: it says where starter-embed's modules are

import torch

from export import encoder_config, export_graph, write_json, write_tokenizer
from fit import CHECKPOINT, Pairs
from ranker import Ranker
from vocabulary import load


def main():
    ranker = Ranker(load().get_vocab_size())
    ranker.load_state_dict(torch.load(CHECKPOINT))
    shutil.rmtree(VERSION_FOLDER, ignore_errors=True)
    encoded = Pairs(TOKENS_MAX)([("how to sort a list", "Sorting a list puts its entries in order."), ("a", "b c")])
    inputs = dict(zip(("input_ids", "attention_mask", "token_type_ids"), encoded))
    export_graph(ranker, inputs, "logits", VERSION_FOLDER / "onnx" / "model_quantized.onnx")
    write_tokenizer(VERSION_FOLDER, TOKENS_MAX)
    write_json(VERSION_FOLDER / "config.json", {
        **encoder_config("NeighbourRankerForSequenceClassification"), "num_labels": 1, "type_vocab_size": 2,
        "id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}})


if __name__ == "__main__":
    main()
