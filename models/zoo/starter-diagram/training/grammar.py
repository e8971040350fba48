"""Owns the algorithms: random small programs, and the text that the model learns to write for each.

One statement a line, blocks closed by `end if` and `end while`, no indentation:

    start / input n / while n > 0 / if n == 3 / output n / else / n = n + 1 / end if / n = n - 1 / end while / end

`Word` keeps what is drawn apart from what is written: a chart may say "read n" or "n := 5", the text says `input n`, `n = 5`.
"""

from dataclasses import dataclass, field
from random import Random

NAMES = ["a", "b", "c", "i", "k", "m", "n", "s", "t", "x", "y", "sum", "max", "min", "count", "total"]
NAME_WEIGHTS = [8] * 11 + [4, 3, 3, 3, 3]
ARITHMETIC = {"+": ["+"], "-": ["-"], "*": ["*", "×"], "/": ["/", "÷"], "%": ["%", "mod"]}
COMPARISON = {"<": ["<"], ">": [">"], "<=": ["<=", "≤"], ">=": [">=", "≥"], "==": ["==", "=", "="], "!=": ["!=", "≠"]}
ASSIGN = ["=", "=", "=", ":=", "←"]
SPOKEN = {"input": ["input", "read", "get"], "output": ["output", "print", "write"]}
TERMINAL = {"start": ["start", "begin"], "end": ["end", "stop"]}
MAX_DEPTH = 2


@dataclass
class Word:
    """Drawn text and the written tokens that it stands for (two for a number of two digits)."""

    drawn: str
    tokens: list[str]


@dataclass
class Statement:
    kind: str  # start, end, input, output, process, if, while
    words: list[Word]
    yes: list["Statement"] = field(default_factory=list)
    no: list["Statement"] = field(default_factory=list)


def cased(rng: Random, word: str) -> str:
    return rng.choice([word, word, word.capitalize(), word.upper()])


def name(rng: Random) -> Word:
    chosen = rng.choices(NAMES, NAME_WEIGHTS)[0]
    return Word(chosen, [chosen])


def number(rng: Random) -> Word:
    digits = str(rng.randint(0, 9) if rng.random() < 0.75 else rng.randint(10, 99))
    return Word(digits, list(digits))


def value(rng: Random) -> Word:
    return name(rng) if rng.random() < 0.5 else number(rng)


def symbol(rng: Random, table: dict[str, list[str]]) -> Word:
    written = rng.choice(list(table))
    return Word(rng.choice(table[written]), [written])


def expression(rng: Random) -> list[Word]:
    if rng.random() < 0.3:
        return [value(rng)]
    return [name(rng), symbol(rng, ARITHMETIC), value(rng)]


def simple(rng: Random, kind: str) -> Statement:
    if kind == "process":
        target = name(rng)
        return Statement(kind, [target, Word(rng.choice(ASSIGN), ["="]), *expression(rng)])
    said = Word(cased(rng, rng.choice(SPOKEN[kind])), [kind])
    what = [name(rng)] if kind == "input" or rng.random() < 0.8 else expression(rng)
    return Statement(kind, [said, *what])


def condition(rng: Random) -> list[Word]:
    words = [name(rng), symbol(rng, COMPARISON), value(rng)]
    if rng.random() < 0.25:
        words[-1].drawn += "?"
    return words


def block(rng: Random, nodes: int, depth: int = 0) -> list[Statement]:
    """Statements with so many nodes in all, those of their branches counted."""
    statements: list[Statement] = []
    while nodes > 0:
        chance = rng.random()
        if nodes >= 2 and depth < MAX_DEPTH and chance < (0.45 if depth == 0 else 0.2):
            inner = rng.randint(1, nodes - 1)
            made = Statement("if" if chance < (0.28 if depth == 0 else 0.12) else "while", condition(rng))
            others = rng.randint(1, inner - 1) if made.kind == "if" and inner >= 2 and rng.random() < 0.6 else 0
            made.yes = block(rng, inner - others, depth + 1)
            made.no = block(rng, others, depth + 1)
            nodes -= inner + 1
        else:
            made = simple(rng, rng.choices(["input", "output", "process"], [2, 2, 4])[0])
            nodes -= 1
        statements.append(made)
    return statements


def program(rng: Random) -> list[Statement]:
    """Start, one to five nodes, end."""
    inside = rng.choices([1, 2, 3, 4, 5], [1, 2, 3, 4, 5])[0]
    statements = block(rng, inside)
    if statements[0].kind in ("process", "output") and rng.random() < 0.5:
        statements[0] = simple(rng, "input")
    if statements[-1].kind in ("process", "input") and rng.random() < 0.5:
        statements[-1] = simple(rng, "output")
    start, end = (Word(cased(rng, rng.choice(TERMINAL[kind])), [kind]) for kind in ("start", "end"))
    return [Statement("start", [start]), *statements, Statement("end", [end])]


def lines_of(statements: list[Statement]) -> list[list[str]]:
    """The written tokens, line by line."""
    lines: list[list[str]] = []
    for statement in statements:
        own = [token for word in statement.words for token in word.tokens]
        if statement.kind in ("if", "while"):
            lines.append([statement.kind, *own])
            lines += lines_of(statement.yes)
            if statement.no:
                lines.append(["else"])
                lines += lines_of(statement.no)
            lines.append(["end", statement.kind])
        else:
            lines.append(own)
    return lines
