"""JSON lines that anybody may have written: one at a time, bounded in memory, bad ones named and passed over."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

MAX_LINE_BYTES = 1_000_000


@dataclass(frozen=True)
class BadLine:
    """A line that was passed over: its number in the file, from 1, and what is wrong with it."""

    line: int
    reason: str


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes] | BadLine]:
    """Every line that is not blank with its number; holds one in memory at a time, and never more than the limit.

    Raises:
        OSError: if the file cannot be read.
    """
    with path.open("rb") as file:
        for number, raw in _lines(file):
            if raw is None:
                yield BadLine(number, f"longer than {MAX_LINE_BYTES:,} bytes")
            elif raw.strip():
                yield number, raw


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines; None for one above the limit."""
    number = 0
    while raw := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(raw) <= MAX_LINE_BYTES or raw.endswith(b"\n"):
            # A byte order mark also stands inside a file that was joined from several.
            yield number, raw.removeprefix(b"\xef\xbb\xbf")
            continue
        while raw and not raw.endswith(b"\n"):
            raw = file.readline(MAX_LINE_BYTES)
        yield number, None


def load_object(raw: bytes | str) -> dict[str, Any]:
    """The JSON object on a line, which can be written again as it was read.

    Raises:
        ValueError: if it is not UTF-8, not JSON, no object, or holds what JSON or UTF-8 cannot say (NaN, infinity,
            half of a surrogate pair).
    """
    try:
        text = raw.decode("utf-8-sig") if isinstance(raw, bytes) else raw
        record = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        # What cannot be written again would end a run hours later, when its line is written.
        json.dumps(record, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as problem:
        if isinstance(raw, bytes) and raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise ValueError("not UTF-8 but UTF-16: save the file as UTF-8") from problem
        raise ValueError(f"not UTF-8: {problem.reason} at byte {problem.start}") from problem
    except UnicodeEncodeError as problem:
        raise ValueError("holds half of a surrogate pair, which is no character") from problem
    except json.JSONDecodeError as problem:
        raise ValueError(f"not JSON: {problem.msg} at column {problem.colno}") from problem
    except RecursionError as problem:
        raise ValueError("nested too deeply") from problem
    if not isinstance(record, dict):
        raise ValueError(f"must be a JSON object, not {kind_of(record)}")
    return record


def _refuse(name: str) -> float:
    raise ValueError(f"holds {name}, which is not a number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"holds {digits}, which is too large a number")
    return number


_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}


def kind_of(value: Any) -> str:
    """What a JSON value is, in words for a message."""
    return _KINDS.get(type(value), f"the number {value!r}"[:60])
