"""Draws traces through the chat endpoint of any server of the OpenAI protocol; the server makes prompt and tokens."""

from __future__ import annotations

import codecs
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from irl_core.models.prompts import INSTRUCTION
from irl_core.policy.base import Policy, written_trace
from irl_core.policy.sampling import Sampling, Stopped, TraceEnded, TraceEvent, TraceGrew, trace_seeds
from irl_core.serving.client import Call
from irl_core.serving.errors import BadRequest, Unavailable
from irl_core.serving.models import Served
from irl_core.serving.server_policy import all_ended, stopped_because
from irl_core.text.spans import partition
from irl_core.text.traces import Trace


@dataclass(frozen=True)
class ChatAnswer:
    """An answer so far, and of each token its bytes and log-probability (nats) where the server tells them."""

    text: str = ""
    tokens: tuple[tuple[bytes, float], ...] = ()
    stopped: Stopped | None = None


class ChatPolicy(Policy):
    """A model behind any server's chat endpoint, which makes the prompt and the tokens its own way.

    Log-probabilities are those that the server gives, if any. A question goes in as a message: what control tokens
    typed into it do is the server's affair.
    """

    def __init__(self, name: str, served: Served):
        super().__init__(name, None)
        self._served = served
        self._logprobs = True  # until the server refuses to give any

    def check_question(self, question: str, sampling: Sampling) -> None:
        """The server counts; a question that is too long it refuses, and the others are drawn."""

    def _events(
        self, questions: Sequence[str], sampling: Sampling, stop: threading.Event, *, growth: bool
    ) -> Iterator[tuple[int, TraceEvent]]:
        if sampling.prefix:
            raise NotImplementedError(
                f"{self.name}: a chat cannot go on with a solution; name the model itself, as WHAT@URL"
            )
        seeds = [trace_seeds(q, sampling) for q in questions]
        empty = {(request, index): ChatAnswer() for request in range(len(questions)) for index in range(sampling.n)}

        async def one(call: Call, trace: tuple[int, int], emit: Callable[[ChatAnswer], None]) -> None:
            request, index = trace
            body = self._request(questions[request], seeds[request][index], sampling)
            try:
                await _stream_answer(call, body, emit)
            except BadRequest as refusal:
                if "logprobs" not in str(refusal) or "logprobs" not in body:
                    raise
                self._logprobs = False
                await _stream_answer(call, self._request(questions[request], seeds[request][index], sampling), emit)

        for (request, index), answer in all_ended(self._served, empty, one, stop):
            if answer.stopped:
                yield request, TraceEnded(index, trace_of_answer(answer))
            elif growth:
                yield request, TraceGrew(index, answer.text)

    def _request(self, question: str, seed: int, sampling: Sampling) -> dict[str, Any]:
        """Nothing but OpenAI's own fields, since others may be refused."""
        return {
            "model": self._served.model,
            "messages": [{"role": "user", "content": f"{question.strip()}\n\n{INSTRUCTION}"}],
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": seed & 0x7FFF_FFFF,  # some servers keep 32 bits
            "max_tokens": sampling.max_tokens,
            "stream": True,
            **({"logprobs": True} if self._logprobs else {}),
        }


async def _stream_answer(call: Call, body: dict[str, Any], emit: Callable[[ChatAnswer], None]) -> None:
    """Emit an answer as it grows and once it has ended."""
    answer = ChatAnswer()
    async with aclosing(call.events("/chat/completions", body)) as events:
        async for event in events:
            for choice in event.get("choices", ()):
                entries = (choice.get("logprobs") or {}).get("content") or ()
                answer = ChatAnswer(
                    answer.text + (choice.get("delta", {}).get("content") or ""),
                    (*answer.tokens, *((_bytes_of(entry), min(entry["logprob"], 0.0)) for entry in entries)),
                    stopped_because(call, choice) or answer.stopped,
                )
                if not answer.stopped:
                    emit(answer)
    if answer.stopped is None:
        raise Unavailable(f"the server at {call.url} broke off its answer")
    emit(answer)


def _bytes_of(entry: dict[str, Any]) -> bytes:
    known = entry.get("bytes")
    return entry["token"].encode() if known is None else bytes(known)


def trace_of_answer(answer: ChatAnswer) -> Trace:
    """The record of an answer that has ended.

    Its tokens are kept where they spell its text, a last one that shows nothing aside.
    """
    assert answer.stopped is not None
    for tokens in (answer.tokens, answer.tokens[:-1]):
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        starts, text = [], ""
        for piece, _ in tokens:
            starts.append(len(text))
            text += decoder.decode(piece)
        text += decoder.decode(b"", True)
        if tokens and text == answer.text:
            offsets, logprobs = partition(starts, len(text)), tuple(logprob for _, logprob in tokens)
            return written_trace(text, answer.stopped, offsets=offsets, logprobs=logprobs)
    return written_trace(answer.text, answer.stopped)
