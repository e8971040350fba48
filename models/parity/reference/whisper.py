"""
Whisper with random weights, of tiny dims (windows of 1 s) or whisper-tiny's own, and what transformers' pipeline hears with
it in recordings of the zoo: `reference.json` beside the export (export.py), which whisper.parity.test.ts reads.
"""

import copy
import json
import os
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    AutomaticSpeechRecognitionPipeline,
    GenerationConfig,
    GenerationMixin,
    LogitsProcessorList,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperTokenizerFast,
)
from transformers.models.whisper.tokenization_whisper import bytes_to_unicode
from transformers.pipelines.audio_utils import ffmpeg_read
from transformers.pipelines.automatic_speech_recognition import chunk_iter

ROOT = Path(__file__).parents[3]
ASSETS = Path(os.environ.get("MILLRACE_ASSETS", ROOT.parent / "shared" / "assets"))
SAMPLES = "models/zoo/starter-asr-digits/samples/"

# (recording, parameters of Millrace, generate_kwargs of transformers)
CASES = [
    ("three-six.wav", {}, {}),
    ("seven-two-nine.wav", {"language": "ru"}, {"language": "ru", "task": "transcribe"}),
    ("seven-two-nine.wav", {"language": "en", "task": "translate"}, {"language": "en", "task": "translate"}),
    ("four-zero-eight-one-five.wav", {"return_timestamps": True}, {}),
    ("seven-two-nine.wav", {"return_timestamps": True, "language": "de"}, {"language": "de", "task": "transcribe"}),
    ("three-six.wav", {"num_beams": 3, "language": "en"}, {"num_beams": 3, "language": "en", "task": "transcribe"}),
    ("three-six.wav", {"prompt": "Digits: three."}, {"prompt": "Digits: three."}),
]


