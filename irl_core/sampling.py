"""What every way of drawing traces shares: the request, the events, and turning drawn tokens into a `Trace`."""

from __future__ import annotations

import hashlib
import threading
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from irl_core.answers import extract_answer
from irl_core.prompts import PromptForm, encode_solution, end_id, prompt_ids
from irl_core.traces import Span, Trace, partition, split_steps

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Stopped = Literal["end", "length", "cancelled"]

_UNFINISHED = "\ufffd"  # what a decoder shows for a character whose last bytes are still to come


class DoesNotFit(ValueError):
    """A question, with the solution to be drawn, is longer than the model reads; the message repeats no text of it."""


@dataclass(frozen=True)
class Sampling:
    """How to draw. Temperature 0 takes the most probable token; `top_p` keeps the smallest set with that much mass.

    Raises:
        ValueError: if a setting is out of range; the message names it.
    """

    n: int = 8
    temperature: float = 0.7
    top_p: float = 0.95
    seed: int = 0
    max_tokens: int = 160

    def __post_init__(self) -> None:
        for name, holds, rule in (
            ("n", self.n >= 1, "at least 1"),
            ("temperature", 0 <= self.temperature <= 10, "from 0 to 10"),
            ("top_p", 0 < self.top_p <= 1, "above 0 and at most 1"),
            ("seed", self.seed >= 0, "0 or above"),
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


class Policy(ABC):
    """A language model that writes solutions.

    The trace of one question, seed and index does not depend on what else is drawn beside it, up to the rounding of
    the engine.

    Attributes:
        name: what the user called it.
        sha256: of the weights that speak, None where they are not on this disk.
        calculates: whether `calculator=True` is honoured.
    """

    calculates: ClassVar[bool] = False

    def __init__(self, name: str, sha256: str | None):
        self.name = name
        self.sha256 = sha256

    @abstractmethod
    def _events(
        self, questions: Sequence[str], how: Sampling, stop: threading.Event, *, growth: bool, prefix: str = ""
    ) -> Iterator[tuple[int, TraceEvent]]:
        """(question index, event) as it happens; without `growth` only the ends. Errors as `sample`.

        Every trace ends once, those that were not begun at a stop request included.
        """

    @abstractmethod
    def check_question(self, question: str, how: Sampling) -> None:
        """Raise DoesNotFit if `question` leaves no room for its solution in the model's context."""

    def sample(
        self,
        question: str,
        n: int = 8,
        *,
        temperature: float = 0.7,
        top_p: float = 0.95,
        seed: int = 0,
        max_tokens: int = 160,
        stop: threading.Event | None = None,
        prefix: str = "",
    ) -> Iterator[TraceEvent]:
        """Draw `n` solutions of `question`, all growing side by side, as events while it happens.

        With a `prefix` every solution begins with that text and is continued; `max_tokens` counts what is drawn,
        and the trace carries no log-probabilities, since its first tokens were not drawn.

        Raises:
            ValueError: if a setting is out of range; DoesNotFit: the prompt leaves no room in the context.
            NotImplementedError: for a prefix, where the model is asked through a chat.
        """
        how = Sampling(n, temperature, top_p, seed, max_tokens)
        events = self._events([question], how, stop or threading.Event(), growth=True, prefix=prefix)
        yield from (event for _, event in events)

    def sample_many(
        self, questions: Sequence[str], how: Sampling, stop: threading.Event | None = None
    ) -> Iterator[tuple[int, TraceEnded]]:
        """Draw `how.n` solutions of each question, many at once; (question index, finished trace) as they end.

        Raises:
            DoesNotFit: if a question leaves no room in the model's context.
        """
        yield from self._events(questions, how, stop or threading.Event(), growth=False)


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
        self, prompts: Sequence[list[int]], seeds: Sequence[Sequence[int]], how: Sampling, stop: threading.Event
    ) -> Iterator[Drawn]:
        """Draw one sequence per seed and prompt; yield at least once per sequence, with `stopped` set, when it ends.

        On `stop` every sequence that was begun or not ends as "cancelled". Tokens in `stop_ids` are not yielded.
        """

    def _events(
        self, questions: Sequence[str], how: Sampling, stop: threading.Event, *, growth: bool, prefix: str = ""
    ) -> Iterator[tuple[int, TraceEvent]]:
        given = encode_solution(self.tokenizer, prefix)[0] if prefix else []
        prompts = [[*self._prompt_ids(q, how, len(given)), *given] for q in questions]
        growing: dict[tuple[int, int], GrowingText] = defaultdict(lambda: GrowingText(self.tokenizer))
        for drawn in self._draw(prompts, [trace_seeds(q, how) for q in questions], how, stop):
            if not drawn.stopped and not growth:
                continue
            drawn = replace(drawn, token_ids=[*given, *drawn.token_ids], logprobs=[] if given else drawn.logprobs)
            key = drawn.request, drawn.index
            if drawn.stopped:
                yield drawn.request, TraceEnded(drawn.index, finished_trace(self.tokenizer, drawn))
            elif growing[key].grow(drawn.token_ids):
                yield drawn.request, TraceGrew(drawn.index, growing[key].text)

    def draw_many(self, questions: Sequence[str], how: Sampling) -> Iterator[Drawn]:
        """As `sample_many`, but the finished sequences as ids."""
        prompts = [self._prompt_ids(q, how) for q in questions]
        seeds = [trace_seeds(q, how) for q in questions]
        yield from (d for d in self._draw(prompts, seeds, how, threading.Event()) if d.stopped)

    def check_question(self, question: str, how: Sampling) -> None:
        self._prompt_ids(question, how)

    def _prompt_ids(self, question: str, how: Sampling, given: int = 0) -> list[int]:
        ids = prompt_ids(self.tokenizer, question, self.form)
        if (needed := len(ids) + given + how.max_tokens) > self.context:
            begun = f" and what is written of its solution {given:,}" if given else ""
            raise DoesNotFit(
                f"the question takes {len(ids):,} tokens{begun} and with its solution would need {needed:,}; "
                f"{self.name} reads at most {self.context:,}: shorten it or lower max_tokens"
            )
        return ids


