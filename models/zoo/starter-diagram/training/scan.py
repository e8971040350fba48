"""Owns what happens to a chart on its way to the model: framing, scaling into the canvas, perspective, scans, cameras.

The canvas is what the image processor gives: the picture fitted into it with its shape kept, black around it. Training
begins on a small one and ends on the served one. On a larger canvas the same pictures are seen in more detail: letters,
blur and noise grow with it, so that none of them is easier to read than before for any other reason.
"""

import io
from dataclasses import dataclass
from random import Random

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from draw import Pen, laid_out, places
from grammar import Statement, lines_of, program
from layout import Fragment, Point

Place = tuple[str, float, float]


@dataclass(frozen=True)
class Canvas:
    """Both sides are multiples of 16."""

    width: int
    height: int

    @property
    def zoom(self) -> float:
        """Against the small canvas, for which sizes in pixels are given."""
        return self.height / 320


SMALL, SERVED = Canvas(224, 320), Canvas(272, 384)
# In pixels of the small canvas. Smaller letters are guesses; charts that would need them are not drawn.
FONT_MIN, FONT_MAX = 10.3, 18.0


def render(seed: int, canvas: Canvas) -> tuple[np.ndarray, list[Place], list[Statement]]:
    """Picture number `seed` as the canvas, its tokens with their places on it, its program."""
    image, spots, statements = picture(seed, canvas)
    left, top = (canvas.width - image.width) // 2, (canvas.height - image.height) // 2
    sheet = Image.new("L", (canvas.width, canvas.height), 0)
    sheet.paste(image, (left, top))
    return np.asarray(sheet, dtype=np.uint8), [(token, x + left, y + top) for token, x, y in spots], statements


def picture(
    seed: int, canvas: Canvas, spoiled: bool = True, enlarged: bool = False
) -> tuple[Image.Image, list[Place], list[Statement]]:
    """Before it is centred on black. `enlarged`: as large as it was drawn, for the eyes of people."""
    rng = Random(seed)
    while True:
        statements = program(rng)
        chart, style = laid_out(statements, rng)
        framed = frame(chart, rng, canvas)
        if framed is not None:
            break
    size, scale, origin = framed
    # Drawn larger than it is seen, as pictures are; how large does not hang on the canvas.
    over = rng.uniform(1.6, 2.6) / canvas.zoom
    image = Image.new("L", (round(size[0] * over), round(size[1] * over)), style.paper)
    start = (origin[0] * over, origin[1] * over)
    Pen(image, style, rng, scale * over, start).chart(chart)
    drawn = [
        (token, (start[0] + x * scale * over, start[1] + y * scale * over))
        for token, (x, y) in places(statements, chart, style)
    ]
    if spoiled:
        image, drawn = spoil_shape(image, drawn, rng, style.paper)
    if not enlarged:
        image = image.resize(size, Image.Resampling.BILINEAR)
    if spoiled:
        image = spoil_tone(image, rng, 1.0 if enlarged else canvas.zoom)
    return image, [(token, x / over, y / over) for token, (x, y) in drawn], statements


