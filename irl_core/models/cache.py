"""Where Errata keeps what it can make again, and how it knows that a file is still what it wrote.

The root is `$ERRATA_CACHE`, else `$XDG_CACHE_HOME/errata`, else `~/.cache/errata`. A folder there carries a stamp with
the checksum of each file and of what the files were made from; what does not agree with its stamp is made again.

Graphs and merged weights take at most `ERRATA_CACHE_GB` (12 where it is not set): when something new is written, what
was not used for longest goes. Backbones that were fetched are not counted and stay.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

log = logging.getLogger(__name__)

_STAMP = "errata-stamp.json"
_LOCK = ".lock"
_KINDS = ("graphs", "critics", "policies")  # `policies` was written by earlier versions
_LIMIT = "ERRATA_CACHE_GB"
_DEFAULT_GB = 12.0  # three pairs: of each a policy's graph, a critic's, and merged weights for vLLM


def cache_root() -> Path:
    """The root folder, created on demand."""
    if own := os.environ.get("ERRATA_CACHE"):
        root = Path(own)
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "errata"
    root.mkdir(parents=True, exist_ok=True)
    return root


class CacheEntry(NamedTuple):
    """A folder that was made here: `name` below the root, size in bytes, and when it was last used (Unix time)."""

    name: str
    bytes: int
    last_used: float


def cache_entries() -> list[CacheEntry]:
    """The graphs and merged weights in the cache, those of earlier versions too, the least recently used first."""
    root = cache_root()
    entries = []
    for folder in (folder for kind in _KINDS for folder in root.glob(f"{kind}/*/")):
        sizes = [size for file in folder.rglob("*") if file.name != _LOCK and (size := _size(file)) is not None]
        if sizes:
            entries.append(CacheEntry(str(folder.relative_to(root)), sum(sizes), folder.stat().st_mtime))
    return sorted(entries, key=lambda entry: entry.last_used)


def clear_cache() -> list[CacheEntry]:
    """Remove all graphs and merged weights but those that are being written now; returns what was removed."""
    return [entry for entry in cache_entries() if _emptied(cache_root() / entry.name)]


def cache_limit() -> int:
    """How many bytes graphs and merged weights may take together.

    Raises:
        ValueError: if ERRATA_CACHE_GB is not a number above zero.
    """
    text = os.environ.get(_LIMIT) or str(_DEFAULT_GB)
    try:
        gigabytes = float(text)
    except ValueError:
        gigabytes = 0.0
    if not 0 < gigabytes < float("inf"):
        raise ValueError(f"{_LIMIT} is {text!r}; it must be a number of gigabytes above zero, such as 12")
    return int(gigabytes * 1e9)


def cached_folder(kind: str, made_from: str, wanted: set[str], make: Callable[[Path], None]) -> Path:
    """The folder of `kind` that was made from `made_from`: what lies in the cache, or what `make` writes now.

    `make` is given an empty folder to write into. One process makes it, others wait. Whatever was not used for longest
    is removed then, until all that is kept fits `cache_limit`.

    Args:
        kind: "graphs" or "critics".
        wanted: names of files without which the folder is not whole.

    Raises:
        ValueError: as `cache_limit`, before anything is made.
    """
    folder = cache_root() / kind / digest(made_from)[:16]
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / _LOCK):
        if not is_intact(folder, wanted, made_from):
            limit = cache_limit()
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                make(Path(scratch))
                files = [file.replace(folder / file.name) for file in sorted(Path(scratch).iterdir())]
            write_stamp(folder, files, made_from)
            _shrink(limit, keep=folder)
        os.utime(folder)
    return folder


def _shrink(limit: int, keep: Path) -> None:
    """Remove the least recently used folders until the rest, which `keep` belongs to, has at most `limit` bytes."""
    root, entries = cache_root(), cache_entries()
    size = sum(entry.bytes for entry in entries)
    for entry in entries:
        if size <= limit:
            return
        if root / entry.name != keep and _emptied(root / entry.name):
            log.info("removed %s from the cache, to stay within %s", entry.name, _LIMIT)
            size -= entry.bytes


def _emptied(folder: Path) -> bool:
    """Remove what is in the folder, unless somebody is writing it; its lock stays, since others may wait for that."""
    try:
        with FileLock(folder / _LOCK, timeout=0):
            (folder / _STAMP).unlink(missing_ok=True)  # first, so that what is left half-way is not taken for whole
            for child in folder.iterdir():
                if child.is_dir() and not child.is_symlink():
                    shutil.rmtree(child)
                elif child.name != _LOCK:
                    child.unlink()
    except Timeout:
        return False
    except OSError as error:
        log.warning("%s could not be removed from the cache: %s", folder, error)
        return False
    return True


def _size(file: Path) -> int | None:
    """Of a file in bytes; None of a folder, and of what was removed a moment ago."""
    try:
        return None if file.is_dir() else file.stat().st_size
    except FileNotFoundError:
        return None


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(*parts: str) -> str:
    """SHA-256 of several names as one, in hexadecimal."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def write_stamp(folder: Path, files: Iterable[Path], made_from: str) -> None:
    """Record what the files are. Size and time let a later start see at once that nothing was touched."""
    entries = {f.name: {**_look(f), "sha256": sha256_of(f)} for f in files}
    temporary = folder / f"{_STAMP}.new"
    temporary.write_text(json.dumps({"made_from": made_from, "files": entries}, indent=1))
    temporary.replace(folder / _STAMP)


def is_intact(folder: Path, wanted: set[str], made_from: str) -> bool:
    """Whether the folder holds what its stamp says; a file whose size or time differs is read through."""
    try:
        stamp = json.loads((folder / _STAMP).read_text())
        if stamp["made_from"] != made_from or not wanted <= set(stamp["files"]):
            return False
        for name, known in stamp["files"].items():
            seen = _look(folder / name)
            if any(seen[k] != known[k] for k in seen) and sha256_of(folder / name) != known["sha256"]:
                log.warning("%s has changed since it was written; making it again", folder / name)
                return False
    except FileNotFoundError:
        return False
    except (ValueError, KeyError, TypeError, AttributeError):
        log.warning("the stamp in %s cannot be read; making the folder again", folder)
        return False
    return True


def _look(file: Path) -> dict[str, int]:
    status = file.stat()
    return {"bytes": status.st_size, "mtime_ns": status.st_mtime_ns}
