"""Owns the shapes: for each class, the strokes that draw it in a box from (-w, -h) to (w, h), and how wide it may be.

The first stroke is the outline; it may be filled. Variants that real diagrams use for one meaning are one class: process
boxes with sharp and round corners, documents with a wavy foot or a folded corner, circles with one ring or two.
"""

import math
from random import Random

Point = tuple[float, float]
Stroke = list[Point]


def arc(x: float, y: float, rx: float, ry: float, start: float, stop: float, parts: int = 14) -> Stroke:
    """Angles in turns, clockwise from the right."""
    turns = [start + (stop - start) * i / parts for i in range(parts + 1)]
    return [(x + rx * math.cos(t * 2 * math.pi), y + ry * math.sin(t * 2 * math.pi)) for t in turns]


def closed(*points: Point) -> Stroke:
    return [*points, points[0]]


def rectangle(w: float, h: float) -> Stroke:
    return closed((-w, -h), (w, -h), (w, h), (-w, h))


def rounded(w: float, h: float, radius: float) -> Stroke:
    x, y = w - radius, h - radius
    corners = [arc(x, -y, radius, radius, -0.25, 0, 6), arc(x, y, radius, radius, 0, 0.25, 6),
               arc(-x, y, radius, radius, 0.25, 0.5, 6), arc(-x, -y, radius, radius, 0.5, 0.75, 6)]  # fmt: skip
    return closed(*[point for corner in corners for point in corner])


def process(w, h, rng: Random):
    return [rectangle(w, h) if rng.random() < 0.5 else rounded(w, h, rng.uniform(0.08, 0.3) * min(w, h) * 2)]


def decision(w, h, rng):
    return [closed((0, -h), (w, 0), (0, h), (-w, 0))]


def terminator(w, h, rng):
    return [closed(*arc(0, 0, w, h, 0, 1, 32)[:-1]) if rng.random() < 0.3 else rounded(w, h, min(w, h) * 0.99)]


def input_output(w, h, rng):
    lean = rng.uniform(0.25, 0.7) * h
    return [closed((-w + lean, -h), (w, -h), (w - lean, h), (-w, h))]


def wavy(w, h, depth, x=0.0, y=0.0) -> Stroke:
    foot = [(x + w - 2 * w * i / 16, y + h - depth - depth * math.sin(i / 16 * 2 * math.pi)) for i in range(17)]
    return closed((x - w, y - h), (x + w, y - h), *foot)


def document(w, h, rng):
    if rng.random() < 0.5:
        return [wavy(w, h, rng.uniform(0.12, 0.25) * h)]
    fold = rng.uniform(0.3, 0.6) * min(w, h)
    page = closed((-w, -h), (w - fold, -h), (w, -h + fold), (w, h), (-w, h))
    return [page, [(w - fold, -h), (w - fold, -h + fold), (w, -h + fold)]]


def documents(w, h, rng):
    depth, step = rng.uniform(0.12, 0.2) * h, rng.uniform(0.08, 0.16) * min(w, h)
    front = wavy(w - 2 * step, h - 2 * step, depth, -2 * step, 2 * step)
    behind: list[Stroke] = []
    for k in (1, 2):
        left, top, right = -w + 2 * step * k, -h + 2 * step * (2 - k), w - 2 * step * (2 - k)
        low = h - 2 * step * k - depth
        behind.append([(left, top + 2 * step), (left, top), (right, top), (right, low), (right - 2 * step, low)])
    return [front, *behind]


def database(w, h, rng):
    lid = rng.uniform(0.15, 0.35) * h
    body = closed((-w, -h + lid), *arc(0, -h + lid, w, lid, 0.5, 1.0), *arc(0, h - lid, w, lid, 0, 0.5))
    rings = [arc(0, -h + lid + ring * lid * 0.7, w, lid, 0, 0.5) for ring in range(rng.choice([1, 1, 2, 3]))]
    return [body, *rings]


def subroutine(w, h, rng):
    bar = rng.uniform(0.08, 0.18) * w
    return [rectangle(w, h), [(-w + bar, -h), (-w + bar, h)], [(w - bar, -h), (w - bar, h)]]


def connector(w, h, rng):
    rings = [closed(*arc(0, 0, w, h, 0, 1, 32)[:-1])]
    if rng.random() < 0.3:
        share = rng.uniform(0.75, 0.88)
        rings.append(closed(*arc(0, 0, w * share, h * share, 0, 1, 32)[:-1]))
    return rings


