"""Reads the tokens of many sequences in one pass without padding, and each of them once.

A sequence may continue another, as the solutions of a problem continue its prompt, and solutions that begin alike
continue each other: whatever several begin with is read once. What was read is kept, keys and values of every layer,
so that a sequence that grew or was edited is read from the first new token on.

This module decides what is to be read; a `KVCacheEngine` (`irl_core.critic.engines`) reads it and keeps the keys and
values: with OpenVINO, or with PyTorch on a CPU or a GPU.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch

PromptAndCompletion = tuple[list[int], list[int]]
"""Token ids of a prompt and of what follows it."""

_ROUND_TO, _FEW_ROUND_TO, _FEW = 32, 8, 128


class Memory(Protocol):
    """Keys and values of every layer, from the first token of a sequence on."""

    def until(self, position: int) -> Memory:
        """Those of the first `position` tokens; what is read after them is not read into this memory."""
        ...


@dataclass(eq=False)
class ReadSequence:
    """Tokens read after those of `parent`, and the last hidden state of each, (T, d).

    `memory` goes back to the parent's first token; `logprobs` are those of the first tokens, as far as a head has been
    asked. The first `shared` tokens are those of `origin`, which is read in the same pass.
    """

    parent: ReadSequence | None = None
    ids: list[int] = field(default_factory=list)
    memory: Memory | None = None
    states: torch.Tensor | None = None
    logprobs: torch.Tensor | None = None
    origin: ReadSequence | None = None
    shared: int = 0

    @property
    def start(self) -> int:
        """The position of the first token."""
        return self.parent.end if self.parent else 0

    @property
    def end(self) -> int:
        """The position after the last token."""
        return self.start + len(self.ids)

    def fork(self, length: int) -> ReadSequence:
        """A sequence that shares the first `length` tokens of this one."""
        return ReadSequence(
            self.parent,
            self.ids[:length],
            None if self.memory is None else self.memory.until(self.start + length),
            None if self.states is None else self.states[:length],
            None if self.logprobs is None else self.logprobs[:length],
        )

    def before(self, start: int) -> torch.Tensor:
        """The states (T - start, d) that predict the tokens from `start` on, of a sequence that has been read."""
        return self.states_from_prompt()[start:-1]

    def states_from_prompt(self) -> torch.Tensor:
        """The states (1 + T, d) of the parent's last token and of all tokens, of a sequence that has been read."""
        assert self.parent is not None
        assert self.parent.states is not None
        assert self.states is not None
        return torch.cat([self.parent.states[-1:], self.states])

    def settle(self) -> None:
        """Take from `origin`, which has been read, what nothing new was added to."""
        assert self.origin is not None
        beginning = self.origin.fork(self.shared)
        assert beginning.states is not None
        self.memory = self.memory or beginning.memory
        self.states = beginning.states if self.states is None else torch.cat([beginning.states, self.states])


Work = tuple[ReadSequence, list[int]]
"""A sequence, which holds what was read of it, and the ids to be read next; then the sequence holds those too."""


class KVCacheEngine(Protocol):
    """A causal model without its head, as one `PrefixReader` uses it."""

    def read(self, work: Sequence[Work]) -> torch.Tensor:
        """Last hidden states (N, d) of all new tokens, in order, whose keys and values the sequences then remember.

        A sequence without a memory continues that of its origin or else of its parent, and comes after them.
        """
        ...


class PrefixReader:
    """One engine and what it read last: tokens that the next rows begin with as well are not read again."""

    def __init__(self, engine: KVCacheEngine) -> None:
        self._engine = engine
        self._prompts: dict[tuple[int, ...], ReadSequence] = {}
        self._known: list[ReadSequence] = []

    def read(self, rows: Sequence[PromptAndCompletion]) -> list[ReadSequence]:
        """One sequence per row, in order, whose ids are what follows the prompt; all in one pass.

        Raises:
            ValueError: if a prompt is empty.
            NotImplementedError: if the model's attention has more to it than the engine knows.
        """
        if not all(prompt for prompt, _ in rows):
            raise ValueError("a prompt without tokens predicts nothing")
        prompts = {tuple(prompt): self._prompts.get(tuple(prompt)) or ReadSequence() for prompt, _ in rows}
        work = [(sequence, list(prompt)) for prompt, sequence in prompts.items() if not sequence.ids]
        sequences: list[ReadSequence] = []
        for i, (prompt, ids) in enumerate(rows):
            sequence = self._resumed(prompts[tuple(prompt)], ids)
            sequences.append(_sharing(sequence, ids, zip(sequences, (before for _, before in rows[:i]), strict=True)))
        work += [(sequence, ids[len(sequence.ids) :]) for sequence, (_, ids) in zip(sequences, rows, strict=True)]
        self._read([(sequence, new) for sequence, new in work if new])
        for sequence in sequences:
            if sequence.origin:
                sequence.settle()
        self._prompts, self._known = prompts, sequences
        return sequences

    def _resumed(self, prompt: ReadSequence, ids: list[int]) -> ReadSequence:
        """A sequence with as many of the first `ids` as were read before."""
        shared = [(common_length(known.ids, ids), known) for known in self._known if known.parent is prompt]
        length, known = max(shared, key=lambda pair: pair[0], default=(0, None))
        return known.fork(length) if known and length else ReadSequence(prompt)

    def _read(self, work: Sequence[Work]) -> None:
        if not work:
            return
        for sequence, new in work:
            sequence.ids.extend(new)
        states = torch.split(self._engine.read(work), [len(new) for _, new in work])
        for (sequence, _), read in zip(work, states, strict=True):
            sequence.states = read if sequence.states is None else torch.cat([sequence.states, read])


def _sharing(sequence: ReadSequence, ids: list[int], before: Iterable[tuple[ReadSequence, list[int]]]) -> ReadSequence:
    """`sequence`, or one that begins as another of the same pass does, if they share more of `ids` than is known."""
    shared = [(common_length(others, ids), other) for other, others in before if other.parent is sequence.parent]
    length, origin = max(shared, key=lambda pair: pair[0], default=(0, sequence))
    return (
        sequence
        if length <= len(sequence.ids)
        else ReadSequence(sequence.parent, ids[:length], origin=origin, shared=length)
    )


def common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many ids both begin with."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def ids_and_positions(work: Sequence[Work]) -> tuple[list[int], list[int]]:
    """Of each new token, in order, and of as many that mean nothing as an engine should read after them.

    A new number of rows costs a kernel that is kept; rounded, there are few.
    """
    ids = [token for _, new in work for token in new]
    positions = [p for sequence, new in work for p in range(sequence.end - len(new), sequence.end)]
    idle = [0] * (-len(ids) % (_ROUND_TO if len(ids) > _FEW else _FEW_ROUND_TO))
    return ids + idle, positions + idle
