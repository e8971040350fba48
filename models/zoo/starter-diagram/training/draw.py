"""Owns the pen: a laid out chart as a grey picture, with fonts, shapes, line styles and a hand that may tremble.

Also tells at which pixel every written token is to be seen.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw, ImageFont

from grammar import Statement
from layout import Fragment, Layout, Node, Point

FONTS = Path("/usr/share/fonts/truetype")
FACES = [
    *[f"liberation/Liberation{f}-{s}.ttf" for f in ("Sans", "Serif", "Mono") for s in ("Regular", "Bold", "Italic")],
    *[f"dejavu/DejaVu{f}.ttf" for f in ("Sans", "Sans-Bold", "Sans-Oblique", "Serif", "Serif-Bold", "SansMono")],
    *[f"dejavu/DejaVuSansCondensed{s}.ttf" for s in ("", "-Bold")],
]
# Charts that say only which way "yes" is.
SILENT_SHARE = 0.06
BRANCH_WORDS = [("yes", "no"), ("Yes", "No"), ("YES", "NO"), ("Y", "N"), ("true", "false"), ("True", "False"), ("T", "F")]


@lru_cache(maxsize=512)
def font(face: str, pixels: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONTS / face), pixels)


@dataclass
class Style:
    face: str
    width: float  # of lines, in units
    ink: int
    paper: int
    fill: dict[str, int]
    filled_head: bool
    head: float
    round_process: bool
    slanted_io: bool
    oval_terminal: bool
    tremble: float
    spaced: bool
    branch_words: tuple[str, str]

    @staticmethod
    def random(rng: Random) -> "Style":
        paper = rng.choice([255, 255, rng.randint(225, 255)])
        ink = rng.choice([0, 0, rng.randint(0, 110)])
        tints = [paper] * 3 if rng.random() < 0.55 else [rng.randint(200, 255) for _ in range(3)]
        return Style(
            face=rng.choice(FACES), width=rng.uniform(0.7, 1.7), ink=ink, paper=paper,
            fill=dict(zip(("terminal", "box", "decision"), tints)), filled_head=rng.random() < 0.7,
            head=rng.uniform(3.0, 5.5), round_process=rng.random() < 0.25, slanted_io=rng.random() < 0.85,
            oval_terminal=rng.random() < 0.3, tremble=rng.uniform(0.4, 1.0) if rng.random() < 0.2 else 0.0,
            spaced=rng.random() < 0.8, branch_words=rng.choice(BRANCH_WORDS),
        )  # fmt: skip


def text_of(statement: Statement, spaced: bool) -> str:
    """Words apart, or operators close to what they join."""
    words = [word.drawn for word in statement.words]
    if spaced or any(word == "mod" for word in words):
        return " ".join(words)
    lead = [words.pop(0)] if statement.kind in ("input", "output") else []
    return " ".join([*lead, "".join(words)])


class Pen:
    """Draws in units; `scale` pixels each, from `origin`."""

    def __init__(self, image: Image.Image, style: Style, rng: Random, scale: float, origin: Point):
        self.draw, self.style, self.rng, self.scale, self.origin = ImageDraw.Draw(image), style, rng, scale, origin
        self.font = font(style.face, max(6, round(10 * scale)))
        self.small = font(style.face, max(6, round(8.5 * scale)))

    def at(self, point: Point) -> Point:
        return (self.origin[0] + point[0] * self.scale, self.origin[1] + point[1] * self.scale)

    def stroke(self, points: list[Point], closed: bool = False, fill: int | None = None) -> None:
        """A polyline or polygon; a trembling hand bends each stretch."""
        corners = [*points, points[0]] if closed else points
        path = [corners[0]]
        for start, stop in zip(corners, corners[1:]):
            path += self.bent(start, stop)
        pixels = [self.at(p) for p in path]
        if closed and fill is not None:
            self.draw.polygon(pixels, fill=fill)
        self.draw.line(pixels, fill=self.style.ink, width=self.pixels(self.style.width), joint="curve")

    def bent(self, start: Point, stop: Point) -> list[Point]:
        if self.style.tremble == 0:
            return [stop]
        length = math.dist(start, stop)
        parts = max(2, int(length / 7))
        off = [self.rng.gauss(0, self.style.tremble * 0.6) for _ in range(parts - 1)] + [0.0]
        dx, dy = (stop[0] - start[0]) / max(length, 1e-6), (stop[1] - start[1]) / max(length, 1e-6)
        shares = [(i + 1) / parts for i in range(parts)]
        return [
            (start[0] + (stop[0] - start[0]) * t - dy * o, start[1] + (stop[1] - start[1]) * t + dx * o)
            for t, o in zip(shares, off)
        ]

    def pixels(self, units: float) -> int:
        return max(1, round(units * self.scale))

    def head(self, before: Point, tip: Point) -> None:
        angle, size = math.atan2(tip[1] - before[1], tip[0] - before[0]), self.style.head
        wings = [(tip[0] - size * math.cos(angle + w), tip[1] - size * math.sin(angle + w)) for w in (0.45, -0.45)]
        if self.style.filled_head:
            self.draw.polygon([self.at(p) for p in (wings[0], tip, wings[1])], fill=self.style.ink)
        else:
            self.stroke([wings[0], tip, wings[1]])

    def text(self, point: Point, words: str, small: bool = False) -> None:
        used = self.small if small else self.font
        self.draw.text(self.at(point), words, fill=self.style.ink, font=used, anchor="mm")

    def node(self, node: Node) -> None:
        x, y, w, h = node.x, node.y, node.width / 2, node.height / 2
        fill, style = self.style.fill, self.style
        box = [(x - w, y - h), (x + w, y - h), (x + w, y + h), (x - w, y + h)]
        if node.kind == "decision":
            self.stroke([(x, y - h), (x + w, y), (x, y + h), (x - w, y)], closed=True, fill=fill["decision"])
        elif node.kind in ("start", "end"):
            self.rounded(x, y, w, h, h, fill["terminal"], oval=style.oval_terminal)
        elif node.kind in ("input", "output") and style.slanted_io:
            slant = node.height * 0.5
            slanted = [(x - w + slant, y - h), (x + w, y - h), (x + w - slant, y + h), (x - w, y + h)]
            self.stroke(slanted, closed=True, fill=fill["box"])
        elif style.round_process:
            self.rounded(x, y, w, h, h * 0.4, fill["box"])
        else:
            self.stroke(box, closed=True, fill=fill["box"])
        self.text((x, y), text_of(node.statement, style.spaced))

    def rounded(self, x: float, y: float, w: float, h: float, radius: float, fill: int, oval: bool = False) -> None:
        corners = [*self.at((x - w, y - h)), *self.at((x + w, y + h))]
        width = self.pixels(self.style.width)
        if oval:
            self.draw.ellipse(corners, fill=fill, outline=self.style.ink, width=width)
        else:
            self.draw.rounded_rectangle(corners, radius * self.scale, fill=fill, outline=self.style.ink, width=width)

    def chart(self, chart: Fragment) -> None:
        for line in chart.lines:
            self.stroke(line.points)
            if line.arrow and line.points[-1] != line.points[-2]:
                self.head(line.points[-2], line.points[-1])
        for node in chart.nodes:
            self.node(node)
        for label in chart.labels:
            self.text((label.x, label.y), self.style.branch_words[0 if label.yes else 1], small=True)


def laid_out(program: list[Statement], rng: Random) -> tuple[Fragment, Style]:
    style = Style.random(rng)
    sized = font(style.face, 40)
    measure = lambda statement: sized.getlength(text_of(statement, style.spaced)) / 4  # noqa: E731
    chart = Layout(rng, measure).sequence(program)
    if rng.random() < SILENT_SHARE:
        chart.labels = [label for label in chart.labels if label.yes]
    return chart, style


def places(program: list[Statement], chart: Fragment, style: Style) -> list[tuple[str, Point]]:
    """Each written token with the point (in units) where it is seen, in the order of writing; then the labels of branches."""
    sized = font(style.face, 40)
    by_statement = {id(node.statement): node for node in chart.nodes}
    found: list[tuple[str, Point]] = []

    def write(statement: Statement) -> None:
        node = by_statement[id(statement)]
        whole = text_of(statement, style.spaced)
        left, begin = node.x - sized.getlength(whole) / 8, 0
        if statement.kind in ("if", "while"):
            found.append((statement.kind, (node.x, node.y - node.height / 2)))
        for word in statement.words:
            begin = whole.index(word.drawn, begin)
            for index, token in enumerate(word.tokens):
                shown = word.drawn if len(word.tokens) == 1 else word.drawn[index]
                ahead = sized.getlength(whole[: begin + (index if len(word.tokens) > 1 else 0)]) / 4
                found.append((token, (left + ahead + sized.getlength(shown) / 8, node.y)))
            begin += len(word.drawn)
        found.append(("\n", found[-1][1]))
        if statement.kind in ("if", "while"):
            no, after = chart.marks[id(statement)]
            for inner in statement.yes:
                write(inner)
            if statement.no:
                found.extend([("else", no), ("\n", no)])
                for inner in statement.no:
                    write(inner)
            found.extend([("end", after), (statement.kind, after), ("\n", after)])

    for statement in program:
        write(statement)
    return found + [("<yes>" if label.yes else "<no>", (label.x, label.y)) for label in chart.labels]
