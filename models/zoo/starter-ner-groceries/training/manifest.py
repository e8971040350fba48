"""Writes manifest.yaml: what the loader needs, file sums, and samples the model really answers.

Owns: manifest.yaml. The samples are computed with the shipped ONNX file and the shipped
tokenizer, so they serve as a golden test: after any change here they must be read again.
    python manifest.py
"""
import hashlib
import json

from evaluate import MODEL_FOLDER, VERSION_FOLDER, shipped_tagger
from tokenization import TOKENS_MAX

SAMPLES = ["молоко простоквашино 3.2% 1л", "coca cola zero 0,5", "корм для кошек whiskas 85 г", "шоколад milka с фундуком"]
FILES = ["onnx/model_quantized.onnx", "tokenizer.json", "tokenizer_config.json", "config.json"]

HEAD = f"""\
task: token-classification
default: true
description: Finds TYPE, BRAND, VOLUME and PERCENT in Russian and English grocery queries, misspelt and half-typed ones too
licence: Apache-2.0
version_policy: latest
# int8 weights, fp32 activations: the answer does not depend on the batch.
dtype: q8
# Pieces, [CLS] and [SEP] included; the longest the model was trained on.
limits: {{ text_tokens_max: {TOKENS_MAX} }}
parameters: {{ aggregation_strategy: first }}
# start and end are code points; end is exclusive.
samples:
"""


def quoted(text):
    return json.dumps(text, ensure_ascii=False)


def entity(text, span):
    word = quoted(text[span["start"]:span["end"]])
    return f"{{ entity_group: {span['label']}, word: {word}, start: {span['start']}, end: {span['end']} }}"


def main():
    lines = [HEAD]
    for text, found in zip(SAMPLES, shipped_tagger()(SAMPLES)):
        lines.append(f"  - input: {quoted(text)}\n    expect:\n")
        lines += [f"      - {entity(text, span)}\n" for span in found]
    lines.append("files:\n")
    for name in FILES:
        digest = hashlib.sha256((VERSION_FOLDER / name).read_bytes()).hexdigest()
        lines.append(f"  1/{name}: {{ sha256: {digest} }}\n")
    (MODEL_FOLDER / "manifest.yaml").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
