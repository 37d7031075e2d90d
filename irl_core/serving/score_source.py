"""What a served critic asks of whatever serves its model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch

from irl_core.critic.prefix_reader import PromptAndCompletion


class ScoreSource(Protocol):
    """A served model.

    Attributes:
        place: where it runs, for a person.
        context: how many tokens it reads, None where that is not known.
    """

    place: str
    context: int | None

    def logprobs(self, rows: Sequence[PromptAndCompletion]) -> list[torch.Tensor]:
        """Of each row's completion tokens, (T,), in nats."""
        ...

    def values(self, rows: Sequence[PromptAndCompletion]) -> list[torch.Tensor]:
        """A head's output at the prompt's last token and at each completion token, (1 + T,)."""
        ...
