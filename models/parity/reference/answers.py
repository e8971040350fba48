"""
What the reference (PyTorch, transformers' pipelines) makes of every input: outputs as a caller sees them, and the logits
behind them. `margin` is how far the best of two was ahead where a choice was made: below 1e-3 the other may be right too.
"""

import copy
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from transformers import AutoTokenizer, GenerationMixin, LogitsProcessorList, pipeline
from transformers.pipelines.audio_utils import ffmpeg_read

import blip
import florence
import inputs

# Enough to see a cache go wrong, and few enough that no near-tie is likely.
TOKENS = 20


def answer(task: str, built, folder: Path) -> list[dict]:
    with torch.no_grad():
        return list(_BY_TASK[task](built, folder))


def _numbers(values: torch.Tensor) -> dict:
    """Seven digits: all that float32 has."""
    return {"dims": list(values.shape), "data": [float(f"{value:.7g}") for value in values.flatten().tolist()]}


def _margin(logits: torch.Tensor) -> float:
    best = logits.float().softmax(-1).topk(2, dim=-1).values
    return float((best[..., 0] - best[..., 1]).min())


def _token_classification(built, folder: Path) -> Iterator[dict]:
    # As a user loads it: from the files beside the graph.
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for text in inputs.TEXTS:
        logits = built.model(**tokenizer(text, return_tensors="pt")).logits[0]
        for strategy in ("none", "simple", "first", "average", "max"):
            tagger = pipeline("token-classification", model=built.model, tokenizer=tokenizer, aggregation_strategy=strategy)
            spans = [
                {"label": span.get("entity_group", span.get("entity")), "score": float(span["score"]), "start": span["start"], "end": span["end"]}
                for span in tagger(text)
            ]
            case = {"input": text, "parameters": {"aggregation_strategy": strategy}, "output": spans, "margin": _margin(logits)}
            yield case | ({"logits": _numbers(logits)} if strategy == "none" else {})


def _feature_extraction(built, folder: Path) -> Iterator[dict]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    takes_first = built.files["1_Pooling/config.json"]["pooling_mode_cls_token"]
    for text in inputs.TEXTS:
        hidden = built.model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
        vector = hidden[0] if takes_first else hidden.mean(dim=0)
        yield {"input": text, "parameters": {"normalize": False}, "logits": _numbers(vector)}
        yield {"input": text, "parameters": {}, "logits": _numbers(vector / vector.norm())}


def _text_ranking(built, folder: Path) -> Iterator[dict]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for question in inputs.RANKING:
        pairs = [(question["query"], document) for document in question["documents"]]
        # One by one: padding is Millrace's to get right.
        logits = torch.cat([built.model(**tokenizer(*pair, return_tensors="pt")).logits[0] for pair in pairs])
        ordered = logits.sort(descending=True).values
        margin = float((ordered[:-1] - ordered[1:]).min())
        yield {"input": question, "parameters": {"raw_scores": True}, "logits": _numbers(logits), "margin": margin}
        yield {"input": question, "parameters": {}, "logits": _numbers(logits.sigmoid()), "margin": margin}


def _image_classification(built, _folder: Path) -> Iterator[dict]:
    [processor] = built.preprocessors
    for path in inputs.pictures():
        image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        logits = built.model(processor(image, return_tensors="pt")["pixel_values"]).logits[0]
        yield {"input": {"file": path.name}, "parameters": {"function_to_apply": "none", "top_k": 1000}, "logits": _numbers(logits)}
        best = logits.softmax(-1).topk(5)
        labels = [
            {"label": built.model.config.id2label[int(index)], "score": float(score)}
            for score, index in zip(*best, strict=True)
        ]
        yield {"input": {"file": path.name}, "parameters": {}, "output": labels}


def _speech(built, _folder: Path) -> Iterator[dict]:
    if built.model.config.is_encoder_decoder:
        yield from _whisper(built)
        return
    extractor, tokenizer = built.preprocessors[:2]
    recogniser = pipeline("automatic-speech-recognition", model=built.model, feature_extractor=extractor, tokenizer=tokenizer)
    for path in inputs.sounds():
        sound = ffmpeg_read(path.read_bytes(), extractor.sampling_rate)
        values = extractor(sound, sampling_rate=extractor.sampling_rate, return_tensors="pt").input_values
        logits = built.model(values).logits[0]
        for granularity in ("char", "word"):
            # A copy: the pipeline takes its input apart.
            output = recogniser(np.array(sound), return_timestamps=granularity)
            yield {
                "input": {"file": path.name},
                "parameters": {"return_timestamps": granularity},
                "output": output,
                "margin": _margin(logits),
                **({"logits": _numbers(logits)} if granularity == "char" else {}),
            }


