"""Packages of npm that check the page's scripts and markup, at the versions that `tests/web` locks."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT

WEB = ROOT / "tests" / "web"


@cache
def _fault() -> str | None:
    """Why the packages cannot be had, None where they are there; they are installed once."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "no node or no npm on this machine"
    lock = WEB / "package-lock.json"
    installed = WEB / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return None
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(WEB)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return None if ran.returncode == 0 else f"npm could not fetch the packages of tests/web: {ran.stderr[-200:]}"


def node_package(path: str) -> Path:
    """A file of an installed package; skips the test where there is no node, or no registry to install from."""
    if fault := _fault():
        pytest.skip(fault)
    return WEB / "node_modules" / path


def run_node(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a script of an installed package from the root of the repository."""
    command = ["node", node_package(script), *arguments]
    return subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, timeout=300)
