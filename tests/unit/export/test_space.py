"""The folder that is uploaded as a Space."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
import yaml

from irl_core.export.space import PARTS, write_space
from tests.conftest import ROOT
from tests.support.page import fetched, served_page
from train.export import main

FRONT_MATTER = (
    "title: Errata\nthumbnail: https://huggingface.co/spaces/OWNER/errata/resolve/main/assets/thumbnail.png\n"
)


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A checkout of few bytes with all that is needed, and some that is not."""
    root = tmp_path / "checkout"
    for part in (*PARTS, "tests", ".git", "train"):
        if "." in part[1:] or part[0].isupper():
            root.mkdir(exist_ok=True)
            (root / part).write_text(f"{part}\n")
        else:
            (root / part / "__pycache__").mkdir(parents=True)
            (root / part / "__pycache__" / "module.pyc").write_bytes(b"\0")
            (root / part / "module.py").write_text("")
    (root / "README.md").write_text(f"---\n{FRONT_MATTER}---\n\n# Errata\n\nSee [use](docs/use.md).\n")
    (root / "Spacefile").write_text("huggingface:\n" + "".join(f"  {line}\n" for line in FRONT_MATTER.splitlines()))
    return root


def front_matter(folder: Path) -> dict[str, object]:
    found = re.match(r"---\n(.*?)\n---\n", (folder / "README.md").read_text("utf-8"), re.DOTALL)
    assert found
    return yaml.safe_load(found[1])


def test_a_space_holds_what_the_app_needs_and_nothing_else(checkout, tmp_path):
    space = write_space(checkout, tmp_path / "space", "me/errata")
    assert {path.name for path in space.folder.iterdir()} == set(PARTS)
    assert not list(space.folder.rglob("__pycache__"))
    assert space.files == len([path for path in space.folder.rglob("*") if path.is_file()])
    assert space.upload == f"hf upload me/errata {space.folder} . --repo-type space"


def test_the_name_stands_where_the_picture_of_the_space_is_looked_for(checkout, tmp_path):
    folder = write_space(checkout, tmp_path / "space", "me/marks").folder
    address = "https://huggingface.co/spaces/me/marks/resolve/main/assets/thumbnail.png"
    assert front_matter(folder) == {"title": "Errata", "thumbnail": address}
    assert yaml.safe_load((folder / "Spacefile").read_text())["huggingface"] == front_matter(folder)


def test_without_a_name_no_picture_is_claimed(checkout, tmp_path):
    space = write_space(checkout, tmp_path / "space")
    assert front_matter(space.folder) == {"title": "Errata"}
    assert space.upload.startswith("hf upload OWNER/errata ")


def test_the_text_of_a_space_links_to_nothing_that_stays_behind(checkout, tmp_path):
    folder = write_space(checkout, tmp_path / "space", "me/errata").folder
    targets = re.findall(r"\]\(([^)]*)\)", (folder / "README.md").read_text("utf-8"))
    assert targets == ["assets/thumbnail.png", "https://arxiv.org/abs/2510.01857"]


@pytest.mark.parametrize("name", ["", "errata", "me/", "/errata", "a/b/c", "me/er rata", "../errata", "me/errata\n"])
def test_what_is_no_name_of_a_space_is_refused(name, checkout, tmp_path):
    with pytest.raises(ValueError, match="names no Space: write OWNER/NAME"):
        write_space(checkout, tmp_path / "space", name)
    assert not (tmp_path / "space").exists()


@pytest.mark.parametrize("kind", ["a folder with a file", "a file"])
def test_what_is_there_already_is_left_alone(kind, checkout, tmp_path):
    there = tmp_path / "space"
    if kind == "a file":
        there.write_text("mine")
    else:
        there.mkdir()
        (there / "file").write_text("mine")
    with pytest.raises(ValueError, match="is not empty; name a new folder"):
        write_space(checkout, there)
    assert (there if there.is_file() else there / "file").read_text() == "mine"


def test_a_space_is_not_written_into_what_is_copied(checkout):
    with pytest.raises(ValueError, match="would become a part of itself"):
        write_space(checkout, checkout / "assets" / "space")


def test_what_a_checkout_lacks_is_named(checkout, tmp_path):
    (checkout / "Spacefile").unlink()
    with pytest.raises(ValueError, match=r"is written from a checkout of Errata; .* lacks Spacefile"):
        write_space(checkout, tmp_path / "space")


def test_a_readme_without_front_matter_is_refused(checkout, tmp_path):
    (checkout / "README.md").write_text("# Errata\n")
    with pytest.raises(ValueError, match="no front matter"):
        write_space(checkout, tmp_path / "space")


@pytest.mark.parametrize("options", [[], ["--space", str(ROOT)], ["--space", "new", "--name", "nobody"]])
def test_the_command_says_what_is_wrong_and_writes_nothing(options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main(options)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_app_starts_from_a_space_alone(tmp_path, capsys):
    space = tmp_path / "space"
    main(["--space", str(space), "--name", "me/errata"])
    assert f"upload it with: hf upload me/errata {space} . --repo-type space" in capsys.readouterr().err
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "SPACE_HOST": "me-errata.hf.space"}
    with served_page([sys.executable, "app.py", "--replay-only"], space, environment) as url:
        assert b'content="https://me-errata.hf.space/thumbnail.png"' in fetched(url)
        assert fetched(f"{url}thumbnail.png") == (space / "assets" / "thumbnail.png").read_bytes()
