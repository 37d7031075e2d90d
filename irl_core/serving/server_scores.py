"""Reads solutions with servers: `/completions` tells the log-probabilities of a prompt, vLLM's `/pooling` values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch

from irl_core.serving.client import Call, work_through
from irl_core.serving.errors import Refused
from irl_core.serving.models import Served

if TYPE_CHECKING:
    from irl_core.critic.prefix_reader import PromptAndCompletion

_MOST_ROWS = 16  # in one request: enough to fill a batch, few enough to do again


class ServerScores:
    """A merged checkpoint behind one URL or several, over which the rows are spread.

    Causal ones need a server that tells the log-probabilities of a prompt (vLLM's `prompt_logprobs`, or `echo`), those
    for token classification vLLM's `/pooling`.
    """

    place = "a server"

    def __init__(self, served: Served):
        self._served = served
        self.context = served.context

    def logprobs(self, rows: Sequence[PromptAndCompletion]) -> list[torch.Tensor]:
        async def one(call: Call, batch: range, emit: Callable[[list[torch.Tensor]], None]) -> None:
            body = {
                "model": self._served.model,
                "prompt": [prompt + ids for prompt, ids in rows[batch.start : batch.stop]],
                "temperature": 0,
                "max_tokens": 1,
                "prompt_logprobs": 0,  # vLLM's own: that of each token of the prompt and of no other
                "echo": True,  # OpenAI's first way of asking for the same
                "logprobs": 1,
            }
            answer = await call.ask("POST", "/completions", body)
            choices = _in_order(call, answer, "choices", len(batch))
            emit([_prompt_logprobs(call, choice, *rows[i]) for i, choice in zip(batch, choices, strict=True)])

        return self._spread(rows, one)

    def values(self, rows: Sequence[PromptAndCompletion]) -> list[torch.Tensor]:
        async def one(call: Call, batch: range, emit: Callable[[list[torch.Tensor]], None]) -> None:
            body = {
                "model": self._served.model,
                "input": [prompt + ids for prompt, ids in rows[batch.start : batch.stop]],
                "task": "token_classify",
                "use_activation": False,
            }
            answer = await call.ask("POST", "/pooling", body, root=True)
            of_each = [torch.tensor(one["data"]).reshape(-1) for one in _in_order(call, answer, "data", len(batch))]
            for i, values in zip(batch, of_each, strict=True):
                if len(values) != sum(map(len, rows[i])):
                    raise Refused(f"{self._served.model} at {call.url} does not give one value for each token")
            emit([values[len(rows[i][0]) - 1 :] for i, values in zip(batch, of_each, strict=True)])

        return self._spread(rows, one)

    def _spread(self, rows: Sequence[PromptAndCompletion], one: Any) -> list[torch.Tensor]:
        size = max(1, min(_MOST_ROWS, -(-len(rows) // (2 * len(self._served.urls)))))
        batches = [range(start, min(start + size, len(rows))) for start in range(0, len(rows), size)]
        by_batch = dict(work_through(self._served.urls, self._served.patience, batches, one))
        return [tensor for batch in batches for tensor in by_batch[batch]]


def _in_order(call: Call, answer: Any, key: str, wanted: int) -> list[dict[str, Any]]:
    answers = sorted(answer.get(key, ()), key=lambda one: one.get("index", 0)) if isinstance(answer, dict) else []
    if len(answers) != wanted:
        raise Refused(f"the server at {call.url} gave {len(answers)} answers to {wanted} questions")
    return answers


def _prompt_logprobs(call: Call, choice: dict[str, Any], prompt: list[int], ids: list[int]) -> torch.Tensor:
    """Of the completion's tokens, (T,), in nats."""
    if known := choice.get("prompt_logprobs"):
        logprobs = [entry[str(i)]["logprob"] for i, entry in zip(ids, known[len(prompt) :], strict=True)]
    elif known := (choice.get("logprobs") or {}).get("token_logprobs"):
        logprobs = known[len(prompt) : len(prompt) + len(ids)]
    else:
        raise Refused(f"the server at {call.url} does not tell the log-probabilities of a prompt, as vLLM does")
    return torch.tensor(logprobs, dtype=torch.float32)
