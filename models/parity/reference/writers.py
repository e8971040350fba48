"""
Architectures that write token by token, with random weights, in true shape or small: Whisper, and vision encoder-decoders.
"""

from pathlib import Path

import transformers

import blip
import florence
import vocabularies
import whisper
import whisper_words
from architectures import Architecture, Built, encoder_shape


def whisper_tiny(small: bool, _folder: Path) -> Built:
    parts = model, tokenizer, extractor = whisper.build(is_full=not small)
    shapes = {"nb_max_frames": extractor.nb_max_frames, "feature_size": extractor.feature_size}
    return Built(model, [extractor, tokenizer], {"reference.json": whisper.hear_all(parts)}, shapes)


def whisper_timestamped(small: bool, _folder: Path) -> Built:
    parts = model, tokenizer, extractor = whisper.build(is_full=not small, attention="eager")
    shapes = {"nb_max_frames": extractor.nb_max_frames, "feature_size": extractor.feature_size}
    files = {"words.json": whisper_words.hear_all(parts)}
    return Built(model, [extractor, tokenizer], files, shapes, whisper_words.exporting_attentions(model.config))


def trocr(small: bool, folder: Path) -> Built:
    """trocr-small: DeiT-small reads 384 x 384, six layers write."""
    tokenizer = _tokenizer(small, folder)
    side = 32 if small else 384
    processor = transformers.ViTImageProcessor(size={"height": side, "width": side})
    deit = {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6, "intermediate_size": 1536, "initializer_range": 0.05}
    encoder = transformers.DeiTConfig(image_size=side, patch_size=8 if small else 16, **(encoder_shape(True, 0, 0) if small else deit))
    shape = {"d_model": 16, "decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 32, "max_position_embeddings": 64, "init_std": 0.4}
    true = {"d_model": 256, "decoder_layers": 6, "decoder_attention_heads": 8, "decoder_ffn_dim": 1024, "init_std": 0.08}
    decoder = transformers.TrOCRConfig(
        vocab_size=len(tokenizer), cross_attention_hidden_size=encoder.hidden_size, activation_function="relu",
        tie_word_embeddings=False, **(shape if small else true),
    )
    return _joined(encoder, decoder, transformers.DeiTModel(encoder), transformers.TrOCRForCausalLM(decoder), [processor, tokenizer])


def donut(small: bool, folder: Path) -> Built:
    """donut-base's layers on a page of 640 x 480 instead of 2560 x 1920."""
    tokenizer = _tokenizer(small, folder)
    height, width = (48, 32) if small else (640, 480)
    processor = transformers.DonutImageProcessor(size={"height": height, "width": width}, do_align_long_axis=True)
    swin = {"embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], "window_size": 4, "initializer_range": 0.4}
    base = {"embed_dim": 128, "depths": [2, 2, 14, 2], "num_heads": [4, 8, 16, 32], "window_size": 10, "initializer_range": 0.05}
    encoder = transformers.DonutSwinConfig(image_size=[height, width], patch_size=4, **(swin if small else base))
    tiny = {"d_model": 16, "decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 32, "max_position_embeddings": 64, "init_std": 0.4}
    true = {"d_model": 1024, "decoder_layers": 4, "decoder_attention_heads": 16, "decoder_ffn_dim": 4096, "max_position_embeddings": 768, "init_std": 0.05}
    shape = tiny if small else true
    # The exporter takes the number of heads from the encoder that an MBart would have.
    heads = {"encoder_attention_heads": shape["decoder_attention_heads"], "encoder_layers": shape["decoder_layers"]}
    decoder = transformers.MBartConfig(
        vocab_size=len(tokenizer), scale_embedding=True, add_final_layer_norm=True, is_encoder_decoder=False, **shape, **heads
    )
    return _joined(encoder, decoder, transformers.DonutSwinModel(encoder), transformers.MBartForCausalLM(decoder), [processor, tokenizer])


def florence_2(small: bool, _folder: Path) -> Built:
    model, processor, tokenizer = florence.build(small)
    return Built(model, [processor, tokenizer], {})


def blip_captioning(small: bool, _folder: Path) -> Built:
    model, processor, tokenizer = blip.build(small)
    return Built(model, [processor, tokenizer], {})


def _tokenizer(small: bool, folder: Path) -> transformers.PreTrainedTokenizerFast:
    return vocabularies.unigram(300, folder) if small else vocabularies.xlm_roberta(2000, folder)


def _joined(encoder_config, decoder_config, encoder, decoder, preprocessors: list) -> Built:
    tokenizer = preprocessors[1]
    decoder_config.is_decoder = decoder_config.add_cross_attention = True
    # Made anew with cross-attention, which a decoder gets by its configuration.
    decoder = type(decoder)(decoder_config)
    model = transformers.VisionEncoderDecoderModel(encoder=encoder, decoder=decoder)
    ids = {"decoder_start_token_id": tokenizer.bos_token_id, "pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id}
    for name, value in ids.items():
        setattr(model.config, name, value)
    model.generation_config = transformers.GenerationConfig(max_length=40, **ids)
    return Built(model, preprocessors, {})


_APART = ("decoder_model", "decoder_with_past_model")
WRITERS: dict[str, Architecture] = {
    "whisper-tiny": Architecture("automatic-speech-recognition", "automatic-speech-recognition-with-past", whisper_tiny, _APART),
    "whisper-tiny_timestamped": Architecture(
        "automatic-speech-recognition", "automatic-speech-recognition-with-past", whisper_timestamped, _APART
    ),
    # One with its decoders merged, one with them apart: as the Hub's older and newer exports have them.
    "trocr-small": Architecture("image-to-text", "image-to-text-with-past", trocr, _APART),
    "donut-like": Architecture("image-to-text", "image-to-text-with-past", donut, ("decoder_model_merged",)),
    "blip-captioning": Architecture("image-to-text", blip.export, blip_captioning),
    "florence-2": Architecture("image-to-text", florence.export, florence_2),
}