def _whisper(built) -> Iterator[dict]:
    """Windows of one row, in a language that is given: whisper.py has the rest."""
    extractor, tokenizer = built.preprocessors
    config = copy.deepcopy(built.model.generation_config)
    config.language, config.task, config.return_timestamps, config.no_speech_threshold = "en", "transcribe", False, None
    wish = {"language": "en", "chunking": "overlap", "no_speech_threshold": 1, "max_new_tokens": TOKENS}
    for path in inputs.sounds():
        sound = ffmpeg_read(path.read_bytes(), extractor.sampling_rate)
        if len(sound) > extractor.n_samples:
            continue
        features = extractor(sound, sampling_rate=extractor.sampling_rate, return_tensors="pt").input_features
        written = _write_speech(built.model, features, copy.deepcopy(config))
        text = tokenizer.decode(written.sequences[0], skip_special_tokens=True).strip()
        steps = _steps(written.sequences[0, -len(written.scores) :], torch.cat(written.scores))
        yield {"input": {"file": path.name}, "parameters": wish, "output": {"text": text}, "steps": steps}


def _write_speech(model, features: torch.Tensor, config):
    """One window from its prompt; Whisper's own `generate` would start again behind the last timestamp."""
    prompt = model._retrieve_init_tokens(
        features, batch_size=1, generation_config=config, config=model.config, num_segment_frames=features.shape[-1], kwargs={}
    )
    processors = model._retrieve_logit_processors(config, LogitsProcessorList(), prompt.shape[1], 1, "cpu")
    config.forced_decoder_ids = None
    return GenerationMixin.generate(
        model, features, generation_config=config, decoder_input_ids=prompt, logits_processor=processors,
        max_new_tokens=TOKENS, output_scores=True, return_dict_in_generate=True,
    )


def _image_to_text(built, _folder: Path) -> Iterator[dict]:
    asked = {"florence2": florence, "blip": blip}.get(built.model.config.model_type)
    if asked:
        yield from _asked(built, asked)
        return
    processor, tokenizer = built.preprocessors
    for path in inputs.pictures():
        image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        pixels = processor(image, return_tensors="pt")["pixel_values"]
        written = built.model.generate(
            pixels, max_new_tokens=TOKENS, num_beams=1, do_sample=False, output_scores=True, return_dict_in_generate=True
        )
        yield {
            "input": {"file": path.name},
            "parameters": {"max_new_tokens": TOKENS},
            "output": {"generated_text": tokenizer.decode(written.sequences[0], skip_special_tokens=True).strip()},
            "steps": _steps(written.sequences[0, -len(written.scores) :], torch.cat(written.scores)),
        }


def _asked(built, family) -> Iterator[dict]:
    for path in inputs.pictures():
        image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        for prompt in family.PROMPTS:
            written, output = family.answer(built, image, prompt, TOKENS)
            steps = _steps(written.sequences[0, -len(written.scores) :], torch.cat(written.scores))
            yield {
                "input": {"file": path.name},
                "parameters": {"max_new_tokens": TOKENS, **({"prompt": prompt} if prompt else {})},
                "output": output,
                "steps": steps,
            }


def _steps(ids: torch.Tensor, scores: torch.Tensor) -> list[dict]:
    """Each token with its log-probability, and how far it was ahead of the next best."""
    best = scores.float().softmax(-1).topk(2, dim=-1).values
    chances = scores.float().log_softmax(-1).gather(1, ids[:, None])[:, 0]
    margins = best[:, 0] - best[:, 1]
    return [
        {"id": id, "logProb": float(f"{chance:.7g}"), "margin": float(f"{margin:.4g}")}
        for id, chance, margin in zip(ids.tolist(), chances.tolist(), margins.tolist(), strict=True)
    ]


_BY_TASK = {
    "image-to-text": _image_to_text,
    "token-classification": _token_classification,
    "feature-extraction": _feature_extraction,
    "text-ranking": _text_ranking,
    "image-classification": _image_classification,
    "automatic-speech-recognition": _speech,
}
