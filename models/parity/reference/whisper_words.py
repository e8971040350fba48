"""
Whisper with its cross-attentions among the outputs, as the `_timestamped` exports of the Hub have them, and when transformers
finds that each token and each word of recordings of the zoo was said: `words.json` beside the export (export.py).
"""

from itertools import islice

import torch
from optimum.exporters.onnx.base import ConfigBehavior
from optimum.exporters.onnx.model_configs import WhisperOnnxConfig
from transformers.pipelines.audio_utils import ffmpeg_read
from transformers.pipelines.automatic_speech_recognition import chunk_iter

from whisper import ROOT, SAMPLES, generate, written_behind

# A step tells where it looked when the token of the step before was read: of the last token written nothing is known, so
# that one more is written than compared.
TOKENS = 20
# (recording, parameters of Millrace, generate_kwargs of transformers)
CASES = [
    ("three-six.wav", {"language": "en"}, {"language": "en", "task": "transcribe"}),
    ("seven-two-nine.wav", {"language": "de"}, {"language": "de", "task": "transcribe"}),
    ("four-zero-eight-one-five.wav", {}, {}),
    ("four-zero-eight-one-five.wav", {"prompt": "Digits: three."}, {"prompt": "Digits: three."}),
]


class TimestampedOnnxConfig(WhisperOnnxConfig):
    @property
    def outputs(self):
        outputs = super().outputs
        if self._behavior is ConfigBehavior.DECODER:
            for layer in range(self._config.decoder_layers):
                outputs[f"cross_attentions.{layer}"] = {
                    0: "batch_size", 2: "decoder_sequence_length", 3: "encoder_sequence_length_out"
                }
        return outputs


def exporting_attentions(config) -> dict:
    whole = TimestampedOnnxConfig(config=config, task="automatic-speech-recognition", use_past=True)
    configs = {
        "encoder_model": whole.with_behavior("encoder"),
        "decoder_model": whole.with_behavior("decoder", use_past=True, use_past_in_inputs=False),
        "decoder_with_past_model": whole.with_behavior("decoder", use_past=True, use_past_in_inputs=True),
    }
    return {"custom_onnx_configs": configs, "model_kwargs": {"output_attentions": True}}


def hear_all(parts) -> list[dict]:
    keep_to_text(*parts[:2])
    return [hear(*case, parts) for case in CASES]


def keep_to_text(model, tokenizer):
    """Random weights write bytes of characters, behind which transformers loses words, and control codes, for spaces in Python."""
    texts = [tokenizer.decode([id]) for id in range(model.config.eos_token_id)]
    broken = [id for id, text in enumerate(texts) if "\ufffd" in text or not text.isprintable()]
    model.generation_config.suppress_tokens = [*model.generation_config.suppress_tokens, *broken]


def hear(recording, parameters, kwargs, parts):
    """As whisper.hear, with the times that transformers takes from the attentions of its own steps."""
    model, tokenizer, extractor = parts
    samples = ffmpeg_read((ROOT / SAMPLES / recording).read_bytes(), extractor.sampling_rate)
    kwargs = dict(kwargs)
    previous = tokenizer.get_prompt_ids(kwargs.pop("prompt")).tolist() if "prompt" in kwargs else []
    rate, seconds = extractor.sampling_rate, extractor.chunk_length
    stride = round(seconds / 6 * rate)
    windows, outputs = [], []
    for window in chunk_iter(samples, extractor, seconds * rate, stride, stride):
        start, ids, times = write(model, window["input_features"], window["stride"][0], kwargs, previous, extractor)
        windows.append({"ids": ids, "ends": [round(time, 4) for time in times]})
        outputs.append(
            {"tokens": torch.tensor([start + ids]), "token_timestamps": torch.tensor([[0.0] * len(start) + times]),
             "stride": tuple(size / rate for size in window["stride"])}
        )
    text, extra = tokenizer._decode_asr(outputs, return_timestamps="word", return_language=False, time_precision=0.02)
    return {
        "recording": SAMPLES + recording,
        "parameters": {**parameters, "return_timestamps": "word", "max_new_tokens": TOKENS},
        "windows": windows,
        "output": {"text": text, **extra},
    }


def write(model, features, samples, kwargs, previous, extractor):
    start, prompt, generated = generate(
        model, features, True, {"max_new_tokens": TOKENS + 1, **kwargs}, previous, output_attentions=True, return_dict_in_generate=True
    )
    # What the extractor's attention mask adds up to.
    frames = torch.tensor([-(-samples // extractor.hop_length)])
    times = model._extract_token_timestamps(
        generated, model.generation_config.alignment_heads, num_frames=frames, num_input_ids=len(prompt)
    )
    ids = written_behind(prompt, generated.sequences[0], model)[:TOKENS]
    return start, ids, list(islice(times[0, len(prompt):].tolist(), len(ids)))
