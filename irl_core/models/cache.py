"""Where Errata keeps what it can make again, and how it knows that a file is still what it wrote.

The root is `$ERRATA_CACHE`, else `$XDG_CACHE_HOME/errata`, else `~/.cache/errata`. A folder there carries a stamp with
the checksum of each file and of what the files were made from; what does not agree with its stamp is made again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterable
from pathlib import Path

log = logging.getLogger(__name__)

_STAMP = "errata-stamp.json"


def cache_root() -> Path:
    """The root folder, created on demand."""
    if own := os.environ.get("ERRATA_CACHE"):
        root = Path(own)
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "errata"
    root.mkdir(parents=True, exist_ok=True)
    return root


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
