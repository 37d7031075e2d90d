"""A packed model's file from the Hugging Face hub: out of its cache where it is already here, else over the network.

Version 2 of `huggingface_hub` throws away what it has of a file when a download ends early. Here the file is written
to a place of our own, by the library's `http_get`, which goes on where the last attempt ended.
"""

from __future__ import annotations

import io
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from irl_core.models.catalogue import PackedModel
from irl_core.models.errors import BackboneError
from irl_core.models.progress import tell

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_T = TypeVar("_T")
_PATIENCE = 3.0  # seconds for the hub to say what it has; `HF_HUB_ETAG_TIMEOUT`, if it is set


def link_from_hub_cache(model: PackedModel, folder: Path) -> Path | None:
    """A link in `folder` to the file in the hub's cache, which keeps it; None where that does not have it.

    Symbolic where it can be: a hard link makes an overlay file system, such as a container's, copy the file, and does
    not reach another disk. If somebody empties the hub's cache, the link dangles and the file is fetched again.

    Raises:
        OSError: if it can neither be linked nor copied.
    """
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(model.hub_repo, model.gguf, revision=model.hub_revision)
    if not isinstance(cached, str):
        return None
    source, target = Path(cached).resolve(), folder / model.gguf
    target.unlink(missing_ok=True)
    for link in (os.symlink, os.link):
        try:
            link(source, target)
        except (OSError, NotImplementedError):  # Windows allows the first to few, and some file systems neither
            continue
        return target
    shutil.copyfile(source, target)
    return target


def download_from_hub(model: PackedModel, folder: Path) -> Path:
    """Fetch the file into `folder`; what an earlier attempt left there is gone on with.

    Raises:
        BackboneError: if the hub cannot be reached, does not have the file, or breaks off for good.
    """
    from huggingface_hub import hf_hub_url, is_offline_mode
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils._headers import build_hf_headers

    if is_offline_mode():
        raise BackboneError("HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids it")
    url = hf_hub_url(model.hub_repo, model.gguf, revision=model.hub_revision)
    _require_offer(model, url)
    part = folder / f"{model.gguf}.part"
    if part.exists() and part.stat().st_size > model.size:
        part.unlink()
    try:
        with _CountedFile(part, model) as file:
            http_get(
                url,
                file,
                resume_size=file.tell(),
                headers=build_hf_headers(),
                expected_size=model.size,
                displayed_filename=model.label,
            )
    except Exception as error:  # its client's errors: of httpx in version 1 of the library, of httpx2 in version 2
        have = part.stat().st_size if part.exists() else 0
        raise BackboneError(
            f"{url} broke off with {have / 1e6:.0f} of {model.size / 1e6:.0f} MB, which are kept: {_line(error)}"
        ) from error
    return part


def _require_offer(model: PackedModel, url: str) -> None:
    """Raise, within seconds, unless the hub says that it has a file of that size."""
    from huggingface_hub import get_hf_file_metadata

    patience = float(os.environ.get("HF_HUB_ETAG_TIMEOUT") or _PATIENCE)
    try:
        size = _within(patience, lambda: get_hf_file_metadata(url).size)
    except TimeoutError as error:
        raise BackboneError(f"{url} gave no answer within {patience:g} s") from error
    except Exception as error:  # as above
        raise BackboneError(f"{url} cannot be had: {_line(error)}") from error
    if size not in (None, model.size):
        raise BackboneError(f"{url} has {size:,} bytes instead of {model.size:,}")


def _within(seconds: float, call: Callable[[], _T]) -> _T:
    """What `call` returns or raises, TimeoutError after so many seconds; then it goes on, unheeded, in its thread.

    A client's own time limit does not hold for the look-up of a name, and counts anew for each step.
    """
    future: Future[_T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=run, name="ask-hub", daemon=True).start()
    return future.result(seconds)


def _line(error: Exception) -> str:
    """The first line of the error's text, or its kind where it has none."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]


class _CountedFile(io.BufferedWriter):
    """A file that is appended to and tells how long it is."""

    def __init__(self, path: Path, model: PackedModel):
        super().__init__(io.FileIO(path, "a"))
        self._model = model

    def write(self, buffer: ReadableBuffer, /) -> int:
        written = super().write(buffer)
        tell(self._model.label, self.tell(), self._model.size)
        return written
