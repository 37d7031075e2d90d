"""A request for traces, and what comes back while they are drawn."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict

from irl_core.text.traces import Trace

Stopped = Literal["end", "length", "cancelled"]


@dataclass(frozen=True)
class Sampling:
    """A request for traces, from the form to the engine: the one place that holds the defaults.

    >>> Sampling(n=4, seed=7).max_tokens
    160

    Attributes:
        n: how many traces.
        temperature: 0 takes the most probable token.
        top_p: keeps the smallest set of tokens with that much probability (nucleus).
        seed: together with the question and a trace's number it settles what is drawn.
        max_tokens: that are drawn of each trace.
        prefix: every trace begins with this text and is continued. Its log-probabilities are then not known, since
            its first tokens were not drawn.
        calculator: results after `=` are filled in by exact arithmetic.

    Raises:
        ValueError: if a setting is out of range; the message names it.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    n: int = 8
    temperature: float = 0.7
    top_p: float = 0.95
    seed: int = 0
    max_tokens: int = 160
    calculator: bool = False
    prefix: str = ""

    def __post_init__(self) -> None:
        for name, holds, rule in (
            ("n", self.n >= 1, "at least 1"),
            ("temperature", 0 <= self.temperature <= 10, "from 0 to 10"),
            ("top_p", 0 < self.top_p <= 1, "above 0 and at most 1"),
            ("seed", 0 <= self.seed < 2**63, "from 0 to below 2**63"),
            ("max_tokens", self.max_tokens >= 1, "at least 1"),
        ):
            if not holds:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be {rule}")


@dataclass(frozen=True)
class TraceGrew:
    """Trace `index` reads `text` so far."""

    index: int
    text: str


@dataclass(frozen=True)
class TraceEnded:
    """Trace `index` is finished, at its end, at the token limit, or by a stop request."""

    index: int
    trace: Trace


TraceEvent = TraceGrew | TraceEnded


@dataclass(frozen=True)
class Drawn:
    """Tokens of one sequence as far as they are drawn; `stopped` is None while it grows.

    `logprobs` are natural logarithms under the model's own distribution (temperature 1, no truncation);
    `end_logprob` is that of the end token, which is not among the tokens, where the engine tells it.
    """

    request: int
    index: int
    token_ids: Sequence[int]
    logprobs: Sequence[float]
    stopped: Stopped | None = None
    end_logprob: float | None = None


def trace_seeds(question: str, sampling: Sampling) -> list[int]:
    """One 63-bit seed per trace, from the run's seed, the question and the trace's index, and from nothing else."""
    keys = (f"{sampling.seed}\0{index}\0{question.strip()}" for index in range(sampling.n))
    return [int.from_bytes(hashlib.sha256(k.encode("utf-8", "surrogatepass")).digest()[:8]) >> 1 for k in keys]
