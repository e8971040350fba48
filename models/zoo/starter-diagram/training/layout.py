"""Owns where things stand: a program as placed nodes, connecting lines and labels, in units of a tenth of the font's size.

Every fragment is entered at (0, 0) from above and left at (0, height). `marks` tells where each written token is to be
seen; training uses it to show the decoder where to look.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Callable

from grammar import Statement

Point = tuple[float, float]


@dataclass
class Node:
    kind: str
    x: float
    y: float
    width: float
    height: float
    statement: Statement


@dataclass
class Line:
    points: list[Point]
    arrow: bool


@dataclass
class Label:
    x: float
    y: float
    yes: bool


@dataclass
class Fragment:
    nodes: list[Node] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    left: float = 0.0
    right: float = 0.0
    height: float = 0.0
    # Whether a line that leads here ends in an arrowhead: not where there is nothing, nor before a loop's own line.
    pointed: bool = False
    # By identity of the statement: where `else` and `end if` or `end while` are seen.
    marks: dict[int, tuple[Point, Point]] = field(default_factory=dict)

    def add(self, other: "Fragment", dx: float, dy: float) -> None:
        """Takes another in, moved."""
        for node in other.nodes:
            node.x, node.y = node.x + dx, node.y + dy
        for line in other.lines:
            line.points = [(x + dx, y + dy) for x, y in line.points]
        for label in other.labels:
            label.x, label.y = label.x + dx, label.y + dy
        self.nodes += other.nodes
        self.lines += other.lines
        self.labels += other.labels
        moved = lambda p: (p[0] + dx, p[1] + dy)  # noqa: E731
        self.marks |= {key: (moved(a), moved(b)) for key, (a, b) in other.marks.items()}
        self.left = max(self.left, other.left - dx)
        self.right = max(self.right, other.right + dx)

    def line(self, *points: Point, arrow: bool = True) -> None:
        self.lines.append(Line(list(points), arrow))
        self.left = max(self.left, *(-x for x, _ in points))
        self.right = max(self.right, *(x for x, _ in points))


@dataclass
class Spacing:
    """One chart's distances."""

    gap: float
    branch: float
    side: float
    pad: float
    diamond: float

    @staticmethod
    def random(rng: Random) -> "Spacing":
        u = rng.uniform
        return Spacing(u(10, 17), u(12, 18), u(10, 22), u(4, 9), u(2.2, 3.0))


