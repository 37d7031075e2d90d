"""Problems, traces and scores: text with exact character offsets.

Every record is a frozen, strictly validated pydantic model, so that the app, the command line, the tests and a
session file on disk all speak of the same things. A *span* is a half-open pair of character positions in the text of
its trace. Token spans partition the text, and so do step spans: joining either gives back the text exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Literal, Self

from pydantic import model_validator

from irl_core.text.answers import extract_answer
from irl_core.text.records import Record
from irl_core.text.spans import Span, partition, require_partition
from irl_core.text.steps import split_steps


class Problem(Record):
    """A question and, when one is known, its gold answer.

    >>> Problem(question="Tom has 3 boxes of 4 pens. How many pens?", answer="12").answer
    '12'
    """

    question: str
    answer: str | None = None


class Trace(Record):
    """One written solution.

    >>> trace = Trace.from_text("3 * 4 = 12\\n#### 12")
    >>> trace.step_texts(), trace.answer
    (['3 * 4 = 12', '#### 12'], '12')

    `token_ids`, `offsets` and `logprobs` belong to the policy that drew it (natural logarithms, one per token) and
    are empty for a pasted solution; the critic brings its own tokens in `TraceScore`. A server may tell where tokens
    begin and how probable they were, and not their ids. `stopped` says why it ends: by itself ("end", "pasted"), or
    cut at the limit of tokens ("length") or at a person's request ("cancelled").

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
        require_partition("steps", self.steps, len(self.text))
        if self.offsets:
            require_partition("offsets", self.offsets, len(self.text))
        if self.logprobs and len(self.logprobs) != self.n_tokens:
            raise ValueError(f"{self.n_tokens} tokens but {len(self.logprobs)} logprobs")
        return self

    @classmethod
    def from_text(cls, text: str) -> Self:
        """A pasted solution: split into steps, its final answer read, no tokens."""
        return cls(text=text, steps=split_steps(text), answer=extract_answer(text))

    @classmethod
    def from_steps(cls, steps: Sequence[str]) -> Self:
        """A solution whose steps are given, as in a labelled data set; they are joined by line breaks."""
        text = "\n".join(steps)
        starts = list(accumulate((len(s) + 1 for s in steps), initial=0))[:-1]
        return cls(text=text, steps=partition(starts, len(text)), answer=extract_answer(text))

    @classmethod
    def unsplit(cls, text: str) -> Self:
        """A text as one step, its answer not looked for: what is still being written."""
        return cls(text=text, steps=((0, len(text)),) * bool(text))

    @property
    def n_tokens(self) -> int:
        """How many tokens were drawn, as far as that is known."""
        return len(self.token_ids) or len(self.offsets)

    @property
    def unfinished(self) -> int | None:
        """The step that was being written when the trace was cut; None where it ended by itself.

        Half a number is no number: such a step states nothing that could be checked, counted or compared.
        """
        return len(self.steps) - 1 if self.steps and self.stopped in ("length", "cancelled") else None

    def finished(self) -> Self:
        """The trace without its unfinished step, and without tokens; itself where it has none."""
        if self.unfinished is None:
            return self
        steps = self.steps[: self.unfinished]
        return type(self)(text=self.text[: self.steps[self.unfinished][0]], steps=steps, answer=self.answer)

    def step_texts(self) -> list[str]:
        """The steps as written, without the line breaks around them."""
        return [self.text[a:b].strip() for a, b in self.steps]