def trace_seeds(question: str, how: Sampling) -> list[int]:
    """One 63-bit seed per trace, from the run's seed, the question and the trace's index, and from nothing else."""
    keys = (f"{how.seed}\0{index}\0{question.strip()}" for index in range(how.n))
    return [int.from_bytes(hashlib.sha256(k.encode("utf-8", "surrogatepass")).digest()[:8]) >> 1 for k in keys]


def _decode(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    # Not `tokenizer.decode`, which looks at each id three times before it says the same.
    return tokenizer.backend_tokenizer.decode(list(ids), skip_special_tokens=True)


def text_so_far(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    """The text of a growing trace, without a character of which only some bytes are there."""
    return _decode(tokenizer, ids).rstrip(_UNFINISHED)


class GrowingText:
    """The text of a trace that is being drawn, at a cost that does not grow with it: the newest tokens are decoded,
    after those before them, since a token may read otherwise at the start of a text.

    `text` shows a character when all its bytes are there; `held` is what the newest tokens say before that.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self.text = self.held = ""
        self._tokenizer = tokenizer
        self._start = self._shown = 0  # tokens: the context's first, the first that `text` does not hold
        self._context = ""

    def grow(self, ids: Sequence[int]) -> bool:
        """Take all ids drawn so far; tells whether there is more text to show."""
        self.held = _decode(self._tokenizer, ids[self._start :])[len(self._context) :]
        if not self.held or self.held.endswith(_UNFINISHED):
            return False
        self.text, self.held = self.text + self.held, ""
        self._start, self._shown = self._shown, len(ids)
        self._context = _decode(self._tokenizer, ids[self._start :])
        return True


def decode_solution(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> tuple[str, tuple[Span, ...]]:
    """Text of drawn tokens and the span of each; the spans partition the text as in `encode_solution`.

    Control tokens show nothing and have an empty span; bytes that are no UTF-8 show as U+FFFD.
    """
    text = _decode(tokenizer, ids)
    again, offsets = encode_solution(tokenizer, text)
    if again == list(ids):
        return text, offsets
    before, starts = GrowingText(tokenizer), []
    for drawn in range(len(ids)):
        starts.append(len(before.text + before.held.rstrip(_UNFINISHED)) + bool(before.held))
        before.grow(ids[: drawn + 1])
    return text, partition(starts, len(text))


def finished_trace(tokenizer: PreTrainedTokenizerBase, drawn: Drawn) -> Trace:
    """The record of a finished sequence."""
    text, offsets = decode_solution(tokenizer, drawn.token_ids)
    return written_trace(
        text, drawn.stopped, token_ids=tuple(drawn.token_ids), offsets=offsets, logprobs=tuple(drawn.logprobs)
    )


def written_trace(text: str, stopped: Stopped, **tokens: Any) -> Trace:
    """The record of a text that a model wrote, with what is known of its tokens: its steps and its answer are read."""
    steps = split_steps(text) or ((0, len(text)),) * bool(text)
    return Trace(text=text, steps=steps, answer=extract_answer(text), stopped=stopped, **tokens)
