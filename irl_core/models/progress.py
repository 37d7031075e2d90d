"""How much of a download is here, told to whoever listens: a page shows it while a loader deep below it fetches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class Arrived(NamedTuple):
    """A packed model's label, and how many of its bytes are here."""

    label: str
    bytes: int
    total: int

    def __str__(self) -> str:
        return f"{self.label}: {self.bytes / 1e6:.0f} of {self.total / 1e6:.0f} MB"


Listener = Callable[[Arrived], None]

_listener: ContextVar[Listener | None] = ContextVar("_listener", default=None)


@contextmanager
def told_of_downloads(listener: Listener) -> Iterator[None]:
    """Within the block, and in its thread alone, `listener` is called as the bytes of a packed model arrive.

    It is not called where nothing has to be fetched, and must not raise.
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(label: str, arrived: int, total: int) -> None:
    """Call the listener of this thread, if there is one."""
    if listener := _listener.get():
        listener(Arrived(label, arrived, total))