class Layout:
    """Places the statements of one chart. `measure` gives the width of a statement's text at font size 10."""

    def __init__(self, rng: Random, measure: Callable[[Statement], float]):
        self.rng, self.measure, self.space = rng, measure, Spacing.random(rng)
        self.same_width = rng.random() < 0.3
        self.mirror = rng.choice([1, -1]) if rng.random() < 0.7 else 0
        self.arrows_at_merge = rng.random() < 0.5
        self.text_height = 10.0

    def sequence(self, statements: list[Statement]) -> Fragment:
        whole = Fragment()
        for index, statement in enumerate(statements):
            made = {"if": self.choice, "while": self.loop}.get(statement.kind, self.single)(statement)
            if index == 0:
                whole.pointed = made.pointed
            else:
                whole.line((0, whole.height), (0, whole.height + self.space.gap), arrow=made.pointed)
                whole.height += self.space.gap
            whole.add(made, 0, whole.height)
            whole.height += made.height
        return whole

    def single(self, statement: Statement) -> Fragment:
        text = self.measure(statement)
        height = self.text_height + 2 * self.space.pad
        slant = height * 0.5 if statement.kind in ("input", "output") else 0
        width = text + 2 * self.space.pad + slant + (height * 0.3 if statement.kind in ("start", "end") else 0)
        if self.same_width:
            width = max(width, 74.0)
        node = Node(statement.kind, 0, height / 2, width, height, statement)
        return Fragment([node], left=width / 2, right=width / 2, height=height, pointed=True)

    def diamond(self, statement: Statement, top: float = 0.0) -> tuple[Fragment, float, float]:
        height = self.text_height * self.space.diamond
        width = (self.measure(statement) + 6) / (1 - self.text_height * 0.8 / height)
        node = Node("decision", 0, top + height / 2, width, height, statement)
        whole = Fragment([node], left=width / 2, right=width / 2, height=top + height, pointed=top == 0)
        return whole, width / 2, top + height / 2

    def hand(self) -> int:
        return self.mirror or self.rng.choice([1, -1])

    def choice(self, statement: Statement) -> Fragment:
        yes, no = self.sequence(statement.yes), self.sequence(statement.no)
        if statement.no and self.rng.random() < 0.3:
            return self.forked(statement, yes, no)
        yes_below = self.rng.random() < 0.65
        below, aside = (yes, no) if yes_below else (no, yes)
        whole, reach, middle = self.diamond(statement)
        hand = self.hand()
        base = whole.height + self.space.branch
        whole.line((0, whole.height), (0, base), arrow=below.pointed)
        under = Label(self.rng.choice([-1, 1]) * 11, whole.height + 6, yes_below)
        whole.add(below, 0, base)
        column = hand * (max(whole.right if hand > 0 else whole.left, reach) + self.space.side)
        if aside.height > 0:
            column += hand * (aside.left if hand > 0 else aside.right)
        whole.add(aside, column, base)
        merge = base + max(below.height, aside.height) + self.space.gap * 0.8
        whole.line((hand * reach, middle), (column, middle), (column, base), arrow=aside.pointed)
        whole.line((column, base + aside.height), (column, merge), (0, merge), arrow=self.arrows_at_merge)
        whole.line((0, base + below.height), (0, merge), arrow=False)
        beside = Label(hand * (reach + 9), middle - 6.5, not yes_below)
        whole.labels += [under, beside]
        whole.right = max(whole.right, hand * reach + 18 if hand > 0 else 0)
        whole.left = max(whole.left, 0 if hand > 0 else reach + 18)
        whole.height = merge
        on_no = beside if yes_below else under
        whole.marks[id(statement)] = ((on_no.x, on_no.y), (0, merge))
        return whole

    def forked(self, statement: Statement, yes: Fragment, no: Fragment) -> Fragment:
        """One branch to each side."""
        whole, reach, middle = self.diamond(statement)
        hand, base = self.hand(), middle + self.space.branch + whole.height / 2
        merge = base + max(yes.height, no.height) + self.space.gap * 0.8
        seen: Point = (0, 0)
        for fragment, side, is_yes in ((yes, hand, True), (no, -hand, False)):
            inner = fragment.left if side > 0 else fragment.right
            column = side * max(reach + self.space.side * 0.6, inner + self.space.side * 0.4)
            whole.add(fragment, column, base)
            whole.line((side * reach, middle), (column, middle), (column, base), arrow=fragment.pointed)
            whole.line((column, base + fragment.height), (column, merge), (0, merge), arrow=self.arrows_at_merge)
            label = Label(side * (reach + 8), middle - 6.5, is_yes)
            whole.labels.append(label)
            whole.right, whole.left = max(whole.right, label.x + 9), max(whole.left, 9 - label.x)
            seen = (label.x, label.y)
        whole.height = merge
        whole.marks[id(statement)] = (seen, (0, merge))
        return whole

    def loop(self, statement: Statement) -> Fragment:
        body = self.sequence(statement.yes)
        top = self.space.gap * 0.8
        whole, reach, middle = self.diamond(statement, top)
        whole.line((0, 0), (0, top))
        whole.marks[id(statement)] = ((0, 0), (0, 0))
        if self.rng.random() < 0.25:
            return self.loop_aside(statement, whole, body, reach, middle)
        hand, base = self.hand(), whole.height + self.space.branch
        whole.line((0, whole.height), (0, base), arrow=body.pointed)
        whole.labels.append(Label(self.rng.choice([-1, 1]) * 11, whole.height + 6, True))
        whole.add(body, 0, base)
        turn = base + body.height + self.space.gap * 0.7
        end = turn + self.space.gap * 0.8
        back = max(whole.left if hand > 0 else whole.right, reach) + self.space.side * 0.7
        exit_ = max(whole.right if hand > 0 else whole.left, reach) + self.space.side * 0.7
        join = top * 0.35
        whole.line((0, base + body.height), (0, turn), (-hand * back, turn), (-hand * back, join), (0, join))
        whole.line((hand * reach, middle), (hand * exit_, middle), (hand * exit_, end), (0, end), arrow=False)
        return self.closed(statement, whole, Label(hand * (reach + 8), middle - 6.5, False), end)

    def loop_aside(self, statement: Statement, whole: Fragment, body: Fragment, reach: float, middle: float) -> Fragment:
        """The body stands beside the column, and the way out leads down."""
        hand, base, join = self.hand(), whole.height + self.space.branch, self.space.gap * 0.28
        column = hand * (reach + self.space.side + (body.left if hand > 0 else body.right))
        whole.line((hand * reach, middle), (column, middle), (column, base), arrow=body.pointed)
        whole.add(body, column, base)
        turn = base + body.height + self.space.gap * 0.7
        outer = hand * ((whole.right if hand > 0 else whole.left) + self.space.side * 0.6)
        whole.line((column, base + body.height), (column, turn), (outer, turn), (outer, join), (0, join))
        end = turn + self.space.gap * 0.3
        whole.labels.append(Label(hand * (reach + 8), middle - 6.5, True))
        whole.line((0, whole.height), (0, end), arrow=False)
        return self.closed(statement, whole, Label(self.rng.choice([-1, 1]) * 11, whole.height + 6, False), end)

    def closed(self, statement: Statement, whole: Fragment, way_out: Label, end: float) -> Fragment:
        whole.labels.append(way_out)
        whole.right, whole.left = max(whole.right, way_out.x + 9), max(whole.left, 9 - way_out.x)
        whole.height = end
        whole.marks[id(statement)] = ((way_out.x, way_out.y), (way_out.x, way_out.y))
        return whole