def frame(chart: Fragment, rng: Random, canvas: Canvas) -> tuple[tuple[int, int], float, Point] | None:
    """Size on the canvas, pixels to the unit, where (0, 0) lies; None if the letters would be too small."""
    margins = [rng.uniform(3, 14) if rng.random() < 0.7 else rng.uniform(14, 60) for _ in range(4)]
    width, height = chart.left + chart.right, chart.height
    whole_width, whole_height = width + margins[0] + margins[1], height + margins[2] + margins[3]
    scale = min(canvas.width / whole_width, canvas.height / whole_height)
    if scale * 10 < FONT_MIN * canvas.zoom:
        margins = [rng.uniform(2, 6) for _ in range(4)]
        whole_width, whole_height = width + margins[0] + margins[1], height + margins[2] + margins[3]
        scale = min(canvas.width / whole_width, canvas.height / whole_height)
        if scale * 10 < FONT_MIN * canvas.zoom:
            return None
    biggest = rng.uniform(FONT_MIN + 0.5, FONT_MAX) * canvas.zoom / 10
    if scale > biggest:
        # A small chart on a big sheet.
        spare_x, spare_y = canvas.width / biggest - whole_width, canvas.height / biggest - whole_height
        share = rng.random()
        margins[0], margins[1] = margins[0] + max(0, spare_x) * share, margins[1] + max(0, spare_x) * (1 - share)
        share = rng.random()
        margins[2], margins[3] = margins[2] + max(0, spare_y) * share, margins[3] + max(0, spare_y) * (1 - share)
        whole_width, whole_height = width + margins[0] + margins[1], height + margins[2] + margins[3]
        scale = min(canvas.width / whole_width, canvas.height / whole_height)
    size = (min(canvas.width, int(whole_width * scale)), min(canvas.height, int(whole_height * scale)))
    return size, scale, ((margins[0] + chart.left) * scale, margins[2] * scale)


def spoil_shape(image: Image.Image, spots: list, rng: Random, paper: int) -> tuple[Image.Image, list]:
    """A sheet that lies askew under a camera, in four pictures of ten."""
    if rng.random() > 0.4:
        return image, spots
    w, h = image.size
    reach = rng.uniform(0.005, 0.025)
    corners = [(0, 0), (w, 0), (w, h), (0, h)]
    moved = [(x + rng.uniform(-reach, reach) * w, y + rng.uniform(-reach, reach) * h) for x, y in corners]
    # Pillow wants the way back: from the new picture to the old one.
    back, forth = homography(corners, moved), homography(moved, corners)
    image = image.transform((w, h), Image.Transform.PERSPECTIVE, back, Image.Resampling.BILINEAR, fillcolor=paper)
    return image, [(token, project(forth, point)) for token, point in spots]


def homography(source: list[Point], target: list[Point]) -> tuple[float, ...]:
    rows, right = [], []
    for (x, y), (u, v) in zip(source, target):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    return tuple(np.linalg.solve(np.array(rows), np.array(right)))


def project(h: tuple[float, ...], point: Point) -> Point:
    x, y = point
    under = h[6] * x + h[7] * y + 1
    return ((h[0] * x + h[1] * y + h[2]) / under, (h[3] * x + h[4] * y + h[5]) / under)


def spoil_tone(image: Image.Image, rng: Random, zoom: float) -> Image.Image:
    """Blur, shade, noise, JPEG, faded or inverted ink; blur and noise as strong for a letter on any canvas."""
    if rng.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.6) * zoom))
    pixels = np.asarray(image, dtype=np.float32)
    noise = np.random.default_rng(rng.getrandbits(32))
    if rng.random() < 0.35:
        low, high = (rng.uniform(0, 60), rng.uniform(180, 255))
        pixels = low + pixels * (high - low) / 255
    if rng.random() < 0.25:
        across, down = np.linspace(-1, 1, pixels.shape[1]), np.linspace(-1, 1, pixels.shape[0])[:, None]
        pixels = pixels * (1 + rng.uniform(-0.2, 0.2) * across + rng.uniform(-0.2, 0.2) * down)
    if rng.random() < 0.4:
        pixels = pixels + noise.normal(0, rng.uniform(2, 9) * zoom, pixels.shape)
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if rng.random() < 0.07:
        image = ImageOps.invert(image)
    if rng.random() < 0.25:
        packed = io.BytesIO()
        image.save(packed, "JPEG", quality=rng.randint(55, 92))
        image = Image.open(packed).convert("L")
    return image


def text_of_program(statements: list[Statement]) -> str:
    """As written; the digits of a number stand together."""
    return "\n".join(join(line) for line in lines_of(statements))


def join(line: list[str]) -> str:
    text = ""
    for before, token in zip(["", *line], line):
        text += token if not before or (before.isdigit() and token.isdigit()) else f" {token}"
    return text
