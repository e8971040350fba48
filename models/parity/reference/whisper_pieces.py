"""
What transformers computes where models/audio/log-mel.ts and the rules and joins of Whisper must compute the same: writes
log-mel.reference.json and whisper.reference.json beside them. Made with transformers 4.57.6, torch 2.15.

    python models/parity/reference/whisper_pieces.py <folder of a Whisper tokenizer>
"""

import json
import random
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from transformers import WhisperFeatureExtractor, WhisperTokenizerFast
from transformers.generation.logits_process import WhisperTimeStampLogitsProcessor
from transformers.models.whisper.tokenization_whisper import _combine_tokens_into_words, _decode_asr

MODELS = Path(__file__).parents[2]
# A small vocabulary with Whisper's order: text, end, start, a language, a task, no timestamps, timestamps.
END, START, NO_TIMESTAMPS, FIRST = 20, 21, 25, 26


def log_mels():
    """Values of every 13th frame, of a signal that log-mel.test.ts makes too: chirps, and noise of an LCG."""
    cases = []
    for mels, window_seconds, samples in [(80, 30, 24_000), (128, 30, 8_000), (80, 1, 16_000), (80, 1, 20_000)]:
        extractor = WhisperFeatureExtractor(feature_size=mels, chunk_length=window_seconds)
        features = extractor(signal(samples), sampling_rate=16_000, return_tensors="np").input_features[0]
        frames = [frame for frame in range(0, min(100 * window_seconds, 170), 13)] + [100 * window_seconds - 1]
        values = {str(frame): [round(float(value), 6) for value in features[:, frame]] for frame in frames}
        cases.append({"mels": mels, "windowSeconds": window_seconds, "samples": samples, "frames": values})
    return cases


def signal(count):
    noise, state = np.empty(count), 1
    for at in range(count):
        state = (state * 1_664_525 + 1_013_904_223) % 2**32
        noise[at] = state / 2**32 - 0.5
    at = np.arange(count)
    chirp = np.sin(2 * np.pi * at * (100 + 0.05 * at) / 16_000)
    return (np.where(at % 8000 < 5000, 0.3 * chirp, 0) + 0.01 * noise).astype(np.float32)


def timestamp_rules(rng):
    """Random logits (in hundredths) after random tokens, and the ids that stay allowed."""
    cases = []
    for _ in range(40):
        latest = rng.choice([None, 1, 5])
        config = SimpleNamespace(
            no_timestamps_token_id=NO_TIMESTAMPS, eos_token_id=END, bos_token_id=END, max_initial_timestamp_index=latest
        )
        written = random_written(rng)
        logits = [rng.randint(-400, 400) for _ in range(FIRST + 30)]
        scores = torch.tensor([logits]).float() / 100
        processor = WhisperTimeStampLogitsProcessor(config, begin_index=1)
        after = processor(torch.tensor([[START, *written]]), scores)[0]
        allowed = [id for id, score in enumerate(after.tolist()) if score != -float("inf")]
        cases.append({"written": written, "latest": latest, "logits": logits, "allowed": allowed})
    return cases


def random_written(rng):
    if rng.random() < 0.15:
        return []
    written, at = [FIRST], 0
    for _ in range(rng.randint(0, 3)):
        written += [rng.randrange(END) for _ in range(rng.randint(1, 4))]
        at += rng.randint(1, 8)
        written += [FIRST + at] * rng.randint(1, 2)
    return written[: rng.randint(1, len(written))]


def merges(rng):
    """Windows of a made-up speech, each heard with some mistakes, and what the pipeline's decoding makes of them."""
    fake = SimpleNamespace(
        all_special_ids=list(range(END, FIRST)),
        convert_tokens_to_ids=lambda token: {"<|notimestamps|>": NO_TIMESTAMPS}.get(token, START),
        decode=lambda ids: ",".join(map(str, ids)),
        _strip_prompt=lambda ids, *_: ids,
    )
    cases = []
    for index in range(40):
        timed = index % 3 != 2
        windows = random_windows(rng, timed)
        outputs = [
            {
                "tokens": torch.tensor([window["ids"]], dtype=torch.long),
                "stride": (window["seconds"], window["overlapLeft"], window["overlapRight"]),
            }
            for window in windows
        ]
        text, extra = _decode_asr(fake, outputs, return_timestamps=timed, return_language=False, time_precision=0.02)
        chunks = extra["chunks"] if timed else [{"text": text, "timestamp": (None, None)}]
        cases.append({"timed": timed, "windows": windows, "chunks": [[*chunk["timestamp"], chunk["text"]] for chunk in chunks]})
    return cases


