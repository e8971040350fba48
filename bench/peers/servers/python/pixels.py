"""
A file to pixel values with Pillow, as preprocessor_config.json says: the two ways of the models that are raced (shortest
edge and crop; Donut's page), as transformers does them.
"""
import json
import os

import numpy as np
from PIL import Image


class Processor:
    def __init__(self, folder: str) -> None:
        with open(os.path.join(folder, "preprocessor_config.json")) as file:
            self.config = json.load(file)
        mean, deviation = (np.array(self.config[name], np.float32) for name in ("image_mean", "image_std"))
        # (x / 255 - mean) / deviation, in one multiplication and one addition.
        self.factor = (self.config["rescale_factor"] / deviation).astype(np.float32)[:, None, None]
        self.offset = (-mean / deviation)[:, None, None]

    def read(self, path: str) -> np.ndarray:
        with Image.open(path) as file:
            image = file.convert("RGB")
        image = self.lay_on_page(image) if "Donut" in self.config["image_processor_type"] else self.crop(image)
        return (np.asarray(image).transpose(2, 0, 1) * self.factor + self.offset)[None]

    def crop(self, image: Image.Image) -> Image.Image:
        image = self.resize(image, self.config["size"]["shortest_edge"])
        height, width = self.config["crop_size"]["height"], self.config["crop_size"]["width"]
        left, top = (image.width - width) // 2, (image.height - height) // 2
        return image.crop((left, top, left + width, top + height))

    def lay_on_page(self, image: Image.Image) -> Image.Image:
        height, width = self.config["size"]["height"], self.config["size"]["width"]
        image = self.fit(self.resize(image, min(height, width)), width, height)
        page = Image.new("RGB", (width, height))
        page.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
        return page

    def resize(self, image: Image.Image, edge: int) -> Image.Image:
        long = int(edge * max(image.size) / min(image.size))
        size = (edge, long) if image.width <= image.height else (long, edge)
        return image.resize(size, Image.Resampling(self.config["resample"]))

    @staticmethod
    def fit(image: Image.Image, width: int, height: int) -> Image.Image:
        wide, high = min(image.width, width), min(image.height, height)
        if (wide, high) == image.size:
            return image
        if image.height > image.width:
            wide = int(image.width * high / image.height)
        elif image.width > image.height:
            high = int(image.height * wide / image.width)
        return image.resize((wide, high), Image.Resampling.BICUBIC, reducing_gap=2.0)
