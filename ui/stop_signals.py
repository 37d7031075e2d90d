"""A request to stop, one for each visitor."""

from __future__ import annotations

import threading


class StopSignals:
    """One stop request per visitor. Events are cooperative: the engine looks at them between decoding steps."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: dict[str, threading.Event] = {}
        self._waiting: set[str] = set()

    def prepare(self, visitor: str | None) -> None:
        """The visitor asked for a run that may wait in line: it can be stopped from now on."""
        with self._lock:
            self._replace(visitor or "")
            self._waiting.add(visitor or "")

    def begin(self, visitor: str | None) -> threading.Event:
        """The event of the run that starts now: the prepared one, else a fresh one."""
        key = visitor or ""
        with self._lock:
            if key not in self._waiting:
                self._replace(key)
            self._waiting.discard(key)
            return self._events[key]

    def request(self, visitor: str | None) -> bool:
        """Ask the visitor's run to end; False where none was ever begun."""
        with self._lock:
            event = self._events.get(visitor or "")
        if event is not None:
            event.set()
        return event is not None

    def forget(self, visitor: str | None) -> None:
        """Stop the visitor's run and drop its event (the tab was closed)."""
        self.request(visitor)
        with self._lock:
            self._events.pop(visitor or "", None)
            self._waiting.discard(visitor or "")

    def _replace(self, key: str) -> None:
        earlier = self._events.get(key)
        if earlier is not None:
            earlier.set()
        self._events[key] = threading.Event()