def random_windows(rng, timed):
    length, overlap = 30.0, 5.0
    total = rng.uniform(20, 90)
    # One token every half a second; a segment every few seconds.
    speech = [(at / 2, rng.randrange(END)) for at in range(int(total * 2))]
    borders = {round(at, 2) for at in np.cumsum([rng.uniform(2, 7) for _ in range(40)])}
    windows, start = [], 0.0
    while True:
        end = min(start + length, total)
        ids = heard(rng, [pair for pair in speech if start <= pair[0] < end], start, end, borders, timed)
        is_last = end == total
        windows.append(
            {
                "ids": ids,
                "start": start,
                "seconds": round(end - start, 4),
                "overlapLeft": overlap if windows else 0,
                "overlapRight": 0 if is_last else overlap,
            }
        )
        if is_last:
            return windows
        start += length - 2 * overlap


def heard(rng, speech, start, end, borders, timed):
    mark = lambda time: FIRST + min(1500, max(0, round((time - start) / 0.02)))
    ids, last = [FIRST] if timed else [], start
    for time, token in speech:
        for border in sorted(border for border in borders if last < border <= time) if timed else []:
            ids += [mark(border)] * 2
        last = time
        if rng.random() > 0.05:
            ids.append(token if rng.random() > 0.05 else rng.randrange(END))
    return ids + ([mark(end - 0.1)] if timed and rng.random() > 0.3 else [])


def texts(folder):
    """With the tokenizer of ../shared/assets: ids of prompts, and texts of ids that cut characters in two."""
    tokenizer = WhisperTokenizerFast.from_pretrained(folder)
    prompts = ["Glossary: Millrace, ONNX.", "Привет, мир", "  xin chào 👋🏽 các bạn ", "日本語です。"]
    cut = [tokenizer.encode(text, add_special_tokens=False)[1:-1] for text in ["👋🏽 Ünïcödé 日本語", " it 's fine ."]]
    return {
        "prompts": [[text, tokenizer.get_prompt_ids(text).tolist()] for text in prompts],
        "decoded": [[ids, tokenizer.decode(ids)] for ids in cut],
    }


SPOKEN = [
    ("english", "en", ' "Don\'t," she said (twice) - and left... at 5:30 p.m., for $3.50!'),
    ("russian", "ru", " Привет, «мир»! Как дела? Всё хорошо: 👋🏽 до завтра."),
    ("spanish", "es", " ¿Qué tal? ¡Muy bien, señor!"),
    ("chinese", "zh", "今天天气很好,我们去公园吧。"),
    ("japanese", "ja", "日本語です。「はい」と言った、👍🏾"),
    ("thai", "th", "สวัสดีครับ คุณสบายดีไหม"),
    ("german", "de", "Ohne Leerzeichen davor, äöü."),
    ("vietnamese", "vi", "xin chào các bạn , tôi là ..."),
]


def words(folder):
    """Words of transformers, with the pieces of the tokens, so that no tokenizer is needed to try them."""
    tokenizer = WhisperTokenizerFast.from_pretrained(folder)
    cases = []
    for name, code, text in SPOKEN:
        ids = tokenizer.encode(text, add_special_tokens=False)
        texts, _, indices = _combine_tokens_into_words(tokenizer, ids, name)
        pieces = dict(zip(map(str, ids), tokenizer.convert_ids_to_tokens(ids), strict=True))
        places = [[found, own[0], own[-1] + 1] for found, own in zip(texts, indices, strict=True)]
        cases.append({"language": code, "ids": ids, "pieces": pieces, "words": places})
    return cases


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


rng = random.Random(5)
write(MODELS / "audio" / "log-mel.reference.json", log_mels())
write(
    MODELS / "tasks/automatic-speech-recognition/whisper/whisper.reference.json",
    {"rules": timestamp_rules(rng), "merges": merges(rng), "texts": texts(sys.argv[1]), "words": words(sys.argv[1])},
)
