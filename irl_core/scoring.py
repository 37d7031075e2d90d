"""From text to per-token statistics: encoding, batching, one forward pass, and back to the characters shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch

from irl_core.prompts import encode_solution, prompt_ids
from irl_core.traces import Span, Trace, partition, strip_calculator_marks

MAX_TOKENS = 1536
_BATCH_TOKENS = 2048
_HEAD_CHUNK = 256


class TokenStatistics(NamedTuple):
    """Per completion token, each (T,) float32: log-probability (nats), also of a reference, or a head's value V_t."""

    logprobs: torch.Tensor | None = None
    values: torch.Tensor | None = None
    reference: torch.Tensor | None = None


class EncodedTrace(NamedTuple):
    """`offsets` partition the text of the trace as it was given, calculator marks included.

    `numbers` (T,) is true for tokens that hold a digit of the solution (not of a mark).
    """

    prompt: list[int]
    completion: list[int]
    offsets: tuple[Span, ...]
    numbers: torch.Tensor
    truncated_at: int | None

    def __len__(self) -> int:
        return len(self.prompt) + len(self.completion)


def encode_items(tokenizer, items: Sequence[tuple[str, Trace]]) -> list[EncodedTrace]:
    """Question and trace as ids. Calculator marks are not scored: their characters belong to the token before them.

    Raises:
        ValueError: for a trace without text.
    """
    encoded = []
    for question, trace in items:
        clean, positions = strip_calculator_marks(trace.text)
        ids, spans = encode_solution(tokenizer, clean)
        if not ids:
            raise ValueError("the trace has no text to score")
        truncated_at = None
        starts = [positions[a] if a < len(positions) else len(trace.text) for a, _ in spans]
        length = len(trace.text)
        if len(ids) > MAX_TOKENS:
            truncated_at = length = starts[MAX_TOKENS]
            ids, starts = ids[:MAX_TOKENS], starts[:MAX_TOKENS]
        numbers = number_mask(clean, spans[: len(ids)])
        prompt = prompt_ids(tokenizer, question)[-MAX_TOKENS:]
        encoded.append(EncodedTrace(prompt, ids, partition(starts, length), numbers, truncated_at))
    return encoded


def scoring_batches(encoded: Sequence[EncodedTrace], budget: int = _BATCH_TOKENS) -> Iterator[list[int]]:
    """Indices in batches: traces of one prompt together, the others by length; each within `budget` padded tokens."""
    by_prompt: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for i, e in enumerate(encoded):
        by_prompt[tuple(e.prompt)].append(i)
    alone = [group[0] for group in by_prompt.values() if len(group) == 1]
    for group in [alone, *(g for g in by_prompt.values() if len(g) > 1)]:
        lengths = [len(encoded[i]) for i in group]
        for batch in length_batches(lengths, budget):
            yield [group[j] for j in batch]


def length_batches(lengths: Sequence[int], budget: int = _BATCH_TOKENS) -> Iterator[list[int]]:
    """Indices grouped by similar length, so that a padded batch wastes little and stays within `budget` tokens."""
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if batch and lengths[batch[0]] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def causal_statistics(model: torch.nn.Module, rows: Sequence[tuple[list[int], list[int]]]) -> list[TokenStatistics]:
    """Log-probability of each completion token under a causal language model.

    The head is applied in chunks: the logits of a whole batch would take a gigabyte.
    """
    hidden, targets = _completion_states(model.model, rows)
    logprobs = [
        -torch.nn.functional.cross_entropy(model.lm_head(states).float(), ids, reduction="none")
        for states, ids in zip(hidden.split(_HEAD_CHUNK), targets.split(_HEAD_CHUNK), strict=True)
    ]
    lengths = [len(completion) for _, completion in rows]
    return [TokenStatistics(logprobs=found) for found in torch.cat(logprobs).split(lengths)]


def head_statistics(model: torch.nn.Module, rows: Sequence[tuple[list[int], list[int]]]) -> list[TokenStatistics]:
    """V_t after each completion token, less V at the prompt's last token, from a head with one label."""
    hidden, _ = _completion_states(model.model, rows, shift=0)
    values = model.score(hidden).float()[:, 0]
    lengths = [len(completion) + 1 for _, completion in rows]
    return [TokenStatistics(values=v[1:] - v[0]) for v in values.split(lengths)]


def _completion_states(body, rows, shift: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Hidden states flat over the rows: those that predict the completion (`shift=1`), or from the prompt's end on.

    Rows that share one prompt compute it once.
    """
    shared = len(rows) > 1 and all(prompt == rows[0][0] for prompt, _ in rows) and len(rows[0][0]) > 1
    past = _prompt_cache(body, rows[0][0][:-1], len(rows)) if shared else None
    known = len(rows[0][0]) - 1 if shared else 0
    width = max(len(p) + len(c) for p, c in rows) - known
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    attention, chosen = torch.zeros_like(ids), torch.zeros(ids.shape, dtype=torch.bool)
    for i, (prompt, completion) in enumerate(rows):
        end = len(prompt) + len(completion) - known
        ids[i, :end] = torch.tensor((prompt + completion)[known:])
        attention[i, :end] = 1
        chosen[i, len(prompt) - 1 - known : end - shift] = True
    attention = torch.cat([torch.ones(len(rows), known, dtype=torch.long), attention], dim=1)
    hidden = body(input_ids=ids, attention_mask=attention, past_key_values=past, use_cache=shared).last_hidden_state
    targets = torch.tensor([token for _, completion in rows for token in completion])
    return hidden[chosen], targets


def _prompt_cache(body, prompt: list[int], copies: int):
    """Keys and values of a prompt, computed once and repeated for each row."""
    cache = body(input_ids=torch.tensor([prompt]), use_cache=True).past_key_values
    cache.batch_repeat_interleave(copies)
    return cache


def number_mask(text: str, offsets: Sequence[Span]) -> torch.Tensor:
    """True for tokens that hold a digit, (T,)."""
    return torch.tensor([any(c.isdigit() for c in text[a:b]) for a, b in offsets])
