"""Owns where recordings and pretrained weights come from, each pinned, fetched into work/ on first use.

Recordings are in public git repositories: a commit names its content, so what was fetched needs no further
checking. The weights are in a Python package, checked by hash. Knows which files are needed, and nothing of
what is in them.
"""

import hashlib
import shutil
import subprocess
import sys
import zipfile
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

# The last release with the models inside; later ones download them on first use.
EMBEDDING_PACKAGE = "openwakeword==0.5.1"
EMBEDDING_MEMBER = "openwakeword/resources/models/embedding_model.onnx"
EMBEDDING_SHA256 = "70d164290c1d095d1d4ee149bc5e00543250a7316b59f31d056cff7bd3075c1f"


def embedding_path() -> Path:
    """Google's speech embedding as ONNX. The package is downloaded, not installed; nothing else of it is used."""
    target = WORK / "embedding_model.onnx"
    if not target.exists():
        folder = WORK / "wheels"
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
                        "--dest", folder, EMBEDDING_PACKAGE], check=True)  # fmt: skip
        with zipfile.ZipFile(next(folder.glob("openwakeword-*.whl"))) as wheel:
            content = wheel.read(EMBEDDING_MEMBER)
        if hashlib.sha256(content).hexdigest() != EMBEDDING_SHA256:
            raise SystemExit(f"{EMBEDDING_MEMBER} of {EMBEDDING_PACKAGE} is not the file that was used before.")
        target.write_bytes(content)
    return target


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
