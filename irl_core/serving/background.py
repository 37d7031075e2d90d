"""A coroutine's results for code that is not asynchronous, one at a time, with a stop request that is heard."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")

_POLL = 0.1  # seconds until a stop request is heard


def stream(run: Callable[[Callable[[T], None]], Awaitable[None]], stop: threading.Event | None = None) -> Iterator[T]:
    """Run `run(emit)` in a thread with an event loop of its own and yield what it emits.

    A stop request, and a caller who goes away, cancel it: connections are closed, so that a server gives up too.

    Raises:
        BaseException: what `run` raises, after everything that it emitted.
    """
    done = object()
    emitted: queue.SimpleQueue[Any] = queue.SimpleQueue()
    failure: list[BaseException] = []
    loop = asyncio.new_event_loop()
    task = loop.create_task(_run(run, emitted.put))

    def work() -> None:
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            failure.append(error)
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
            emitted.put(done)

    thread = threading.Thread(target=work, name="serving", daemon=True)
    thread.start()
    cancelled = False
    try:
        while True:
            if stop is not None and stop.is_set() and not cancelled:
                cancelled = True
                _cancel(loop, task)
            try:
                one = emitted.get(timeout=_POLL)
            except queue.Empty:
                continue
            if one is done:
                break
            yield one
    finally:
        _cancel(loop, task)
        if threading.current_thread() is not thread:  # where a generator that nobody wants any more may be collected
            thread.join()
    if failure:
        raise failure[0]


async def _run(run: Callable[[Callable[[T], None]], Awaitable[None]], emit: Callable[[T], None]) -> None:
    await run(emit)


def _cancel(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    try:
        loop.call_soon_threadsafe(task.cancel)
    except RuntimeError:  # the loop has closed: there is nothing left to cancel
        return
