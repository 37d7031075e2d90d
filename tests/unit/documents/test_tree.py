"""The documents name what is on the disk, and the picture shows the layers that are held."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# What lab notes tell of belongs to its day, and may be gone.
OF_TODAY = [path for path in DOCUMENTS if path.name != "lab-notes.md"]
NOT_SHOWN = {"stories", "checkpoints", "gallery", "fonts", "studies", "__pycache__"}


def tree() -> dict[str, str]:
    """Path -> what the README says of it, for every line of its tree."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"<!-- tree -->\n```\n(.*?)```", readme, re.DOTALL)
    assert block
    entries, folders = {}, [""]
    for line in block[1].splitlines():
        indent, name, words = re.fullmatch(r"( *)(\S+) +(\S.*)", line).groups()
        depth = len(indent) // 2
        path = folders[depth] + name
        folders[depth + 1 :] = [path]
        entries[path] = words
    return entries


def folders_of(parent: Path) -> set[str]:
    names = {p.name for p in parent.iterdir() if p.is_dir() and p.name not in NOT_SHOWN and not p.name.startswith(".")}
    return {f"{p}/" for p in names}


def test_every_line_of_the_tree_is_on_the_disk_and_says_something():
    for path, words in tree().items():
        assert (ROOT / path).is_dir() if path.endswith("/") else (ROOT / path).is_file(), path
        assert len(words) > 10, path


def test_every_folder_of_the_code_is_in_the_tree():
    shown = set(tree())
    for parent in ("irl_core/", "irl_core/critic/", "irl_core/learning/", "ui/", "train/"):
        assert {parent + name for name in folders_of(ROOT / parent)} <= shown, parent


def test_the_library_holds_no_loose_modules_but_loading():
    assert {p.name for p in (ROOT / "irl_core").glob("*.py")} == {"__init__.py", "loading.py"}


@pytest.mark.parametrize("document", OF_TODAY, ids=lambda path: path.name)
def test_a_path_that_a_document_names_is_there(document):
    named = re.findall(r"`((?:irl_core|ui|train|docs|assets|benchmarks|tests)/[\w./-]+)`", document.read_text("utf-8"))
    missing = [path for path in named if not (ROOT / path).exists()]
    assert not missing


@pytest.mark.parametrize("document", OF_TODAY, ids=lambda path: path.name)
def test_a_link_between_documents_leads_somewhere(document):
    links = re.findall(r"\]\(((?!https?:)[^)#]+)", document.read_text("utf-8"))
    missing = [link for link in links if not (document.parent / link).exists()]
    assert not missing


def test_the_picture_of_the_architecture_shows_the_layers_that_are_held():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = [re.split(r" \| ", layer) for layer in contracts[0]["layers"]]
    drawn = re.findall(r'class="t"[^>]*>(\w+)<', (ROOT / "docs/architecture.svg").read_text("utf-8"))
    assert drawn == ["ui", "train", *(name for layer in layers for name in layer)]
    assert not any("ignore_imports" in contract for contract in contracts)
    assert all(contract["exhaustive"] for contract in contracts if "containers" in contract)


def test_no_test_imports_from_another_test():
    files = (ROOT / "tests").rglob("*.py")
    borrowing = [
        p.name for p in files if re.search(r"^(?:from|import) tests\.(?!support|conftest)", p.read_text(), re.M)
    ]
    assert not borrowing


def test_the_unit_tests_mirror_the_packages():
    packages = {p.name for p in (ROOT / "irl_core").iterdir() if p.is_dir() and p.name != "__pycache__"}
    # Serving is tested against real servers, in contract.
    expected = {*packages - {"serving"}, "ui", "train", "benchmarks", "documents"}
    assert {p.name for p in (ROOT / "tests/unit").iterdir() if p.is_dir() and p.name != "__pycache__"} == expected
