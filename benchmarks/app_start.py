"""What a person waits for who starts the app: the page, a first solved problem, a later one; and the memory it takes.

    python -m benchmarks.app_start [--pair standard] [--rounds 3]

The app runs as a process of its own, asked as a browser would ask it; files that were read before are in the system's
cache. The last line is JSON.
"""

from __future__ import annotations

import argparse
import re
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from irl_core.models.pairs import PAIRS, STANDARD
from train.cli import parse_args, print_figures

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = (
    "Anna has 4 boxes of 12 pencils and gives 9 pencils away. How many pencils are left?",
    "A shirt costs $15 and a hat costs $8. How much do 3 shirts and 2 hats cost?",
)
_PATIENCE_S = 600


class RunningApp(NamedTuple):
    """The app in a process of its own: `page_s` is what passed from its start to its page."""

    url: str
    pid: int
    page_s: float

    def solve(self, question: str, n: int = 8, seed: int = 0) -> float:
        """Seconds from the request of a new visitor to the ranking of `n` solutions."""
        from gradio_client import Client

        started = time.monotonic()
        Client(self.url, verbose=False).predict(question, "", n, 0.7, seed, False, api_name="/solve")
        return time.monotonic() - started


@contextmanager
def running_app(pair: str) -> Iterator[RunningApp]:
    """The app with a pair of models, from when its page is served; it is ended afterwards.

    Raises:
        RuntimeError: if it does not serve a page.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    url, started = f"http://127.0.0.1:{port}/", time.monotonic()
    command = [sys.executable, "app.py", "--port", str(port), "--pair", pair]
    app = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for_page(url, app)
        yield RunningApp(url, app.pid, time.monotonic() - started)
    finally:
        app.terminate()
        app.wait(timeout=30)


def start_once(pair: str) -> dict[str, float]:
    """Seconds from the start to the page, from there to a ranking of eight solutions, and to one of a later problem.

    Peak resident memory in GB.
    """
    with running_app(pair) as app:
        first, later = (app.solve(question) for question in QUESTIONS)
        return {
            "page_s": round(app.page_s, 2),
            "solved_after_page_s": round(first, 2),
            "solved_later_s": round(later, 2),
            "peak_gb": round(kilobytes(app.pid, "VmHWM") / 1e6, 3),
        }


def _wait_for_page(url: str, app: subprocess.Popen[Any]) -> None:
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


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(build_parser(), argv)
    starts = [start_once(args.pair) for _ in range(args.rounds)]
    medians = {name: round(statistics.median(start[name] for start in starts), 2) for name in starts[0]}
    print_figures({"pair": args.pair, "rounds": args.rounds, **medians, "starts": starts})


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.app_start", description=__doc__)
    parser.add_argument("--pair", choices=list(PAIRS), default=STANDARD.name, help="which policy and critic")
    parser.add_argument("--rounds", type=int, default=3, help="starts; the figures are medians")
    return parser


if __name__ == "__main__":
    main()
