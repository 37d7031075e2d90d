"""Examples as token ids, in padded batches, and what a model says of their completions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from irl_core.models.prompts import prompt_ids
from irl_core.models.solution_tokens import encode_solution, end_id

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""`input_ids`, `attention_mask` and `completion_mask`, each (B, T)."""

ROUND_TO = 32
"""Lengths and numbers of rows in training are multiples of it, so that there are few different shapes."""


class Encoded(NamedTuple):
    """Prompt and completion as ids; the completion ends with the end-of-turn id."""

    prompt: list[int]
    completion: list[int]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.completion)


def encode(tokenizer: PreTrainedTokenizerBase, question: str, solution: str, *, ended: bool = True) -> Encoded:
    """One example as the policy sees it; `ended=False` for a solution that was cut off."""
    ids, _ = encode_solution(tokenizer, solution)
    return Encoded(prompt_ids(tokenizer, question), ids + [end_id(tokenizer)] * ended)


def collate(examples: list[Encoded], pad: int, *, round_to: int = 1) -> Batch:
    """Right-padded `input_ids`, `attention_mask` and `completion_mask` (true on completion tokens), each (B, T).

    T is a multiple of `round_to`.
    """
    width = max(map(len, examples))
    width += -width % round_to
    ids = torch.full((len(examples), width), pad)
    attention = torch.zeros_like(ids)
    completion = torch.zeros(ids.shape, dtype=torch.bool)
    for row, example in enumerate(examples):
        ids[row, : len(example)] = torch.tensor(example.prompt + example.completion)
        attention[row, : len(example)] = 1
        completion[row, len(example.prompt) : len(example)] = True
    return ids, attention, completion


def causal_lm(model: Any) -> Any:
    """The language model itself, with or without PEFT's wrapper around it."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def completion_logprobs(
    model: torch.nn.Module, ids: torch.Tensor, attention: torch.Tensor, completion: torch.Tensor
) -> torch.Tensor:
    """log π(y_t | x, y_<t) of the completion tokens, in nats, flat (N,) in row order.

    The head is applied to the completion positions alone, as one matrix: on a CPU a three-dimensional product would
    copy the vocabulary's weights once per row.
    """
    causal = causal_lm(model)
    hidden = causal.model(input_ids=ids, attention_mask=attention).last_hidden_state
    return target_logprobs(causal.lm_head, hidden[:, :-1][completion[:, 1:]], ids[:, 1:][completion[:, 1:]])


def target_logprobs(lm_head: torch.nn.Module, states: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """log π of `targets` (N,) under the head at `states` (N, d), in nats, (N,).

    Rows are rounded up: on a CPU each new number of them costs a kernel, which is then kept in memory for good.
    """
    rounded = torch.nn.functional.pad(states, (0, 0, 0, -len(states) % ROUND_TO))
    logits = lm_head(rounded)[: len(states)].float()
    return -torch.nn.functional.cross_entropy(logits, targets, reduction="none")


def collated(rows: Sequence[Encoded], pad: int, device: torch.device, *, round_to: int = 1) -> Batch:
    """`collate` on a device."""
    ids, attention, completion = collate(list(rows), pad, round_to=round_to)
    return ids.to(device), attention.to(device), completion.to(device)


def head_values(base: Any, batch: Batch, rows: Sequence[Encoded]) -> tuple[torch.Tensor, torch.Tensor]:
    """A token classifier's output on each completion token, (B, T), less that at the prompt's end; and the mask."""
    ids, attention, completion = batch
    outputs = base.score(base.model(input_ids=ids, attention_mask=attention).last_hidden_state).float()[..., 0]
    ends = torch.tensor([len(row.prompt) - 1 for row in rows], device=ids.device)
    values = outputs - outputs[torch.arange(len(rows), device=ids.device), ends][:, None]
    return aligned(values[completion], rows)


def aligned(flat: torch.Tensor, rows: Sequence[Encoded]) -> tuple[torch.Tensor, torch.Tensor]:
    """Values of all completion tokens in row order (N,) as (B, T), and the mask (B, T)."""
    lengths = torch.tensor([len(row.completion) for row in rows], device=flat.device)
    mask = torch.arange(int(lengths.max()), device=flat.device) < lengths[:, None]
    values = list(torch.split(flat, lengths.tolist()))
    return torch.nn.utils.rnn.pad_sequence(values, batch_first=True), mask
