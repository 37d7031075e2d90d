"""Speaks to servers of the OpenAI protocol: replicas, retries with backoff, bounded waits, errors in one sentence.

httpx and not OpenAI's own client, because what is asked of vLLM is mostly not OpenAI's (token ids, log-probabilities
of the prompt, `/pooling`), and because an answer that breaks off half-way is begun anew here, on another replica if
there is one, which a client that only repeats the opening of a request cannot do.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx
import tenacity

from irl_core.serving.background import stream
from irl_core.serving.errors import BadRequest, Refused, ServerError, Unavailable

T = TypeVar("T")
Item = TypeVar("Item")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds.

    Attributes:
        connect: for a connection.
        silence: between two pieces of an answer.
        outage: in all, trying again, since the last piece of an answer, before a server is given up.
        longest_pause: before trying again.
        rest: until a replica that failed is trusted as much as one that did not.
    """

    connect: float = 5.0
    silence: float = 180.0
    outage: float = 300.0
    longest_pause: float = 20.0
    rest: float = 15.0


BRIEF = Patience(silence=30.0, outage=10.0, longest_pause=2.0)
"""For the first question to a server, while a person waits."""

IN_FLIGHT = 64
"""Requests at a time on each replica: enough to fill a batch, few enough to lose little when it dies."""

_ATTEMPTS = 30  # for one answer, however far each got: what kills a server every time must not be sent for ever


def api_key(url: str) -> str | None:
    """The key for a server: ERRATA_API_KEY; OPENAI_API_KEY goes to OpenAI alone, whoever's server a URL names."""
    host = urlsplit(url).hostname or ""
    openai = host == "openai.com" or host.endswith(".openai.com")
    return os.environ.get("ERRATA_API_KEY") or (os.environ.get("OPENAI_API_KEY") if openai else None) or None