def off_page(w, h, rng):
    shoulder = rng.uniform(0.0, 0.4) * h
    return [closed((-w, -h), (w, -h), (w, shoulder), (0, h), (-w, shoulder))]


def manual_input(w, h, rng):
    return [closed((-w, -h + rng.uniform(0.4, 0.8) * h), (w, -h), (w, h), (-w, h))]


def preparation(w, h, rng):
    point = rng.uniform(0.4, 0.8) * min(w, h)
    return [closed((-w, 0), (-w + point, -h), (w - point, -h), (w, 0), (w - point, h), (-w + point, h))]


def delay(w, h, rng):
    round_ = min(w, h)
    return [closed((-w, -h), *arc(w - round_, 0, round_, h, -0.25, 0.25, 16), (-w, h))]


def manual_operation(w, h, rng):
    taper = rng.uniform(0.25, 0.6) * min(w, h)
    return [closed((-w, -h), (w, -h), (w - taper, h), (-w + taper, h))]


def display(w, h, rng):
    nose, back = rng.uniform(0.6, 0.9) * min(w, h), rng.uniform(0.25, 0.45) * min(w, h)
    return [closed((-w, 0), (-w + nose, -h), *arc(w - back, 0, back, h, -0.25, 0.25, 12), (-w + nose, h))]


def arrow(w, h, rng):
    tip = (w * 0.95, 0.0)
    bend = rng.random()
    if bend < 0.6:
        shaft = [(-w, 0.0), tip]
    elif bend < 0.8:
        shaft = [(-w, -h), (0.0, -h), (0.0, 0.0), tip]
    else:
        shaft = [(-w, h * rng.choice([-1, 1])), (rng.uniform(-w, w * 0.3), h * rng.uniform(-0.5, 0.5)), tip]
    before = shaft[-2]
    angle, size = math.atan2(tip[1] - before[1], tip[0] - before[0]), rng.uniform(0.18, 0.4) * w
    wings = [(tip[0] - size * math.cos(angle + s), tip[1] - size * math.sin(angle + s)) for s in (0.45, -0.45)]
    head = [wings[0], tip, wings[1]]
    return [closed(*head) if rng.random() < 0.6 else head, shaft]


def actor(w, h, rng):
    head = h * rng.uniform(0.2, 0.28)
    neck, hip = -h + 2 * head, h * rng.uniform(0.2, 0.4)
    arms = neck + h * rng.uniform(0.1, 0.3)
    lift = rng.uniform(-0.2, 0.2) * h
    ring = closed(*arc(0, -h + head, head, head, 0, 1, 20)[:-1])
    return [ring, [(0, neck), (0, hip)], [(-w, arms + lift), (0, arms), (w, arms + lift)], [(-w, h), (0, hip), (w, h)]]


def cloud(w, h, rng):
    bumps = rng.randint(5, 8)
    turned, points = rng.random(), []
    for k in range(bumps):
        middle = (k + turned) / bumps
        x, y = 0.68 * w * math.cos(middle * 2 * math.pi), 0.62 * h * math.sin(middle * 2 * math.pi)
        reach = 1.0 / bumps + 0.13
        points += arc(x, y, 0.36 * w, 0.4 * h, middle - reach, middle + reach, 8)
    return [closed(*points)]


# Class: its drawing, and the range of its width to its height.
SYMBOLS = {
    "process": (process, (0.9, 3.0)),
    "decision": (decision, (0.8, 2.4)),
    "terminator": (terminator, (1.6, 3.6)),
    "input-output": (input_output, (1.2, 3.2)),
    "document": (document, (0.65, 2.2)),
    "documents": (documents, (1.0, 2.0)),
    "database": (database, (0.6, 1.5)),
    "subroutine": (subroutine, (1.0, 3.0)),
    "connector": (connector, (0.92, 1.08)),
    "off-page": (off_page, (0.7, 1.4)),
    "manual-input": (manual_input, (1.2, 2.8)),
    "preparation": (preparation, (1.2, 3.0)),
    "delay": (delay, (1.0, 2.4)),
    "manual-operation": (manual_operation, (1.2, 3.0)),
    "display": (display, (1.2, 2.6)),
    "arrow": (arrow, (1.5, 6.0)),
    "actor": (actor, (0.4, 0.8)),
    "cloud": (cloud, (1.1, 2.0)),
}
LABELS = list(SYMBOLS)
