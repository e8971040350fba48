"""Owns where texts come from: Debian packages and lists, and public git repositories pinned to one commit, fetched
into work/ on first use.

Knows which files are needed, and nothing of what is in them. Needs Debian 12 (apt-get) and git.
"""
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORK = HERE / "work"


@dataclass
class Repository:
    name: str
    commit: str
    paths: list[str]


REPOSITORIES = {
    "ntrex": Repository(
        "MicrosoftTranslator/NTREX",
        "8561f6a622db9edad1217683e5c83daefd8bb2bf",
        ["NTREX-128/newstest2019-src.eng.txt", "NTREX-128/newstest2019-ref.rus.txt"],
    ),
    "xquad": Repository(
        "google-deepmind/xquad", "7d30520c717524000f0d9d2f9c10a069acd9d285", ["xquad.en.json", "xquad.ru.json"]
    ),
    "tatoeba": Repository(
        "facebookresearch/LASER",
        "74bc6ae7ffb7cba670fe0f428d0ede9f666fb821",
        ["data/tatoeba/v1/tatoeba.rus-eng.eng", "data/tatoeba/v1/tatoeba.rus-eng.rus"],
    ),
}


def repository(name: str) -> Path:
    """The repository's files under work/."""
    source, target = REPOSITORIES[name], WORK / f"source-{name}"
    if not target.exists():
        clone = WORK / f"clone-{name}"
        shutil.rmtree(clone, ignore_errors=True)
        WORK.mkdir(exist_ok=True)
        url = f"https://github.com/{source.name}"
        git = lambda *arguments: subprocess.run(["git", "-C", clone, *arguments], check=True)
        # Sparse, so that only what lies under `paths` is downloaded.
        subprocess.run(["git", "clone", "--quiet", "--filter=blob:none", "--no-checkout", url, clone], check=True)
        git("sparse-checkout", "set", "--no-cone", *(f"/{path}" for path in source.paths))
        git("checkout", "--quiet", source.commit)
        shutil.rmtree(clone / ".git")
        clone.rename(target)
    return target


def debian_package(name: str) -> Path:
    """The unpacked files of a Debian package; nothing is installed."""
    target = WORK / f"package-{name}"
    if not target.exists():
        download = WORK / f"download-{name}"
        download.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "--quiet", name], cwd=download, check=True)
        (archive,) = download.glob("*.deb")
        subprocess.run(["dpkg", "-x", archive, target], check=True)
        shutil.rmtree(download)
    return target


def debian_list(ending: str) -> str:
    """One of Debian's lists of all packages, whose file name ends so: descriptions in a language, or AppStream data."""
    lists = WORK / "lists"
    if not lists.exists():
        (lists / "partial").mkdir(parents=True)
        options = ["-o", f"Dir::State::lists={lists}", "-o", "Acquire::Languages=en,ru"]
        subprocess.run(["apt-get", *options, "update"], check=True)
    # The list of the release itself comes first by name; the security and update lists hold only changes.
    (found,) = [path for path in lists.glob(f"*_bookworm_main_{ending}*") if path.is_file()]
    read = ["/usr/lib/apt/apt-helper", "cat-file", found]
    return subprocess.run(read, check=True, capture_output=True).stdout.decode("utf-8")
