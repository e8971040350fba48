"""
Writes models/parity/fixtures/image-processors.json: what transformers' own processors (Pillow and numpy) make of small
pictures and, where they are at hand, of real photos: dims, SHA-256 of the float32 pixels and their first values.

    python models/parity/reference/image_processors.py
"""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import transformers
from PIL import Image, ImageOps

TARGET = Path(__file__).parents[1] / "fixtures" / "image-processors.json"
ASSETS = Path(os.environ.get("MILLRACE_ASSETS", Path(__file__).parents[4] / "shared" / "assets"))

# Landscape, portrait, smaller than every target, extreme, and already as large as the target.
SIZES = [(61, 47), (47, 62), (20, 16), (130, 9), (32, 32)]

EDGE = {"shortest_edge": 40}
SQUARE = {"height": 32, "width": 32}
HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}

# (processor, what its preprocessor_config.json says)
CASES = [
    ("ViTImageProcessor", {"size": SQUARE, **HALF}),
    ("ViTImageProcessor", {"size": 32, "resample": 3}),
    ("ViTImageProcessor", {"size": {"height": 24, "width": 40}, "resample": 0}),
    ("ViTImageProcessor", {"size": SQUARE, "resample": 1}),
    ("ViTImageProcessor", {"size": SQUARE, "resample": 4}),
    ("ViTImageProcessor", {"size": SQUARE, "resample": 5}),
    ("ViTImageProcessor", {"size": SQUARE, "do_normalize": False}),
    ("ViTImageProcessor", {"size": SQUARE, "do_rescale": False}),
    ("ViTImageProcessor", {"size": SQUARE, "do_rescale": False, "do_normalize": False}),
    ("ViTImageProcessor", {"size": SQUARE, "rescale_factor": 1 / 127.5, "do_normalize": False}),
    ("ViTImageProcessor", {"do_resize": False}),
    ("DeiTImageProcessor", {"size": {"height": 36, "width": 36}, "crop_size": SQUARE}),
    ("DeiTImageProcessor", {"size": {"height": 20, "width": 24}, "crop_size": {"height": 33, "width": 30}}),
    ("MobileNetV1ImageProcessor", {"size": EDGE, "crop_size": SQUARE}),
    ("MobileNetV2ImageProcessor", {"size": EDGE, "crop_size": SQUARE}),
    ("MobileNetV2ImageProcessor", {"size": EDGE, "crop_size": {"height": 31, "width": 27}, "do_normalize": False}),
    ("MobileNetV2ImageProcessor", {"size": {"shortest_edge": 37}, "do_center_crop": False}),
    ("BitImageProcessor", {"size": EDGE, "crop_size": SQUARE}),
    ("ConvNextImageProcessor", {"size": {"shortest_edge": 32}, "crop_pct": 0.875}),
    ("ConvNextImageProcessor", {"size": {"shortest_edge": 30}, "crop_pct": 0.95, "resample": 3}),
    ("ConvNextImageProcessor", {"size": {"shortest_edge": 384}}),
    ("EfficientNetImageProcessor", {"size": SQUARE}),
    ("EfficientNetImageProcessor", {"size": SQUARE, "include_top": False}),
    ("EfficientNetImageProcessor", {"size": SQUARE, "resample": 3, "do_center_crop": True, "crop_size": {"height": 29, "width": 29}}),
    ("EfficientNetImageProcessor", {"size": SQUARE, "rescale_factor": 1 / 127.5, "rescale_offset": True, "do_normalize": False, "include_top": False}),
    ("EfficientNetImageProcessor", {"size": SQUARE, "rescale_factor": 1 / 127.5, "rescale_offset": True}),
    ("CLIPImageProcessor", {"size": {"shortest_edge": 32}, "crop_size": SQUARE}),
    ("SiglipImageProcessor", {"size": SQUARE}),
    ("BeitImageProcessor", {"size": {"height": 36, "width": 36}, "crop_size": SQUARE, "do_center_crop": True}),
    ("LevitImageProcessor", {"size": {"shortest_edge": 32}, "crop_size": SQUARE}),
    ("PoolFormerImageProcessor", {"size": {"shortest_edge": 32}, "crop_pct": 0.9, "crop_size": SQUARE}),
    ("MobileViTImageProcessor", {"size": EDGE, "crop_size": SQUARE}),
    ("PvtImageProcessor", {"size": SQUARE}),
    ("SegformerImageProcessor", {"size": SQUARE}),
    ("BlipImageProcessor", {"size": SQUARE}),
    ("DonutImageProcessor", {"size": {"height": 48, "width": 32}}),
    ("DonutImageProcessor", {"size": {"height": 48, "width": 32}, "do_align_long_axis": True}),
    ("DonutImageProcessor", {"size": {"height": 48, "width": 32}, "do_thumbnail": False, "do_pad": False}),
]


