"""Writes ../manifest.yaml: what the loader needs, samples, and the sums of the files. starter-rerank's is written so too.

    python manifest.py
"""
import hashlib
import json
from pathlib import Path

from evaluate import VERSION_FOLDER, Shipped
from export import TOKENS_MAX

# A text; the one that is nearest to it; others.
SAMPLES = [
    ("How do I cook rice?", "Boil the rice in water for fifteen minutes.",
     ["The train to the city leaves at noon.", "She bought a new guitar."]),
    ("A dog is running on the beach.", "An animal runs along the sea.",
     ["A man is reading a newspaper.", "The price of oil rose again."]),
    ("Мужчина играет на гитаре.", "Музыкант исполняет песню.",
     ["Девочка ест яблоко.", "Погода сегодня холодная."]),
    ("Кошка спит на диване.", "A cat is sleeping on the sofa.",
     ["A plane is flying over the mountains.", "The company sells software."]),
]

HEAD = """\
task: {task}
default: true
description: {description}
licence: CC-BY-SA-4.0
version_policy: latest
# int8 weights, fp32 activations: the answer does not depend on the batch.
dtype: q8
limits: {{ text_tokens_max: {tokens_max} }}
samples:
"""


def quoted(value) -> str:
    return json.dumps(value, ensure_ascii=False)


def write_manifest(version_folder: Path, samples: list[str], **head: str | int) -> None:
    """Beside the version folder. `head` has what HEAD names."""
    lines = [HEAD.format(**head), *samples, "files:\n"]
    for path in sorted(path for path in version_folder.rglob("*") if path.is_file()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        lines.append(f"  {path.relative_to(version_folder.parent)}: {{ sha256: {digest} }}\n")
    (version_folder.parent / "manifest.yaml").write_text("".join(lines), encoding="utf-8")


def main():
    encode, lines = Shipped(), []
    for text, nearest, others in SAMPLES:
        scores = encode([nearest, *others]) @ encode([text])[0]
        assert scores.argmax() == 0, (text, scores)
        lines.append(f"  - input: {quoted(text)}\n    nearest:\n      among:\n")
        lines += [f"        - {quoted(other)}\n" for other in (others[0], nearest, *others[1:])]
        lines.append(f"      expect: {quoted(nearest)}\n")
    description = "Turns an English or Russian sentence into 192 numbers, near for texts of like meaning"
    write_manifest(VERSION_FOLDER, lines, task="feature-extraction", description=description, tokens_max=TOKENS_MAX)


if __name__ == "__main__":
    main()
