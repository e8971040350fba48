"""Owns the pictures: a symbol cut from a diagram, 64 x 64 grey, as the image processor would give it (black around it).

Pens, fills, labels, neighbours' lines, trembling hands, sheets askew, shade, noise, blur, JPEG.
"""

import io
import math
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from symbols import LABELS, SYMBOLS, Point, Stroke, arc, closed

SIDE, OVER = 64, 3
FONTS = "/usr/share/fonts/truetype"
FACES = ["dejavu/DejaVuSans.ttf", "liberation/LiberationSans-Regular.ttf", "liberation/LiberationSerif-Italic.ttf", "liberation/LiberationMono-Regular.ttf"]
LETTERS = "abcdefghiklmnoprstuvwxyz"
# Classes in whose middle there is room for words.
UNLABELLED = {"arrow", "actor"}


def render(seed: int) -> tuple[np.ndarray, int]:
    rng = Random(seed)
    label = rng.randrange(len(LABELS))
    draw_symbol, (narrow, wide) = SYMBOLS[LABELS[label]]
    ratio = math.exp(rng.uniform(math.log(narrow), math.log(wide)))
    w, h = (1.0, 1.0 / ratio) if ratio > 1 else (ratio, 1.0)
    strokes = draw_symbol(w, h, rng)
    angle = rng.gauss(0, 0.04) if LABELS[label] != "arrow" else rng.uniform(0, 2 * math.pi)
    askew = [rng.gauss(0, 0.04) for _ in range(2)]
    tremble = rng.uniform(0.005, 0.03) if rng.random() < 0.55 else 0.0

    def moved(point: Point) -> Point:
        x, y = point
        x, y = x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)
        return (x + askew[0] * y, y + askew[1] * x)

    shapes = [[moved(p) for p in stroke] for stroke in strokes]
    size, place = framing(shapes, rng)
    paper, ink = tones(rng)
    image = Image.new("L", size, paper)
    pen = Pen(ImageDraw.Draw(image), rng, place, ink, rng.uniform(0.012, 0.07), tremble)
    clutter(pen, shapes, rng, LABELS[label])
    fill = rng.randint(120, 255) if rng.random() < 0.3 else paper
    pen.outline(shapes, fill, filled=LABELS[label] != "arrow" or rng.random() < 0.2)
    if LABELS[label] not in UNLABELLED and rng.random() < 0.75:
        inside(pen, w, h, rng, LABELS[label])
    return onto_canvas(image, rng), label


def framing(shapes: list[Stroke], rng: Random):
    """The cut around the symbol, scaled to fit; gives its size in pixels and the way from points to pixels."""
    xs, ys = [x for s in shapes for x, _ in s], [y for s in shapes for _, y in s]
    reach = max(max(xs) - min(xs), max(ys) - min(ys))
    margins = [rng.uniform(0.01, 0.22) * reach for _ in range(4)]
    left, top = min(xs) - margins[0], min(ys) - margins[1]
    width, height = max(xs) + margins[2] - left, max(ys) + margins[3] - top
    if rng.random() < 0.35:  # a square cut
        side = max(width, height)
        left, top = left - (side - width) * rng.random(), top - (side - height) * rng.random()
        width = height = side
    scale = SIDE * OVER / max(width, height)
    size = (max(24, int(width * scale)), max(24, int(height * scale)))
    return size, lambda p: ((p[0] - left) * scale, (p[1] - top) * scale)


def tones(rng: Random) -> tuple[int, int]:
    return rng.choice([255, rng.randint(190, 255)]), rng.choice([0, rng.randint(0, 120)])


class Pen:
    def __init__(self, draw: ImageDraw.ImageDraw, rng: Random, place, ink: int, width: float, tremble: float):
        self.draw, self.rng, self.place, self.ink, self.tremble = draw, rng, place, ink, tremble
        self.width = max(1, round(width * SIDE * OVER / 2))

    def bent(self, stroke: Stroke) -> list[Point]:
        """Pixels of a stroke; a trembling hand leaves the straight way."""
        if self.tremble == 0:
            return [self.place(p) for p in stroke]
        path = [stroke[0]]
        sway = self.rng.gauss(0, self.tremble)
        for start, stop in zip(stroke, stroke[1:]):
            parts = max(1, int(math.dist(start, stop) / 0.15))
            for part in range(1, parts + 1):
                sway = 0.7 * sway + self.rng.gauss(0, self.tremble * 0.7)
                t = part / parts
                path.append((start[0] + (stop[0] - start[0]) * t + sway, start[1] + (stop[1] - start[1]) * t - sway))
        return [self.place(p) for p in path]

    def line(self, stroke: Stroke) -> None:
        self.draw.line(self.bent(stroke), fill=self.ink, width=self.width, joint="curve")

    def outline(self, shapes: list[Stroke], fill: int, filled: bool) -> None:
        for stroke in shapes[1:]:
            self.line(stroke)
        path = self.bent(shapes[0])
        if shapes[0][0] == shapes[0][-1] and filled:
            self.draw.polygon(path, fill=fill)
        self.draw.line(path, fill=self.ink, width=self.width, joint="curve")
        if self.tremble and self.rng.random() < 0.2:  # drawn over once more
            self.line(shapes[0])
        for stroke in shapes[1:]:
            self.line(stroke)