# As the well-known models of each family have it, on real photos.
PHOTO_CASES = [
    ("ViTImageProcessor", {}),
    ("MobileNetV2ImageProcessor", {}),
    ("ConvNextImageProcessor", {"size": {"shortest_edge": 224}, "resample": 3, "crop_pct": 0.875, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}),
    ("EfficientNetImageProcessor", {"size": {"height": 224, "width": 224}, "resample": 3, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.47853944, 0.4732864, 0.47434163]}),
    ("CLIPImageProcessor", {}),
    ("DonutImageProcessor", {"size": {"height": 640, "width": 480}, "do_align_long_axis": True}),
]
PHOTOS = ["imagenet-fish/*.JPEG", "imagenet-other/*.JPEG", "image-rs/images/jpg/progressive/*.jpg", "tflite-support/*.jpg"]


def picture(width: int, height: int) -> np.ndarray:
    """The same formula stands in image-processors.parity.test.ts."""
    x, y, c = np.meshgrid(np.arange(width), np.arange(height), np.arange(3), indexing="xy")
    return ((x * x * 3 + y * 7 * (x + 1) + c * 53 + ((x * y) >> 2)) & 255).astype(np.uint8)


def digest(processor, image: Image.Image) -> dict:
    pixels = np.ascontiguousarray(processor(image, return_tensors="np")["pixel_values"][0], dtype="<f4")
    first = [round(float(value), 5) for value in pixels.ravel()[:3]]
    return {"dims": list(pixels.shape), "sha256": hashlib.sha256(pixels.tobytes()).hexdigest(), "first": first}


def small_cases():
    for name, config in CASES:
        processor = getattr(transformers, name)(**config)
        pictures = [{"size": size, **digest(processor, Image.fromarray(picture(*size)))} for size in SIZES]
        # What a model folder holds: the processor's own file, with every default written out.
        saved = {**json.loads(processor.to_json_string()), "image_processor_type": name}
        yield {"given": {"image_processor_type": name, **config}, "saved": saved, "pictures": pictures}


def photo_cases():
    images = ASSETS / "images"
    paths = sorted(path for pattern in PHOTOS for path in images.glob(pattern))
    for name, config in PHOTO_CASES:
        processor = getattr(transformers, name)(**config)
        for path in paths:
            # As transformers' pipelines load an image.
            image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
            given = {"image_processor_type": name, **config}
            yield {"given": given, "photo": str(path.relative_to(images)), **digest(processor, image)}


def main() -> None:
    versions = f"transformers {transformers.__version__}, Pillow {Image.__version__}, numpy {np.__version__}"
    lists = {"cases": list(small_cases()), "photos": list(photo_cases())}
    text = ",\n".join(f'"{name}": [\n' + ",\n".join(map(json.dumps, rows)) + "\n]" for name, rows in lists.items())
    TARGET.write_text(f'{{\n"versions": "{versions}",\n{text}\n}}\n')


if __name__ == "__main__":
    main()