class Call:
    """One request's place on one replica."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self.url = url
        self.heard = 0.0  # when the server last sent something
        self._http = http

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None, *, root: bool = False) -> Any:
        """The JSON answer to one request; `root` leaves out the URL's `/v1`, where vLLM's own endpoints are.

        Raises:
            ServerError: if there is none.
        """
        with _in_a_sentence(self.url):
            answer = await self._http.request(method, self._address(path, root), json=body, headers=self._headers())
        if not answer.is_success:
            raise _refusal(self.url, answer)
        self.heard = time.monotonic()
        return _decoded(self.url, answer.text)

    async def events(self, path: str, body: dict[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        """The JSON events of a streamed answer, to its end.

        Raises:
            ServerError: if the server refuses, is silent too long, or breaks off.
        """
        with _in_a_sentence(self.url):
            opened = self._http.stream("POST", self._address(path), json=body, headers=self._headers())
            async with opened as answer:
                if not answer.is_success:
                    await answer.aread()
                    raise _refusal(self.url, answer)
                async for line in answer.aiter_lines():
                    self.heard = time.monotonic()
                    data = line.removeprefix("data:").strip()
                    if not line.startswith("data:"):
                        continue
                    if data == "[DONE]":
                        return
                    event = _decoded(self.url, data)
                    if "error" in event:
                        raise Unavailable(f"the server at {self.url} failed: {_message(event)}")
                    yield event
        raise Unavailable(f"the server at {self.url} broke off its answer")

    def _address(self, path: str, root: bool = False) -> str:
        return (self.url.removesuffix("/v1") if root else self.url) + path

    def _headers(self) -> dict[str, str]:
        key = api_key(self.url)
        return {"Authorization": f"Bearer {key}"} if key else {}


class Replicas:
    """Servers of one model. Each request goes to the least busy one, first to those that did not just fail.

    An asynchronous context; it belongs to the event loop that entered it.
    """

    def __init__(self, urls: Sequence[str], patience: Patience) -> None:
        self._urls, self._patience = tuple(urls), patience
        self._busy = dict.fromkeys(self._urls, 0)
        self._failed = dict.fromkeys(self._urls, 0.0)

    async def __aenter__(self) -> Self:
        timeout = httpx.Timeout(self._patience.silence, connect=self._patience.connect, pool=None)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self._http = await httpx.AsyncClient(timeout=timeout, limits=limits).__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._http.aclose()

    async def attempt(self, job: Callable[[Call], Awaitable[T]]) -> T:
        """What `job` returns; begun anew, after a pause and on another replica if there is one, if it is Unavailable.

        Raises:
            Refused: at once.
            Unavailable: when patience has run out.
        """
        heard = time.monotonic()

        def enough(state: tenacity.RetryCallState) -> bool:
            return state.attempt_number >= _ATTEMPTS or time.monotonic() - heard > self._patience.outage

        attempts = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(Unavailable),
            wait=tenacity.wait_random_exponential(0.5, self._patience.longest_pause),
            stop=enough,
            reraise=True,
        )
        async for attempt in attempts:
            with attempt:
                async with self._place() as call:
                    try:
                        return await job(call)
                    finally:
                        heard = max(heard, call.heard)
        raise AssertionError("tenacity ends with a result or an error")

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[Call]:
        url = min(self._urls, key=self._burden)
        self._busy[url] += 1
        try:
            yield Call(self._http, url)
            self._failed[url] = 0.0
        except Unavailable as error:
            if not self._failed[url]:
                log.warning("%s; trying again", error)
            self._failed[url] = time.monotonic()
            raise
        finally:
            self._busy[url] -= 1

    def _burden(self, url: str) -> tuple[float, int]:
        """What speaks against a replica: that it failed lately, the later the more, and then how busy it is."""
        failed = self._failed[url]
        return failed if time.monotonic() - failed < self._patience.rest else 0.0, self._busy[url]


def work_through(
    urls: Sequence[str],
    patience: Patience,
    items: Sequence[Item],
    one: Callable[[Call, Item, Callable[[T], None]], Awaitable[None]],
    stop: threading.Event | None = None,
) -> Iterator[tuple[Item, T]]:
    """(item, what `one(call, item, emit)` emits for it), for all items, many at a time.

    `one` is begun anew when a server fails on the way. What was emitted for an item that went well stays; when a
    server is given up no further item is begun, and those on their way go on.

    Raises:
        ServerError: at the end, if an item came to nothing and nobody asked to stop.
    """
    left, failures = deque(items), []

    async def do(replicas: Replicas, item: Item, emit: Callable[[tuple[Item, T]], None]) -> None:
        try:
            await replicas.attempt(lambda call: one(call, item, lambda result: emit((item, result))))
        except ServerError as failure:
            failures.append(failure)
        except (AttributeError, KeyError, TypeError, ValueError) as odd:
            failures.append(Refused(f"what {' or '.join(urls)} answered is not understood ({odd!r})"))

    async def work(replicas: Replicas, emit: Callable[[tuple[Item, T]], None]) -> None:
        while left and all(isinstance(failure, BadRequest) for failure in failures):
            await do(replicas, left.popleft(), emit)

    async def run(emit: Callable[[tuple[Item, T]], None]) -> None:
        async with Replicas(urls, patience) as replicas:
            workers = min(len(items), IN_FLIGHT * len(urls))
            await asyncio.gather(*(work(replicas, emit) for _ in range(workers)))

    yield from stream(run, stop)
    if failures and not (stop is not None and stop.is_set()):
        undone = len(failures) + len(left)
        how_many = f"{undone} of {len(items)} requests came to nothing: " if len(items) > 1 else ""
        raise type(failures[0])(how_many + str(failures[0])) from failures[0]


def ask_all(urls: Sequence[str], patience: Patience, question: Callable[[Call], Awaitable[T]]) -> list[T]:
    """What each server answers to one question, in order.

    Raises:
        ServerError: if one of them does not.
    """

    async def run(emit: Callable[[T], None]) -> None:
        for url in urls:
            async with Replicas([url], patience) as replica:
                emit(await replica.attempt(question))

    return list(stream(run))


@contextmanager
def _in_a_sentence(url: str) -> Iterator[None]:
    """What goes wrong on the way as a ServerError."""
    try:
        yield
    except httpx.ConnectTimeout as error:
        raise Unavailable(f"no server answers at {url} in time") from error
    except httpx.TimeoutException as error:
        raise Unavailable(f"the server at {url} has fallen silent") from error
    except httpx.ConnectError as error:
        raise Unavailable(f"no server answers at {url}: is it running, and is the address right?") from error
    except httpx.TransportError as error:
        raise Unavailable(f"the server at {url} broke off its answer") from error
    except httpx.InvalidURL as error:
        raise Refused(f"{url!r} is no address of a server ({error})") from error


def _refusal(url: str, answer: httpx.Response) -> ServerError:
    """What an answer of 300 or above means."""
    status = answer.status_code
    try:
        reason = _message(answer.json())
    except ValueError:
        reason = answer.reason_phrase
    if status in (401, 403):
        known = "does not accept the key in ERRATA_API_KEY" if api_key(url) else "wants a key: set ERRATA_API_KEY"
        return Refused(f"the server at {url} {known} ({status}: {reason})")
    if status in (408, 429) or status >= 500:
        return Unavailable(f"the server at {url} cannot answer now ({status}: {reason})")
    kind = BadRequest if status in (400, 413, 422) else Refused
    return kind(f"the server at {url} refuses the request ({status}: {reason})")


def _message(body: Any) -> str:
    """The text in one of the shapes that servers give an error, shortened."""
    reason = body
    while isinstance(reason, dict):
        reason = next((reason[key] for key in ("error", "message", "detail") if reason.get(key)), "no reason given")
    return " ".join(str(reason).split())[:300]


def _decoded(url: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Refused(f"what answers at {url} does not speak OpenAI's protocol (does the URL end in /v1?)") from error
