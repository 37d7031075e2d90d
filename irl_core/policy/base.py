"""What every way of drawing traces shares: the request, the events, and turning drawn tokens into a `Trace`."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from irl_core.models.prompts import DoesNotFit, PromptForm, prompt_ids
from irl_core.models.solution_tokens import GrowingText, decode_solution, encode_solution, end_id
from irl_core.policy.sampling import (
    Drawn,
    Sampling,
    Stopped,
    TraceEnded,
    TraceEvent,
    TraceGrew,
    trace_seeds,
)
from irl_core.text.answers import extract_answer
from irl_core.text.steps import split_steps
from irl_core.text.traces import Trace

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


DEFAULT_SAMPLING = Sampling()


class Policy(ABC):
    """A language model that writes solutions.

    The trace of one question, seed and index does not depend on what else is drawn beside it, up to the rounding of
    the engine.

    Attributes:
        name: what the user called it.
        sha256: of the weights that speak, None where they are not on this disk.
        calculates: whether it can fill in results (`Sampling.calculator`).
    """

    calculates: ClassVar[bool] = False

    def __init__(self, name: str, sha256: str | None):
        self.name = name
        self.sha256 = sha256

    @abstractmethod
    def _events(
        self, questions: Sequence[str], sampling: Sampling, stop: threading.Event, *, growth: bool
    ) -> Iterator[tuple[int, TraceEvent]]:
        """(question index, event) as it happens; without `growth` only the ends. Errors as `sample`.

        Every trace ends once, those that were not begun at a stop request included.
        """

    @abstractmethod
    def check_question(self, question: str, sampling: Sampling) -> None:
        """Raise DoesNotFit if `question` leaves no room for its solution in the model's context."""

    def sample(
        self,
        question: str,
        sampling: Sampling = DEFAULT_SAMPLING,
        stop: threading.Event | None = None,
    ) -> Iterator[TraceEvent]:
        """Draw `sampling.n` solutions of `question`, all growing side by side, as events while it happens.

        Raises:
            DoesNotFit: the prompt leaves no room in the context.
            NotImplementedError: for a prefix, where the model is asked through a chat; for a calculator, where the
                policy was loaded without one.
        """
        self._check_calculator(sampling)
        events = self._events([question], sampling, stop or threading.Event(), growth=True)
        yield from (event for _, event in events)

    def sample_many(
        self, questions: Sequence[str], sampling: Sampling, stop: threading.Event | None = None
    ) -> Iterator[tuple[int, TraceEnded]]:
        """Draw `sampling.n` solutions of each question, many at once; (question index, finished trace) as they end.

        Raises:
            DoesNotFit: if a question leaves no room in the model's context.
        """
        self._check_calculator(sampling)
        for request, event in self._events(questions, sampling, stop or threading.Event(), growth=False):
            yield request, cast(TraceEnded, event)

    def _check_calculator(self, sampling: Sampling) -> None:
        if sampling.calculator and not self.calculates:
            raise NotImplementedError(f"{self.name} cannot be made to write given tokens, so it has no calculator")


class TokenPolicy(Policy):
    """A policy whose tokens are known here: a subclass draws ids in `_draw`, this class makes records of them.

    Attributes:
        tokenizer: the policy's own.
        form: how a question is put to it.
        context: how many tokens it reads.
        stop_ids: the ids that end a solution.
    """

    def __init__(
        self,
        name: str,
        sha256: str | None,
        tokenizer: PreTrainedTokenizerBase,
        form: PromptForm,
        context: int,
        stop_ids: Sequence[int] = (),
    ):
        super().__init__(name, sha256)
        self.tokenizer = tokenizer
        self.form: PromptForm = form
        self.context = context
        self.stop_ids = frozenset({end_id(tokenizer), *stop_ids})

    @abstractmethod
    def _draw(
        self, prompts: Sequence[list[int]], seeds: Sequence[Sequence[int]], sampling: Sampling, stop: threading.Event
    ) -> Iterator[Drawn]:
        """Draw one sequence per seed and prompt; yield at least once per sequence, with `stopped` set, when it ends.

        On `stop` every sequence that was begun or not ends as "cancelled". Tokens in `stop_ids` are not yielded.
        """

    def _events(
        self, questions: Sequence[str], sampling: Sampling, stop: threading.Event, *, growth: bool
    ) -> Iterator[tuple[int, TraceEvent]]:
        given = encode_solution(self.tokenizer, sampling.prefix)[0] if sampling.prefix else []
        prompts = [[*self._prompt_ids(q, sampling, len(given)), *given] for q in questions]
        growing: dict[tuple[int, int], GrowingText] = defaultdict(lambda: GrowingText(self.tokenizer))
        for drawn in self._draw(prompts, [trace_seeds(q, sampling) for q in questions], sampling, stop):
            if not drawn.stopped and not growth:
                continue
            drawn = replace(drawn, token_ids=[*given, *drawn.token_ids], logprobs=[] if given else drawn.logprobs)
            key = drawn.request, drawn.index
            if drawn.stopped:
                yield drawn.request, TraceEnded(drawn.index, finished_trace(self.tokenizer, drawn))
            elif growing[key].grow(drawn.token_ids):
                yield drawn.request, TraceGrew(drawn.index, growing[key].text)

    def draw_many(self, questions: Sequence[str], sampling: Sampling) -> Iterator[Drawn]:
        """As `sample_many`, but the finished sequences as ids."""
        prompts = [self._prompt_ids(q, sampling) for q in questions]
        seeds = [trace_seeds(q, sampling) for q in questions]
        yield from (d for d in self._draw(prompts, seeds, sampling, threading.Event()) if d.stopped)

    def check_question(self, question: str, sampling: Sampling) -> None:
        self._prompt_ids(question, sampling)

    def _prompt_ids(self, question: str, sampling: Sampling, given: int = 0) -> list[int]:
        ids = prompt_ids(self.tokenizer, question, self.form)
        if (needed := len(ids) + given + sampling.max_tokens) > self.context:
            begun = f" and what is written of its solution {given:,}" if given else ""
            raise DoesNotFit(
                f"the question takes {len(ids):,} tokens{begun} and with its solution would need {needed:,}; "
                f"{self.name} reads at most {self.context:,}: shorten it or lower max_tokens"
            )
        return ids


def finished_trace(tokenizer: PreTrainedTokenizerBase, drawn: Drawn) -> Trace:
    """The record of a sequence whose `stopped` is set."""
    assert drawn.stopped is not None
    text, offsets = decode_solution(tokenizer, drawn.token_ids)
    return written_trace(
        text, drawn.stopped, token_ids=tuple(drawn.token_ids), offsets=offsets, logprobs=tuple(drawn.logprobs)
    )


def written_trace(text: str, stopped: Stopped, **tokens: Any) -> Trace:
    """The record of a text that a model wrote, with what is known of its tokens: its steps and its answer are read.

    Of a text that was cut, only an answer that is stated as such before its unfinished step is one.
    """
    steps = split_steps(text) or ((0, len(text)),) * bool(text)
    trace = Trace(text=text, steps=steps, stopped=stopped, **tokens)
    answer = extract_answer(trace.finished().text, guess=trace.unfinished is None)
    return trace.model_copy(update={"answer": answer})
