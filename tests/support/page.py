"""The page as a process of its own, asked as a browser would ask it."""

from __future__ import annotations

import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tests.support.ports import free_port

SECONDS_TO_START = 300


@contextmanager
def served_page(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The address of the page that `command` serves, run in `folder`; a failure shows what it printed."""
    port = free_port()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [*map(str, command), "--port", str(port)], cwd=folder, env=environment, stdout=output, stderr=output
        )
        try:
            yield _wait_for(f"http://127.0.0.1:{port}/", process, output)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_for(url: str, process: subprocess.Popen[bytes], output: IO[str]) -> str:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return url
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.3)
    output.seek(0)
    raise RuntimeError(f"the app did not start:\n{output.read()[-4000:]}")


def fetched(url: str) -> bytes:
    """What a GET of the address returns."""
    with urllib.request.urlopen(url, timeout=30) as response:
        return response.read()
