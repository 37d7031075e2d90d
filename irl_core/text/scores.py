"""What a critic says of one trace: a reward for every token, sums for the steps, one score for the whole."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from irl_core.text.records import Record
from irl_core.text.spans import Span


class TraceScore(Record):
    """What a critic says of one trace, token by token.

    `values[t]` is the critic's belief after token t, in nats, that an expert would have written this far, and
    `rewards[t] = values[t] - values[t-1]` with `values[-1] = 0` before the first token: differences of a potential
    (Ng, Harada and Russell 1999), which add up to the value of the trace and count no evidence twice. `step_rewards`
    sums the rewards of a step; `surprise` is the negative log-probability of each step under the policy, in nats.
    `logprobs` are those of the tokens under the critic's language model, in nats, empty where it has none.
    `trace_score` is what reranking compares; its aggregation is the critic's choice and is named in its card.
    """

    offsets: tuple[Span, ...]
    rewards: tuple[float, ...]
    values: tuple[float, ...]
    step_rewards: tuple[float, ...]
    surprise: tuple[float, ...] = ()
    trace_score: float
    truncated_at: int | None = None
    logprobs: tuple[float, ...] = ()

    @property
    def token_rewards(self) -> tuple[float, ...]:
        """The reward of each token in nats, T of them: `rewards` under the name that says whose they are."""
        return self.rewards

    def beginning(self, length: int, steps: int) -> Self:
        """The score of the first `steps` steps, which are the first `length` characters of the trace.

        A token that the end divides is kept up to it. The trace score stays that of the whole.
        """
        kept = sum(start < length for start, _ in self.offsets)
        return self.model_copy(
            update={
                "offsets": tuple((start, min(end, length)) for start, end in self.offsets[:kept]),
                "rewards": self.rewards[:kept],
                "values": self.values[:kept],
                "step_rewards": self.step_rewards[:steps],
                "surprise": self.surprise[:steps],
                "logprobs": self.logprobs[:kept],
            }
        )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not len(self.offsets) == len(self.rewards) == len(self.values):
            raise ValueError("offsets, rewards and values must have one entry per token")
        if self.logprobs and len(self.logprobs) != len(self.offsets):
            raise ValueError("logprobs must have one entry per token, or none")
        return self
