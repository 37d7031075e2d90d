"""Draws traces from servers of the OpenAI protocol, one request a trace, spread over the replicas.

A trace whose server dies is drawn anew; finished ones are kept. When a server is given up, what is unfinished ends as
"cancelled" and then the error is raised.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from irl_core.models.prompts import PromptForm
from irl_core.policy.base import TokenPolicy
from irl_core.policy.sampling import Drawn, Sampling, Stopped
from irl_core.serving.client import Call, work_through
from irl_core.serving.errors import Refused, ServerError, Unavailable
from irl_core.serving.models import Served

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Key = TypeVar("Key")
State = TypeVar("State", bound="_Unfinished")


class _Unfinished(Protocol):
    """A frozen dataclass that says by `stopped` why a trace ended, None while it grows."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def stopped(self) -> Stopped | None: ...


_TOKENS_A_PIECE = 16


class ServerPolicy(TokenPolicy):
    """A model on a vLLM server whose tokenizer is known here: prompts go as ids, ids come back.

    What it draws is what the same model draws in this process, up to rounding: the same prompt form, the model's
    own distribution without the server's defaults, log-probabilities at temperature 1.
    """

    def __init__(
        self,
        name: str,
        served: Served,
        tokenizer: PreTrainedTokenizerBase,
        form: PromptForm,
        stop_ids: Sequence[int] = (),
    ):
        super().__init__(name, None, tokenizer, form, served.context or tokenizer.model_max_length, stop_ids)
        self._served = served

    def _draw(
        self, prompts: Sequence[list[int]], seeds: Sequence[Sequence[int]], sampling: Sampling, stop: threading.Event
    ) -> Iterator[Drawn]:
        interval = 1 if len(prompts) == 1 else _TOKENS_A_PIECE  # one question: somebody watches

        async def one(call: Call, trace: tuple[int, int], emit: Callable[[Drawn], None]) -> None:
            request, index = trace
            drawn = Drawn(request, index, (), ())
            body = self._request(prompts[request], seeds[request][index], sampling, interval)
            async with aclosing(call.events("/completions", body)) as events:
                async for event in events:
                    for choice in event.get("choices", ()):
                        drawn = self._extended(call, drawn, choice)
                        if not drawn.stopped:
                            emit(drawn)
            if drawn.stopped is None:
                raise Unavailable(f"the server at {call.url} broke off its answer")
            emit(drawn)

        empty = {(r, i): Drawn(r, i, (), ()) for r, own in enumerate(seeds) for i in range(len(own))}
        yield from (drawn for _, drawn in all_ended(self._served, empty, one, stop))

    def _request(self, prompt: list[int], seed: int, sampling: Sampling, interval: int) -> dict[str, Any]:
        return {
            "model": self._served.model,
            "prompt": prompt,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": seed,
            "max_tokens": sampling.max_tokens,
            "stream": True,
            "logprobs": 0,  # that of the drawn token alone
            "stop_token_ids": sorted(self.stop_ids),
            "return_token_ids": True,
            "stream_interval": interval,
            # A server takes what a request leaves out from the model's generation_config.json.
            "top_k": 0,
            "min_p": 0.0,
            "repetition_penalty": 1.0,
        }

    def _extended(self, call: Call, drawn: Drawn, choice: dict[str, Any]) -> Drawn:
        ids, logprobs = choice.get("token_ids"), (choice.get("logprobs") or {}).get("token_logprobs")
        if ids is None or logprobs is None:
            raise Refused(f"the server at {call.url} tells no token ids, as vLLM does; name it without the 'WHAT@'")
        kept = [(i, min(p, 0.0)) for i, p in zip(ids, logprobs, strict=True) if i not in self.stop_ids]
        return replace(
            drawn,
            token_ids=(*drawn.token_ids, *(i for i, _ in kept)),
            logprobs=(*drawn.logprobs, *(p for _, p in kept)),
            stopped=stopped_because(call, choice),
        )


def all_ended(
    served: Served,
    empty: Mapping[Key, State],
    one: Callable[[Call, Key, Callable[[State], None]], Awaitable[None]],
    stop: threading.Event,
) -> Iterator[tuple[Key, State]]:
    """(key, what `one` emits for it); what has not ended when the servers are done ends as "cancelled".

    `empty` holds for each key the state of a trace that was not begun. Raises as `work_through`, at the end.
    """
    unfinished = dict(empty)
    failure: ServerError | None = None
    try:
        for key, state in work_through(served.urls, served.patience, list(empty), one, stop):
            unfinished[key] = state
            if state.stopped:
                del unfinished[key]
            yield key, state
    except ServerError as error:
        failure = error
    yield from ((key, replace(state, stopped="cancelled")) for key, state in unfinished.items())
    if failure:
        raise failure


def stopped_because(call: Call, choice: Mapping[str, Any]) -> Stopped | None:
    """Why an answer ends, None if it goes on.

    Raises:
        Unavailable: if the server gave it up.
    """
    reason = choice.get("finish_reason")
    if reason not in (None, "stop", "length"):
        raise Unavailable(f"the server at {call.url} ended a solution early ({reason})")
    ends: dict[str | None, Stopped | None] = {None: None, "stop": "end", "length": "length"}
    return ends[reason]
