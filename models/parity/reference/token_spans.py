"""
Writes models/parity/fixtures/token-spans.json: what transformers' TokenClassificationPipeline makes of queries by every
aggregation strategy: with the logits of starter-ner-groceries (its graph runs in ONNX Runtime, all else is transformers'),
and with a sine of the token ids, whose labels are in an order that no trained model would give.

    python models/parity/reference/token_spans.py
"""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import transformers
from transformers.modeling_outputs import TokenClassifierOutput

MODELS = Path(__file__).parents[2]
VERSION = MODELS / "zoo" / "starter-ner-groceries" / "1"
TARGET = MODELS / "parity" / "fixtures" / "token-spans.json"

TEXTS = [
    "молоко простоквашино 3.2% 1л",
    "корм для кошек whiskas 85 г, пиво 0,5",
    "🥛 молоко 👨‍👩‍👧 домик в деревне 930 мл",
    "йогурт чудо клубника 2,5% 🍓🍓 290г",
    "coca cola zero 0,5 и шоколад milka с фундуком",
    "сметаа 20 % 300гр \t кефирр",
    "abracadabracadabra несуществующеесловище 12%",
]
STRATEGIES = ["none", "simple", "first", "average", "max"]


class Graph(transformers.BertPreTrainedModel):
    """Stands where the pipeline expects a PyTorch model."""

    is_sine = False

    def __init__(self, config):
        super().__init__(config)
        self.nothing = torch.nn.Linear(1, 1)
        self.session = onnxruntime.InferenceSession(str(VERSION / "onnx" / "model_quantized.onnx"))

    def forward(self, input_ids, attention_mask, **_):
        if self.is_sine:
            factors = np.arange(1, self.config.num_labels + 1)
            logits = 3 * np.sin(input_ids.numpy()[..., None] * factors)
            return TokenClassifierOutput(logits=torch.from_numpy(logits.astype(np.float32)))
        feeds = {"input_ids": input_ids.numpy(), "attention_mask": attention_mask.numpy()}
        return TokenClassifierOutput(logits=torch.from_numpy(self.session.run(["logits"], feeds)[0]))


def plain(span):
    """Python's numbers, and no `word`: transformers decodes it from tokens, Millrace slices the text."""
    return {
        key: round(float(value), 5) if isinstance(value, (float, np.floating)) else value
        for key, value in span.items()
        if key != "word"
    }


def main():
    tokenizer = transformers.AutoTokenizer.from_pretrained(VERSION)
    model = Graph(transformers.AutoConfig.from_pretrained(VERSION)).eval()
    # The class's name must be one that the pipeline knows.
    Graph.__name__ = "BertForTokenClassification"
    pipe = transformers.pipeline("token-classification", model=model, tokenizer=tokenizer)
    cases = []
    for model.is_sine in (False, True):
        for text in TEXTS:
            for strategy in STRATEGIES:
                spans = [plain(span) for span in pipe(text, aggregation_strategy=strategy)]
                cases.append({"sine": model.is_sine, "text": text, "strategy": strategy, "spans": spans})
    lines = ",\n".join(f"  {json.dumps(case, ensure_ascii=False)}" for case in cases)
    TARGET.write_text(f'{{"transformers": "{transformers.__version__}", "cases": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
