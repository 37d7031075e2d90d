"""Old rollouts, kept by prompt: a discriminator that sees only today's policy forgets how yesterday's cheated."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence


class Replay:
    """The last `size` completions of each question, as token ids without the end token's meaning changed."""

    def __init__(self, size: int) -> None:
        self._kept: dict[str, deque[list[int]]] = defaultdict(lambda: deque(maxlen=size))

    def add(self, question: str, completion: Sequence[int]) -> None:
        self._kept[question].append(list(completion))

    def draw(self, question: str, n: int, rng: random.Random) -> list[list[int]]:
        """Up to `n` different ones of the same question."""
        kept = list(self._kept.get(question, ()))
        return rng.sample(kept, min(n, len(kept)))

    def state(self) -> dict[str, list[list[int]]]:
        """For a checkpoint, as JSON can hold it."""
        return {question: list(kept) for question, kept in self._kept.items()}

    def load(self, state: Mapping[str, Sequence[Sequence[int]]]) -> None:
        self._kept.clear()
        for question, kept in state.items():
            for completion in kept:
                self.add(question, completion)
