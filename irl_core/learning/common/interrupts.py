"""Ctrl-C as a request: the work at hand is finished and kept."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_on_interrupt(what_follows: str) -> Iterator[threading.Event]:
    """An event that the first Ctrl-C (SIGINT) sets, for whoever works to look at; a second one ends at once.

    Python raises KeyboardInterrupt wherever the program is, in the middle of an optimiser's step too. With the event
    the step is finished first. Outside the main thread, which alone gets signals, the event is never set.

    Args:
        what_follows: what is said on stderr about what happens before the end.

    Raises:
        KeyboardInterrupt: at the second Ctrl-C.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def request(signum: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        # Not by print: the signal may have come in the middle of another one to stderr.
        os.write(2, f"\nCtrl-C: {what_follows}; once more ends at once without saving\n".encode())

    before = signal.signal(signal.SIGINT, request)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
