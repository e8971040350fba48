"""Owns the pictures that are shipped: three for the demo, forty with their texts for the test over HTTP. All drawn here."""

import json
from pathlib import Path
from random import Random

from PIL import Image

from draw import Pen, Style, laid_out
from grammar import Statement, Word
from scan import SMALL, picture, text_of_program

FIRST_SEED, COUNT = 30_000_000, 40


def step(kind: str, text: str, yes: list[Statement] | None = None, no: list[Statement] | None = None) -> Statement:
    words = [Word(word, list(word) if word.isdigit() else [word]) for word in text.split()]
    return Statement(kind, words, yes or [], no or [])


def between(*inner: Statement) -> list[Statement]:
    return [step("start", "start"), *inner, step("end", "end")]


SHOWN = {
    "countdown": between(
        step("input", "input n"),
        step("while", "n > 0", [step("output", "output n"), step("process", "n = n - 1")]),
    ),
    "limit": between(
        step("input", "input n"),
        step("if", "n > 9", [step("process", "x = 9")], [step("process", "x = n")]),
        step("output", "output x"),
    ),
    "double": between(step("input", "input x"), step("process", "x = x * 2"), step("output", "output x")),
}


def write_samples(folder: Path) -> None:
    """Clean charts in black on white, as a drawing program makes them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, program in SHOWN.items():
        rng = Random(1)
        chart, style = laid_out(program, rng)
        style = plain(style)
        scale, margin = 2.4, 12
        size = ((chart.left + chart.right + 2 * margin) * scale, (chart.height + 2 * margin) * scale)
        image = Image.new("L", (round(size[0]), round(size[1])), 255)
        Pen(image, style, rng, scale, ((chart.left + margin) * scale, margin * scale)).chart(chart)
        image.save(folder / f"{name}.png", optimize=True)


def plain(style: Style) -> Style:
    style.face, style.width, style.ink, style.paper = "liberation/LiberationSans-Regular.ttf", 1.0, 0, 255
    style.fill, style.tremble, style.spaced, style.branch_words = dict.fromkeys(style.fill, 255), 0.0, True, ("yes", "no")
    style.filled_head, style.slanted_io, style.oval_terminal, style.round_process = True, True, False, False
    return style


def write_heldout(folder: Path) -> None:
    """Spoiled like the training pictures, of seeds that no set has; texts.json has what they say."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {}
    for number in range(COUNT):
        image, _, program = picture(FIRST_SEED + number, SMALL, enlarged=True)
        name = f"{number:02}.jpg"
        image.save(folder / name, quality=85, optimize=True)
        texts[name] = text_of_program(program)
    (folder / "texts.json").write_text(json.dumps(texts, indent=1) + "\n")