def clutter(pen: Pen, shapes: list[Stroke], rng: Random, label: str) -> None:
    """Lines that lead to the symbol from outside, and pieces of neighbours at the rim."""
    if label == "arrow":
        if rng.random() < 0.3:
            edge = rng.choice([-1.25, 1.25])
            pen.line([(edge, -1.2), (edge, 1.2)])
        return
    xs, ys = [x for s in shapes for x, _ in s], [y for s in shapes for _, y in s]
    sides = [((max(xs), 0), (3, 0)), ((min(xs), 0), (-3, 0)), ((0, max(ys)), (0, 3)), ((0, min(ys)), (0, -3))]
    for near, far in sides:
        if rng.random() < 0.35:
            shift = rng.gauss(0, 0.1)
            start = (near[0] * 0.9 + (shift if near[0] == 0 else 0), near[1] * 0.9 + (shift if near[1] == 0 else 0))
            pen.line([start, (far[0] + (shift if far[0] == 0 else 0), far[1] + (shift if far[1] == 0 else 0))])
            if rng.random() < 0.5:
                head = 0.12
                dx, dy = (far[0] > 0) - (far[0] < 0), (far[1] > 0) - (far[1] < 0)
                pen.line([(near[0] + dx * head + dy * head, near[1] + dy * head + dx * head), near,
                          (near[0] + dx * head - dy * head, near[1] + dy * head - dx * head)])  # fmt: skip


def inside(pen: Pen, w: float, h: float, rng: Random, label: str) -> None:
    """Words, or the marks that BPMN puts into circles and diamonds."""
    room = {"decision": 0.5, "connector": 0.6, "cloud": 0.6}.get(label, 0.75)
    mark = rng.random()
    if label in ("connector", "decision") and mark < 0.5:
        r = 0.4 * min(w, h)
        marks = [
            [[(-r, -r), (r, r)], [(-r, r), (r, -r)]],
            [[(-r, 0), (r, 0)], [(0, -r), (0, r)]],
            [closed((-r, -r * 0.7), (r, -r * 0.7), (r, r * 0.7), (-r, r * 0.7)), [(-r, -r * 0.7), (0, 0), (r, -r * 0.7)]],
            [closed(*arc(0, 0, r, r, 0, 1, 20)[:-1]), [(0, -r * 0.8), (0, 0), (r * 0.6, 0)]],
        ]
        for stroke in rng.choice(marks):
            pen.line(stroke)
        return
    lines = rng.randint(1, 3 if h > 0.45 else 1)
    left, top = pen.place((-w * room, -h * room))
    right, low = pen.place((w * room, h * room))
    size = int(min((low - top) / lines * rng.uniform(0.5, 0.95), 40 * rng.uniform(0.5, 1)))
    if size < 6:
        return
    face = ImageFont.truetype(f"{FONTS}/{rng.choice(FACES)}", size)
    for line in range(lines):
        words = " ".join("".join(rng.choices(LETTERS, k=rng.randint(1, 7))) for _ in range(rng.randint(1, 2)))
        while words and face.getlength(words) > right - left:
            words = words[:-1]
        middle = top + (line + 0.5) * (low - top) / lines
        pen.draw.text(((left + right) / 2, middle), words.strip(), fill=pen.ink, font=face, anchor="mm")


def onto_canvas(image: Image.Image, rng: Random) -> np.ndarray:
    noise = np.random.default_rng(rng.getrandbits(32))
    scale = min(SIDE / image.width, SIDE / image.height)
    image = image.resize((max(1, int(image.width * scale)), max(1, int(image.height * scale))), Image.Resampling.BILINEAR)
    if rng.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.0)))
    pixels = np.asarray(image, np.float32)
    if rng.random() < 0.5:
        low, high = (rng.uniform(0, 110), rng.uniform(150, 255))
        pixels = low + pixels * (high - low) / 255
    if rng.random() < 0.4:
        across, down = np.linspace(-1, 1, pixels.shape[1]), np.linspace(-1, 1, pixels.shape[0])[:, None]
        pixels = pixels * (1 + rng.uniform(-0.25, 0.25) * across + rng.uniform(-0.25, 0.25) * down)
    if rng.random() < 0.15:  # squared or ruled paper
        step, shade = rng.randint(5, 14), rng.uniform(0.75, 0.95)
        pixels[:: step] *= shade
        if rng.random() < 0.6:
            pixels[:, :: step] *= shade
    if rng.random() < 0.5:
        pixels = pixels + noise.normal(0, rng.uniform(1, 15), pixels.shape)
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if rng.random() < 0.1:
        image = ImageOps.invert(image)
    if rng.random() < 0.2:
        packed = io.BytesIO()
        image.save(packed, "JPEG", quality=rng.randint(35, 90))
        image = Image.open(packed).convert("L")
    canvas = Image.new("L", (SIDE, SIDE), 0)
    canvas.paste(image, ((SIDE - image.width) // 2, (SIDE - image.height) // 2))
    return np.asarray(canvas, np.uint8)
