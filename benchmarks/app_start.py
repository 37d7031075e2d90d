"""What a person waits for who starts the app: the page, the first solved problem; and the memory it takes.

The app runs as a process of its own, asked as a browser would ask it.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_PATIENCE_S = 600


def start_once(question: str) -> dict[str, float]:
    """Seconds from the start to the page and from there to a ranking of eight solutions; peak resident memory."""
    from gradio_client import Client

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    started = time.monotonic()
    app = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for_page(f"http://127.0.0.1:{port}/", app)
        page = time.monotonic()
        Client(f"http://127.0.0.1:{port}/", verbose=False).predict(question, "", 8, 0.7, 0, False, api_name="/solve")
        solved = time.monotonic()
        return {
            "page_s": round(page - started, 2),
            "solved_after_page_s": round(solved - page, 2),
            "peak_gb": round(kilobytes(app.pid, "VmHWM") / 1e6, 3),
        }
    finally:
        app.terminate()
        app.wait(timeout=30)


def _wait_for_page(url: str, app: subprocess.Popen) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline and app.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as page:
                page.read()
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.02)
    raise RuntimeError("the app did not start: run `python app.py` to see why")


def kilobytes(pid: int, what: str) -> int:
    """`VmRSS`, what a process holds in memory now, or `VmHWM`, the most it held; 0 where it has ended."""
    found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) if found else 0
