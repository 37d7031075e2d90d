"""Problems, traces and scores: text with exact character offsets.

Every record is a frozen, strictly validated pydantic model, so that the app, the command line, the tests and a
session file on disk all speak of the same things. A *span* is a half-open pair of character positions in the text of
its trace. Token spans partition the text, and so do step spans: joining either gives back the text exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from irl_core.answers import extract_answer

Span = tuple[int, int]

_CALCULATOR_MARK = re.compile(r"<<[^<>\n]{0,200}>>")
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+(?=[^\s])")


class Record(BaseModel):
    """Immutable, strict about types, closed to unknown keys and to NaN: safe to read from a stranger's file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Problem(Record):
    """A question and, when one is known, its gold answer."""

    question: str
    answer: str | None = None


class Trace(Record):
    """One written solution.

    `token_ids`, `offsets` and `logprobs` belong to the policy that drew it (natural logarithms, one per token) and
    are empty for a pasted solution; the critic brings its own tokens in `TraceScore`. A server may tell where tokens
    begin and how probable they were, and not their ids.

    Raises:
        ValidationError: if `steps` or `offsets` do not partition `text`, or the token fields differ in length.
    """

    text: str
    steps: tuple[Span, ...]
    answer: str | None = None
    token_ids: tuple[int, ...] = ()
    offsets: tuple[Span, ...] = ()
    logprobs: tuple[float, ...] = ()
    stopped: Literal["end", "length", "cancelled", "pasted"] = "pasted"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _require_partition("steps", self.steps, len(self.text))
        if self.offsets:
            _require_partition("offsets", self.offsets, len(self.text))
        if self.logprobs and len(self.logprobs) != self.n_tokens:
            raise ValueError(f"{self.n_tokens} tokens but {len(self.logprobs)} logprobs")
        return self

    @property
    def n_tokens(self) -> int:
        """How many tokens were drawn, as far as that is known."""
        return len(self.token_ids) or len(self.offsets)

    def step_texts(self) -> list[str]:
        """The steps as written, without the line breaks around them."""
        return [self.text[a:b].strip() for a, b in self.steps]


class TraceScore(Record):
    """What a critic says of one trace, token by token.

    `values[t]` is the critic's belief after token t, in nats, that an expert would have written this far, and
    `rewards[t] = values[t] - values[t-1]` with `values[-1] = 0` before the first token (METHOD 5.5.3: the only form
    in which rewards add up to the value of the trace without counting early evidence twice). `step_rewards` sums
    the rewards of a step; `surprise` is the negative log-probability of each step under the policy, in nats.
    `trace_score` is what reranking compares; its aggregation is the critic's choice and is named in its card.
    """

    offsets: tuple[Span, ...]
    rewards: tuple[float, ...]
    values: tuple[float, ...]
    step_rewards: tuple[float, ...]
    surprise: tuple[float, ...] = ()
    trace_score: float
    truncated_at: int | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not len(self.offsets) == len(self.rewards) == len(self.values):
            raise ValueError("offsets, rewards and values must have one entry per token")
        return self


def _require_partition(name: str, spans: Sequence[Span], length: int) -> None:
    ends = [0, *(b for _, b in spans)]
    starts = [*(a for a, _ in spans), length]
    if ends != starts or any(b < a for a, b in spans):
        raise ValueError(f"{name} must cover the {length} characters of the text once, in order")


def partition(starts: Iterable[int], length: int) -> tuple[Span, ...]:
    """Spans that cover `length` characters, one per entry of `starts`; starts are made monotone first.

    Tokenisers report overlapping spans for the bytes of one character and leave gaps at dropped white space; the
    first token here begins at 0, each ends where the next begins, and a later byte of one character is empty.
    """
    cuts = list(accumulate((min(max(s, 0), length) for s in starts), max))
    if not cuts:
        return ()
    cuts[0] = 0
    return tuple(pairwise([*cuts, length]))


def split_steps(text: str) -> tuple[Span, ...]:
    """Steps of a solution: its non-blank lines, or its sentences when it is a single line.

    White space after a step belongs to it, white space before the first step to the first.
    """
    starts = [m.start() for m in re.finditer(r"[^\n]*\S[^\n]*", text)]
    if len(starts) == 1:
        line = text.rstrip()
        starts = [starts[0], *(m.end() for m in _SENTENCE_END.finditer(line))]
    return partition(starts, len(text)) if text else ()


def plain_trace(text: str) -> Trace:
    """A text as one step, its answer not looked for: what is still being written."""
    return Trace(text=text, steps=((0, len(text)),) * bool(text))


def trace_from_text(text: str) -> Trace:
    """A pasted solution: split into steps, its final answer read, no tokens."""
    return Trace(text=text, steps=split_steps(text), answer=extract_answer(text))


def trace_from_steps(steps: Sequence[str]) -> Trace:
    """A solution whose steps are given (a labelled data set); they are joined by line breaks."""
    text = "\n".join(steps)
    starts = list(accumulate((len(s) + 1 for s in steps), initial=0))[:-1]
    return Trace(text=text, steps=partition(starts, len(text)), answer=extract_answer(text))


def step_of_tokens(offsets: Sequence[Span], steps: Sequence[Span]) -> list[int]:
    """For each token the index of the step that holds its last character (a token may begin with the line break)."""
    owners, step = [], 0
    for start, end in offsets:
        last = max(start, end - 1)
        while step + 1 < len(steps) and last >= steps[step][1]:
            step += 1
        owners.append(step)
    return owners


def strip_calculator_marks(text: str) -> tuple[str, list[int]]:
    """GSM8K's `<<48/2=24>>` removed, and for each remaining character its position in `text`."""
    kept: list[int] = []
    position = 0
    for mark in _CALCULATOR_MARK.finditer(text):
        kept.extend(range(position, mark.start()))
        position = mark.end()
    kept.extend(range(position, len(text)))
    return "".join(text[i] for i in kept), kept
