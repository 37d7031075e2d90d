"""How large the parts of a session from a stranger's file may be. Every field has a limit, also one that is new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pydantic import BaseModel

from irl_core.session.record import Session

MAX_PROBLEM = 2_000
MAX_SOLUTION = 8_000
MAX_ANSWER = 100
MAX_STEPS = 64
MAX_OPENED = 64

_MAX_TOKENS = 4 * MAX_SOLUTION  # a character of four bytes may be four tokens
_MAX_EQUATIONS = 500  # of one step
_MAX_NAME = 100
_CHARACTERS = {"question": MAX_PROBLEM, "prefix": MAX_SOLUTION, "text": MAX_SOLUTION, "answer": 2 * MAX_ANSWER}
_OTHER_CHARACTERS = 1_000
_ENTRIES = {
    **dict.fromkeys(("token_ids", "offsets", "logprobs", "rewards", "values", "token_heat"), _MAX_TOKENS),
    "equations": _MAX_EQUATIONS,
}
_OTHER_ENTRIES = 64


class _Part(NamedTuple):
    """A field of a record, by its name; `name` is ours, never a stranger's."""

    name: str
    value: object


def excess(session: Session) -> str | None:
    """What in a session is larger than this page shows, as a sentence; None where all is well.

    Nothing that the file says is repeated.
    """
    traces = session.traces
    if not 0 < len(traces) <= MAX_OPENED or max(len(t.text) for t in traces) > MAX_SOLUTION:
        return f"A session to open holds 1 to {MAX_OPENED} solutions of at most {MAX_SOLUTION:,} characters."
    return next((words for part in _parts("session", session) if (words := _too_large(part))), None)


def _too_large(part: _Part) -> str | None:
    name, value = part
    named = f"The session’s “{name.replace('_', ' ')}”"
    if isinstance(value, str):
        limit = _CHARACTERS.get(name, _OTHER_CHARACTERS)
        return f"{named} has {len(value):,} characters and may have {limit:,}." if len(value) > limit else None
    if isinstance(value, tuple | Mapping):
        limit = _ENTRIES.get(name, _OTHER_ENTRIES)
        if len(value) > limit:
            return f"{named} has {len(value):,} entries and may have {limit:,}."
        if isinstance(value, Mapping) and any(len(key) > _MAX_NAME for key in value):
            return f"{named} has a name of more than {_MAX_NAME} characters."
    if name == "count" and isinstance(value, int) and not 0 <= value <= MAX_OPENED:
        return f"{named} of a vote must be from 0 to {MAX_OPENED}."
    return None


def _parts(name: str, value: object) -> Iterator[_Part]:
    """A field and all that it holds; numbers within lists are counted by their list."""
    yield _Part(name, value)
    if isinstance(value, BaseModel):
        for inner, held in value:
            yield from _parts(inner, held)
    elif isinstance(value, Mapping):
        for held in value.values():
            yield from _parts(name, held)
    elif isinstance(value, tuple):
        for held in value:
            if not isinstance(held, int | float):
                yield from _parts(name, held)
    elif hasattr(value, "__dataclass_fields__"):
        for inner in value.__dataclass_fields__:
            yield from _parts(inner, getattr(value, inner))
