"""A Space of Hugging Face: the folder that is uploaded, with what the app needs of a checkout and no more."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import NamedTuple

PARTS = (
    "README.md",
    "Spacefile",
    "LICENSE",
    "app.py",
    "requirements.txt",
    "constraints.txt",
    "irl_core",
    "ui",
    "assets",
)
PLACEHOLDER = "OWNER/errata"
"""What `Spacefile` and the front matter of the README call a Space that has no name yet."""

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_BODY = """\
![The page, with a wrong step marked](assets/thumbnail.png)

Errata shows where a mathematical solution goes wrong: a small language model writes several solutions to a problem,
and a critic that learned from expert solutions alone marks every token and step, says which step is suspect and why,
and reranks the answers. The method is after [arXiv 2510.01857](https://arxiv.org/abs/2510.01857).

A mark is a question, not a verdict. Errata is Apache-2.0; GSM8K, SVAMP, KaTeX and the fonts keep their own
licences (`assets/`).
"""


class Space(NamedTuple):
    """A folder that was written: how many files and bytes it has, and the command that uploads it."""

    folder: Path
    files: int
    bytes: int
    upload: str


def write_space(checkout: Path, folder: Path, name: str = PLACEHOLDER) -> Space:
    """Write what a Space needs into `folder`, which is made.

    The README keeps its front matter, which is how a Space is configured, and gets a text without links to what stays
    behind. Where no `name` is given, the front matter names no thumbnail, whose address would hold it.

    Args:
        checkout: the root of a checkout of Errata; an installed package lacks some of what is needed.
        name: owner/name on the hub.

    Raises:
        ValueError: if `name` is none of a Space, `folder` holds something already or lies in what is copied, or the
            checkout is incomplete.
        OSError: if something cannot be copied.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} names no Space: write OWNER/NAME")
    if missing := [part for part in PARTS if not (checkout / part).exists()]:
        raise ValueError(f"a Space is written from a checkout of Errata; {checkout} lacks {', '.join(missing)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} is not empty; name a new folder")
    if any(folder.resolve().is_relative_to((checkout / part).resolve()) for part in PARTS):
        raise ValueError(f"{folder} would become a part of itself; name a folder elsewhere")
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        _copy(checkout / part, folder / part)
    _name_it(folder, name)
    sizes = [file.stat().st_size for file in folder.rglob("*") if file.is_file()]
    return Space(folder, len(sizes), sum(sizes), f"hf upload {name} {shlex.quote(str(folder))} . --repo-type space")


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    else:
        shutil.copy2(source, target)


def _name_it(folder: Path, name: str) -> None:
    """Put the name where the placeholder stands, and the Space's own text under the front matter."""
    for file in (folder / "Spacefile", folder / "README.md"):
        text = file.read_text("utf-8")
        if name == PLACEHOLDER:
            text = re.sub(r"(?m)^ *thumbnail:.*\n", "", text)
        file.write_text(text.replace(PLACEHOLDER, name), "utf-8")
    readme = folder / "README.md"
    front_matter = re.match(r"---\n.*?\n---\n", readme.read_text("utf-8"), re.DOTALL)
    if not front_matter:
        raise ValueError("README.md of the checkout has no front matter, which configures a Space")
    readme.write_text(f"{front_matter[0]}\n# Errata\n\n{_BODY}", "utf-8")
