"""
BLIP that describes pictures, with random weights: its eyes as encoder_model, its writer as decoder_model_merged. optimum has no
exporter for it.
"""

from pathlib import Path

import torch
import transformers
from torch import nn

import graphs
import vocabularies

PROMPTS = [None, "a part of"]


def build(small: bool) -> tuple:
    """blip-image-captioning-base: ViT-B/16 sees 384 x 384, a BERT of 12 layers writes."""
    tokenizer = vocabularies.bert(200 if small else 2000, lowercase=True)
    start = "[DEC]"
    tokenizer.add_special_tokens({"bos_token": start})
    ids = dict(bos_token_id=tokenizer.bos_token_id, eos_token_id=2, sep_token_id=tokenizer.sep_token_id, pad_token_id=tokenizer.pad_token_id)
    shape = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, initializer_range=0.4)
    base = dict(hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=3072, initializer_range=0.05)
    size = shape if small else base
    side = 32 if small else 384
    text = dict(
        vocab_size=len(tokenizer), max_position_embeddings=64 if small else 512, encoder_hidden_size=size["hidden_size"],
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **size, **ids,
    )
    vision = dict(image_size=side, patch_size=8 if small else 16, **size)
    config = transformers.BlipConfig(text_config=text, vision_config=vision, projection_dim=16)
    model = transformers.BlipForConditionalGeneration(config)
    processor = transformers.BlipImageProcessor(size={"height": side, "width": side})
    return model, processor, tokenizer


class Eyes(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.eyes = model.vision_model

    def forward(self, pixel_values):
        return self.eyes(pixel_values=pixel_values).last_hidden_state


def export(model, folder: Path) -> None:
    text, side = model.config.text_config, model.config.vision_config.image_size
    graphs.write(Eyes(model), (torch.randn(2, 3, side, side),), folder / "encoder_model.onnx", ["pixel_values"], ["last_hidden_state"])

    def call(fed, states, seen, cache):
        written = model.text_decoder(
            input_ids=fed, encoder_hidden_states=states, encoder_attention_mask=seen, past_key_values=cache, use_cache=True
        )
        return written.logits, written.past_key_values

    ids, states = torch.ones(2, 3, dtype=torch.int64), torch.randn(2, 5, text.encoder_hidden_size)
    graphs.write_merged(call, model, ids, states, text.num_hidden_layers, "input_ids", folder)


def answer(built, image, prompt: str | None, tokens: int) -> tuple:
    """What transformers writes behind a prompt; the prompt itself is no part of Millrace's text."""
    images, tokenizer = built.preprocessors
    processor = transformers.BlipProcessor(images, tokenizer)
    given = processor(images=image, text=prompt, return_tensors="pt")
    written = built.model.generate(
        **given, max_new_tokens=tokens, num_beams=1, do_sample=False, output_scores=True, return_dict_in_generate=True
    )
    text = tokenizer.decode(written.sequences[0, -len(written.scores) :], skip_special_tokens=True).strip()
    return written, {"generated_text": text}
