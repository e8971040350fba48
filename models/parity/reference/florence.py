"""
Florence-2 with random weights, exported as onnx-community lays it out: pictures and prompts each become embeddings, one
encoder reads both, and a decoder with its cache writes from embeddings. optimum has no exporter for it.
"""

import re
from pathlib import Path

import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
from torch import nn
from transformers.models.whisper.tokenization_whisper import bytes_to_unicode

import graphs

BINS = 1000
PROMPTS = ["<CAPTION>", "<OD>", "<OCR_WITH_REGION>", "<CAPTION_TO_PHRASE_GROUNDING>the thing in it"]
PARSED = ("pure_text", "ocr", "description_with_bboxes", "phrase_grounding")


def tokenizer(bins: int) -> transformers.BartTokenizerFast:
    """Bytes and a few merges; BART's special tokens, places, and the mark of a picture."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    merges = [("t", "h"), ("Ġ", "th"), ("i", "n"), ("e", "r"), ("Ġ", "i")]
    words = [*special, *bytes_to_unicode().values(), *(left + right for left, right in merges)]
    inner = Tokenizer(models.BPE({word: id for id, word in enumerate(words)}, merges))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens(special)
    inner.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    roles = dict(bos_token="<s>", eos_token="</s>", sep_token="</s>", cls_token="<s>", unk_token="<unk>", pad_token="<pad>")
    fast = transformers.BartTokenizerFast(
        tokenizer_object=inner, mask_token="<mask>", **roles, extra_special_tokens={"image_token": "<image>"}
    )
    places = [AddedToken(f"<loc_{bin}>", normalized=False, special=True) for bin in range(bins)]
    marks = ["<od>", "</od>", "<ocr>", "</ocr>", "<sep>", "<poly>", "</poly>"]
    fast.add_special_tokens({"additional_special_tokens": [*places, *marks]}, replace_additional_special_tokens=False)
    return fast


def build(small: bool) -> tuple:
    fast = tokenizer(100 if small else BINS)
    side = 32 if small else 768
    ids = dict(bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2, forced_bos_token_id=0, forced_eos_token_id=2)
    tiny = dict(
        d_model=16, encoder_layers=1, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_ffn_dim=32, decoder_ffn_dim=32, max_position_embeddings=96, init_std=0.4,
    )
    base = dict(
        d_model=768, encoder_layers=6, decoder_layers=6, encoder_attention_heads=12, decoder_attention_heads=12,
        encoder_ffn_dim=3072, decoder_ffn_dim=3072, max_position_embeddings=1024, init_std=0.05,
    )
    text = transformers.BartConfig(vocab_size=len(fast), dropout=0.0, scale_embedding=False, **(tiny if small else base), **ids)
    eyes = dict(
        depths=(1, 1), patch_size=(7, 3), patch_stride=(4, 2), patch_padding=(3, 1), patch_prenorm=(False, True),
        embed_dim=(8, 16), num_heads=(2, 2), num_groups=(2, 2), window_size=2, projection_dim=16, initializer_range=0.4,
        drop_path_rate=0.0,
    )
    # In true shape wider weights make chaos: at 0.05 a millionth of a pixel moved features by 1.6e-4, at 0.02 by 2.6e-5.
    vision = transformers.Florence2VisionConfig(**(eyes if small else dict(projection_dim=768, initializer_range=0.02)))
    config = transformers.Florence2Config(text_config=text, vision_config=vision, image_token_id=fast.image_token_id, **ids)
    model = transformers.Florence2ForConditionalGeneration(config)
    model.generation_config = transformers.GenerationConfig(max_length=40, no_repeat_ngram_size=3, **ids)
    seen = (side // 8) ** 2 + 1 if small else 577
    processor = transformers.CLIPImageProcessor(
        size={"height": side, "width": side}, do_center_crop=False, image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225]
    )
    processor.image_seq_length = seen
    return model, processor, fast


class Vision(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        return self.model.get_image_features(pixel_values)


class Encoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.encoder = model.language_model.encoder

    def forward(self, inputs_embeds, attention_mask):
        return self.encoder(inputs_embeds=inputs_embeds, attention_mask=attention_mask).last_hidden_state


def export(model, folder: Path) -> None:
    """Graphs of the layout, straight into `folder`."""
    text = model.config.text_config
    side = 32 if text.d_model == 16 else 768
    ids, mask = torch.ones(2, 3, dtype=torch.int64), torch.ones(2, 5, dtype=torch.int64)
    embeds = torch.randn(2, 5, text.d_model)
    graphs.write(Vision(model), (torch.randn(2, 3, side, side),), folder / "vision_encoder.onnx", ["pixel_values"], ["image_features"])
    graphs.write(model.get_input_embeddings(), (ids,), folder / "embed_tokens.onnx", ["input_ids"], ["inputs_embeds"])
    graphs.write(Encoder(model), (embeds, mask), folder / "encoder_model.onnx", ["inputs_embeds", "attention_mask"], ["last_hidden_state"])

    def call(fed, states, seen, cache):
        written = model.language_model.decoder(
            inputs_embeds=fed, encoder_hidden_states=states, encoder_attention_mask=seen, past_key_values=cache, use_cache=True
        )
        return model.lm_head(written.last_hidden_state), written.past_key_values

    graphs.write_merged(call, model, embeds[:, :3], embeds, text.decoder_layers, "inputs_embeds", folder)


def answer(built, image, prompt: str, tokens: int) -> tuple:
    """What transformers writes for a picture and a task, and its text and regions as callers of Millrace get them."""
    images, fast = built.preprocessors
    processor = transformers.Florence2Processor(images, fast, post_processor_config={kind: {} for kind in PARSED})
    given = processor(text=prompt, images=image, return_tensors="pt")
    written = built.model.generate(
        **given, max_new_tokens=tokens, num_beams=1, do_sample=False, output_scores=True, return_dict_in_generate=True
    )
    raw = fast.decode(written.sequences[0], skip_special_tokens=False)
    text = raw.replace("<s>", "").replace("</s>", "").replace("<pad>", "").strip()
    task = prompt[: prompt.index(">") + 1]
    parsed = processor.post_process_generation(text=raw, task=task, image_size=image.size)[task]
    return written, {"generated_text": text, **({} if isinstance(parsed, str) else {"regions": regions(parsed)})}


def regions(parsed: dict) -> list[dict]:
    """
    Labels and places of all kinds that transformers keeps in lists of their own, as regions of Millrace. Where too few places
    follow a text, transformers takes the last of them into the next label: they are cut off, with what is nothing else.
    """
    kinds = [("bboxes", "box", "labels"), ("bboxes", "box", "bboxes_labels"), ("quad_boxes", "quad", "labels")]
    kinds += [("polygons", "polygons", "labels"), ("polygons", "polygons", "polygons_labels")]
    told = [
        (re.sub(r".*loc_\d+>", "", label).strip(), label, shape, place)
        for places, shape, labels in kinds
        if places in parsed and labels in parsed
        for label, place in zip(parsed[labels], parsed[places], strict=True)
    ]
    return [{"label": own, shape: place} for own, label, shape, place in told if own or not label]
