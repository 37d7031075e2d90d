"""Files that belong to visitors: opened and saved sessions, in a folder of our own that is emptied.

Gradio's own clearing (`delete_cache`) does not know of a file that a handler hands to a download button, and is not
reached when the process is ended by a signal.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from irl_core.models.cache import cache_root
from irl_core.session.record import Session
from irl_core.session.verdicts import Judged, to_json_lines

SECONDS_KEPT = 24 * 3600
_SECONDS_BETWEEN_SWEEPS = 3600
_NAME, _LABELS = "errata-session.json", "errata-labels.jsonl"


@contextmanager
def page_files() -> Iterator[Path]:
    """A folder for Gradio's uploads and downloads while the page is served; it is gone afterwards.

    It lies in `$GRADIO_TEMP_DIR`, else in the cache. Files are removed after a day, also those left
    behind by a page that was killed. Enter it before the page is built: components remember the folder.
    """
    before = os.environ.get("GRADIO_TEMP_DIR")
    root = Path(before or cache_root()) / "page-files"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder, over = Path(tempfile.mkdtemp(dir=root)).resolve(), threading.Event()
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    threading.Thread(target=_keep_sweeping, args=(root, over), name="page-files", daemon=True).start()
    try:
        with _removed_on_termination(folder):
            yield folder
    finally:
        over.set()
        shutil.rmtree(folder, ignore_errors=True)
        if before is None:
            del os.environ["GRADIO_TEMP_DIR"]
        else:
            os.environ["GRADIO_TEMP_DIR"] = before


def save_session(session: Session, folder: Path) -> Path:
    """Write a session as a file to download. Its folder is named by its content, since all have the same name."""
    return _save(session.to_json(), folder, _NAME)


def save_labels(judged: Sequence[Judged], folder: Path) -> Path:
    """As `save_session`, of step labels: JSON lines that `train.evaluate` reads."""
    return _save(to_json_lines(judged), folder, _LABELS)


def _save(text: str, folder: Path, name: str) -> Path:
    content = text.encode("utf-8")
    file = folder / hashlib.sha256(content).hexdigest() / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def remove_old_files(folder: Path, seconds: float) -> None:
    """Remove what was last written longer ago than `seconds`; folders once they are empty and as old."""
    limit = time.time() - seconds
    for path in sorted(folder.rglob("*"), reverse=True):  # what is in a folder comes before it
        with contextlib.suppress(OSError):  # another page may have been faster
            if path.lstat().st_mtime >= limit:
                continue
            if path.is_dir() and not path.is_symlink():
                path.rmdir()  # fails where something is in it
            else:
                path.unlink()


def _keep_sweeping(root: Path, over: threading.Event) -> None:
    while True:
        remove_old_files(root, SECONDS_KEPT)
        if over.wait(_SECONDS_BETWEEN_SWEEPS):
            return


@contextmanager
def _removed_on_termination(folder: Path) -> Iterator[None]:
    """SIGTERM ends a process without its `finally` clauses: the folder is removed first."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return

    def remove_and_end(number: int, frame: FrameType | None) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)

    before = signal.signal(signal.SIGTERM, remove_and_end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
