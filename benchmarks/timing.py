"""Contestants timed in turn, round after round, so that whatever else the machine does hits all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any, TypeVar

import numpy as np
import torch
from tqdm import tqdm

T = TypeVar("T")

Contestant = Callable[[int], int]
"""Does its work for the round of this number and returns how many tokens that were."""


OURS = "(default)"
"""How the name of the contestant ends without which a race is worth nothing."""


def race(contestants: Mapping[str, Contestant], rounds: int, what: str) -> dict[str, dict[str, Any]]:
    """Seconds and tokens of each contestant in each round, after one that is not counted.

    One that fails is out of the race, with the reason under "failed"; the default's failure is raised.
    """
    found: dict[str, dict[str, Any]] = {name: {"seconds": [], "tokens": []} for name in contestants}
    for number in tqdm(range(rounds + 1), desc=what, unit="round"):
        for name, contestant in contestants.items():
            if "failed" in found[name]:
                continue
            settle()
            started = time.perf_counter()
            try:
                tokens = contestant(number)
                settle()
            except Exception as error:
                if name.endswith(OURS):
                    raise
                found[name] = {"failed": f"failed: {reason(error)}"}
                continue
            seconds = time.perf_counter() - started
            if number:
                found[name]["seconds"].append(round(seconds, 4))
                found[name]["tokens"].append(tokens)
    return found


def settle() -> None:
    """Wait until a GPU has done what it was told, which it is told before it is done."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def started(builders: Mapping[str, Callable[[], T]]) -> tuple[dict[str, T], dict[str, dict[str, str]]]:
    """What each builder makes, and what `race` would say of those that make nothing; the default's error is raised."""
    made: dict[str, T] = {}
    failed: dict[str, dict[str, str]] = {}
    for name, build in builders.items():
        try:
            made[name] = build()
        except Exception as error:
            if name.endswith(OURS):
                raise
            failed[name] = {"failed": f"did not start: {reason(error)}"}
    return made, failed


def reason(error: Exception) -> str:
    """The first line of an error, short enough for a table."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]


def speeds(measured: Mapping[str, Sequence[float]]) -> list[float]:
    """Tokens per second, round by round."""
    return [tokens / seconds for tokens, seconds in zip(measured["tokens"], measured["seconds"], strict=True)]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """Median, lowest and highest of the quotients within a round."""
    quotients = [a / b for a, b in zip(ours, theirs, strict=True)]
    return {"median": round(median(quotients), 3), "low": round(min(quotients), 3), "high": round(max(quotients), 3)}


def growth_exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The p of seconds ∝ size^p: the slope of a least-squares line through the logarithms."""
    return round(float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0]), 3)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    import os
    import platform
    from pathlib import Path

    info = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    gpu = {"gpu": torch.cuda.get_device_name()} if torch.cuda.is_available() else {}
    return {
        **gpu,
        "processor": names[0] if names else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "torch": torch.__version__.partition("+")[0],
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 2),
    }
