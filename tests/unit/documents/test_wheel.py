"""What is installed: two names in site-packages, the assets with them, and a page that opens from anywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import ROOT
from tests.support.page import fetched, served_page

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
FOLDERS = ("irl_core", "ui", "train", "assets")


def requirements_in(name: str) -> list[str]:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_the_list_of_packages_is_what_lies_on_the_disk():
    names = {folder: package for package, folder in SETUPTOOLS["package-dir"].items()}
    on_disk = {"irl_core.assets"}
    for top in ("irl_core", "ui", "train"):
        for file in (ROOT / top).rglob("__init__.py"):
            parts = file.parent.relative_to(ROOT / top).parts
            on_disk.add(".".join([names.get(top, top), *parts]))
    assert set(SETUPTOOLS["packages"]) == on_disk
    assert len(SETUPTOOLS["packages"]) == len(on_disk)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-serve.txt", "requirements-train.txt"])
def test_a_file_of_requirements_that_the_wheel_reads_holds_nothing_but_requirements(name):
    requirements = requirements_in(name)
    assert requirements
    assert not [line for line in requirements if line.startswith("-")]


class Installed(NamedTuple):
    """The files of the wheel that was made of the checkout and of that made of the source distribution, the Python of
    an environment that has it, and a folder elsewhere."""

    files: set[str]
    from_sdist: set[str]
    python: Path
    elsewhere: Path

    def run(self, *command: str | Path) -> str:
        """What a command prints, run elsewhere; a command without a path is one of the environment."""
        ran = subprocess.run(
            [str(self.python.parent / command[0]), *map(str, command[1:])],
            cwd=self.elsewhere,
            env=self.environment(),
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.elsewhere)}


def build(source: Path, out: Path, *kinds: str) -> Path:
    """Build without a network; the wheel."""
    command = [sys.executable, "-m", "build", "--no-isolation", *kinds, "--outdir", out, source]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Installed:
    """The wheel, installed without what it needs, which the environment borrows from this one."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in FOLDERS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (
        *ROOT.glob("requirements*.txt"),
        *(ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE")),
    ):
        shutil.copy2(file, source)
    from_sdist = build(source, folder / "both")
    wheel = build(source, folder / "wheel", "--wheel")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = environment / "bin" / "python"
    (site_packages,) = environment.glob("lib/*/site-packages")
    (site_packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, str(wheel)], check=True)
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    names = [set(zipfile.ZipFile(file).namelist()) for file in (wheel, from_sdist)]
    return Installed(names[0], names[1], python, elsewhere)


@pytest.mark.slow
def test_two_names_land_in_site_packages(installed):
    assert {name.partition("/")[0] for name in installed.files if ".dist-info/" not in name} == {"irl_core", "errata"}
    assert {name.split("/")[1] for name in installed.files if name.startswith("errata/")} == {"ui", "train"}


@pytest.mark.slow
def test_every_file_of_the_code_and_the_assets_travels(installed):
    places = {"irl_core": "irl_core", "ui": "errata/ui", "train": "errata/train", "assets": "irl_core/assets"}
    for folder, place in places.items():
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        assert {f"{place}/{path.relative_to(ROOT / folder).as_posix()}" for path in files} <= installed.files


@pytest.mark.slow
def test_a_wheel_from_the_source_distribution_is_the_same(installed):
    assert installed.from_sdist == installed.files


@pytest.mark.slow
def test_an_installed_library_reads_its_own_adapters(installed):
    said = installed.run("python", "-c", "from irl_core.models.pairs import PAIRS as p; print(p['small'].critic)")
    critic = Path(said.strip())
    assert critic.is_relative_to(installed.python.parents[1])
    assert (critic / "critic.json").is_file()


@pytest.mark.slow
def test_an_installed_page_opens_from_anywhere_with_its_assets(installed):
    command = [installed.python.parent / "errata", "--replay-only"]
    with served_page(command, installed.elsewhere, installed.environment()) as url:
        assert b'content="Errata: see where a math solution goes wrong"' in fetched(url)
        assert fetched(f"{url}favicon.ico") == (ROOT / "assets" / "favicon.svg").read_bytes()
        assert fetched(f"{url}thumbnail.png") == (ROOT / "assets" / "thumbnail.png").read_bytes()


@pytest.mark.slow
def test_the_other_commands_work_where_it_is_installed(installed):
    assert installed.run("errata", "cache").startswith("nothing was made in ")
    assert "--traces" in installed.run("python", "-m", "errata.train.evaluate", "--help")
    (configs,) = installed.python.parents[1].glob("lib/*/site-packages/errata/train/configs")
    help_over_a_file = installed.run(
        "python", "-m", "errata.train.sft", "--config", configs / "sft/standard.yaml", "-h"
    )
    assert "--demonstrations" in help_over_a_file


@pytest.mark.slow
def test_an_installed_version_is_that_of_the_project(installed):
    said = installed.run("python", "-c", "from importlib.metadata import version; print(version('errata'))")
    assert said.strip() == PROJECT["project"]["version"]