def byte_tokenizer():
    """Bytes, five merges, and the special tokens of Whisper in their order; timestamps follow them."""
    letters = list(bytes_to_unicode().values())
    merges = [("t", "h"), ("Ġ", "th"), ("i", "n"), ("e", "r"), ("Ð", "¾")]
    words = {token: id for id, token in enumerate(letters + [left + right for left, right in merges])}
    tokenizer = Tokenizer(models.BPE(words, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["endoftext", "startoftranscript", "en", "ru", "de", "translate", "transcribe"]
    special += ["startoflm", "startofprev", "nospeech", "notimestamps"]
    tokenizer.add_special_tokens([f"<|{name}|>" for name in special])
    end = "<|endoftext|>"
    fast = WhisperTokenizerFast(tokenizer_object=tokenizer, eos_token=end, bos_token=end, unk_token=end)
    fast.add_special_tokens({"additional_special_tokens": [f"<|{name}|>" for name in special[1:]]})
    first = fast.convert_tokens_to_ids("<|notimestamps|>") + 1
    return fast, first


def tiny():
    fast, first = byte_tokenizer()
    # Timestamps up to 1 s.
    sizes = dict(d_model=16, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32)
    config = WhisperConfig(
        vocab_size=first + 51, num_mel_bins=16, encoder_layers=1, decoder_layers=2, max_source_positions=50,
        max_target_positions=48, init_std=0.6, **sizes,
    )
    return fast, WhisperFeatureExtractor(feature_size=16, chunk_length=1), config, ["en", "ru", "de"]


def full():
    """With the real tokenizer, where the test material is at hand."""
    folder = ASSETS / "tokenizers" / "whisper-tiny-phowhisper"
    if not folder.exists():
        fast, first = byte_tokenizer()
        return fast, WhisperFeatureExtractor(), WhisperConfig(vocab_size=first + 1501, init_std=0.1), ["en", "ru", "de"]
    config = WhisperConfig.from_pretrained(folder, init_std=0.1)
    said = json.loads((folder / "generation_config.json").read_text())
    fast = WhisperTokenizerFast.from_pretrained(folder)
    return fast, WhisperFeatureExtractor.from_pretrained(folder), config, [token[2:-2] for token in said["lang_to_id"]]


def build(is_full, attention="sdpa"):
    # Of the seeds tried, one that writes neither too little nor too much.
    torch.manual_seed(7)
    tokenizer, extractor, config, languages = full() if is_full else tiny()
    config._attn_implementation = attention
    id_of = lambda name: tokenizer.convert_tokens_to_ids(f"<|{name}|>")
    config.update(
        {"decoder_start_token_id": id_of("startoftranscript"), "pad_token_id": id_of("endoftext"),
         "bos_token_id": id_of("endoftext"), "eos_token_id": id_of("endoftext"), "forced_decoder_ids": None,
         "suppress_tokens": None, "begin_suppress_tokens": None}
    )
    model = WhisperForConditionalGeneration(config).eval()
    model.generation_config = generation_config(tokenizer, config, languages)
    # Less likely than text, as in a trained model.
    model.model.decoder.embed_tokens.weight.data[id_of("notimestamps"):] *= 0.3
    return model, tokenizer, extractor


def hear_all(parts):
    return [hear(*case, parts) for case in CASES]


def generation_config(tokenizer, config, languages):
    id_of = lambda name: tokenizer.convert_tokens_to_ids(f"<|{name}|>")
    space = tokenizer.encode(" ", add_special_tokens=False)[0]
    return GenerationConfig(
        decoder_start_token_id=id_of("startoftranscript"), eos_token_id=id_of("endoftext"),
        pad_token_id=id_of("endoftext"), bos_token_id=id_of("endoftext"), no_timestamps_token_id=id_of("notimestamps"),
        max_length=config.max_target_positions, is_multilingual=True, max_initial_timestamp_index=20,
        lang_to_id={f"<|{code}|>": id_of(code) for code in languages},
        task_to_id={"transcribe": id_of("transcribe"), "translate": id_of("translate")},
        forced_decoder_ids=[[1, None], [2, id_of("transcribe")]],
        # A trained model writes no special token within a text; random weights would.
        suppress_tokens=[1, 2, 7, *range(id_of("startoftranscript"), id_of("notimestamps"))],
        begin_suppress_tokens=[space, id_of("endoftext")], alignment_heads=[[1, 0], [1, 1]],
    )


def hear(recording, parameters, kwargs, parts):
    """Tokens of each window, written once from a prompt by transformers' loop and processors, and their merging.
    (Its `generate` starts a window again behind the last timestamp; windows here are heard once.)"""
    model, tokenizer, extractor = parts
    samples = ffmpeg_read((ROOT / SAMPLES / recording).read_bytes(), extractor.sampling_rate)
    timed, kwargs = bool(parameters.get("return_timestamps")), dict(kwargs)
    previous = tokenizer.get_prompt_ids(kwargs.pop("prompt")).tolist() if "prompt" in kwargs else []
    rate, seconds = extractor.sampling_rate, extractor.chunk_length
    stride = round(seconds / 6 * rate)
    windows, outputs = [], []
    for window in chunk_iter(samples, extractor, seconds * rate, stride, stride):
        start, ids = write(model, window["input_features"], timed, kwargs, previous)
        windows.append(ids)
        outputs.append({"tokens": torch.tensor([start + ids]), "stride": tuple(size / rate for size in window["stride"])})
    text, extra = tokenizer._decode_asr(outputs, return_timestamps=timed, return_language=False, time_precision=0.02)
    # Behind timestamps, which random weights write unasked, the pipeline would hear the rest of a window again.
    if not previous and max(sum(windows, [])) <= model.generation_config.no_timestamps_token_id:
        pipeline = AutomaticSpeechRecognitionPipeline(model, tokenizer=tokenizer, feature_extractor=extractor)
        whole = pipeline(samples.copy(), chunk_length_s=seconds, generate_kwargs={"num_beams": 1, **kwargs})["text"]
        assert whole == text, (recording, kwargs, whole, text)
    return {"recording": SAMPLES + recording, "parameters": parameters, "windows": windows, "output": {"text": text, **extra}}


def write(model, features, timed, kwargs, previous):
    start, prompt, ids = generate(model, features, timed, kwargs, previous)
    return start, written_behind(prompt, ids[0], model)


def written_behind(prompt, ids, model):
    written = ids[len(prompt):].tolist()
    return written[:-1] if written[-1] == model.generation_config.eos_token_id else written


def generate(model, features, timed, kwargs, previous, **outputs):
    """The prompt behind the text of before, the whole prompt, and what GenerationMixin gives."""
    config = copy.deepcopy(model.generation_config)
    for key, value in {"return_timestamps": timed, "no_speech_threshold": None, **kwargs}.items():
        setattr(config, key, value)
    start = model._retrieve_init_tokens(
        features, batch_size=1, generation_config=config, config=model.config,
        num_segment_frames=features.shape[-1], kwargs={},
    )[0].tolist()
    prompt = previous + start
    processors = model._retrieve_logit_processors(config, LogitsProcessorList(), len(prompt), config.num_beams, "cpu")
    config.forced_decoder_ids = None
    ids = torch.tensor([prompt])
    return start, prompt, GenerationMixin.generate(
        model, features, generation_config=config, decoder_input_ids=ids, logits_processor=processors, **outputs
    )
