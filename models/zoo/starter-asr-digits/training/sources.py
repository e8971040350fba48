"""Owns where recordings come from: public git repositories, each pinned to one commit, fetched into work/ on first use.

Knows which folders are needed, and nothing of what is in them. A commit names its content, so what was fetched
needs no further checking.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORK = HERE / "work"
WORDS = "zero one two three four five six seven eight nine".split()


@dataclass
class Source:
    repository: str
    commit: str
    paths: list[str]


SOURCES = {
    "fsdd": Source("Jakobovski/free-spoken-digit-dataset", "d6938f9bf1545aa66d8489fc9f1385a7abd64282", ["recordings"]),
    "an4": Source("sands-lab/SIDCo", "197f3c3fc992b70b88e17bb8feaf38f2d2136e9a", ["data/an4"]),
    "alphanumeric": Source(
        "Sakshee5/alphanumeric-audio-dataset",
        "6c9a38ed7e590a45410fdc33a548005a30f03552",
        ["audio_data/Numbers", "metadata.csv"],
    ),
    "commands": Source(
        "vinsis/speech-commands-recognition",
        "53317d51bc2c75de6118ede48b0da06a412a1341",
        [f"speech_commands_v0.01/{word}" for word in WORDS],
    ),
}


def fetched(name: str) -> Path:
    """The source's files under work/."""
    source, target = SOURCES[name], WORK / f"source-{name}"
    if not target.exists():
        clone = WORK / f"clone-{name}"
        shutil.rmtree(clone, ignore_errors=True)
        WORK.mkdir(exist_ok=True)
        url = f"https://github.com/{source.repository}"
        git = lambda *arguments: subprocess.run(["git", "-C", clone, *arguments], check=True)
        # Sparse, so that only what lies under `paths` is downloaded.
        subprocess.run(["git", "clone", "--quiet", "--filter=blob:none", "--no-checkout", url, clone], check=True)
        git("sparse-checkout", "set", "--no-cone", *(f"/{path}" for path in source.paths))
        git("checkout", "--quiet", source.commit)
        shutil.rmtree(clone / ".git")
        clone.rename(target)
    return target
