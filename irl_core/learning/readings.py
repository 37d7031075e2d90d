"""What a model says of completions, row by row: a head's values, log-probabilities, aligned as (B, T)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from irl_core.learning.demonstrations import Encoded, collate


def collated(
    rows: Sequence[Encoded], pad: int, device: torch.device, *, round_to: int = 1
) -> tuple[torch.Tensor, ...]:
    """`collate` on a device."""
    return tuple(tensor.to(device) for tensor in collate(list(rows), pad, round_to=round_to))


def head_values(
    base: torch.nn.Module, batch: tuple[torch.Tensor, ...], rows: Sequence[Encoded]
) -> tuple[torch.Tensor, torch.Tensor]:
    """A token classifier's output on each completion token, (B, T), less that at the prompt's end; and the mask."""
    ids, attention, completion = batch
    outputs = base.score(base.model(input_ids=ids, attention_mask=attention).last_hidden_state).float()[..., 0]
    ends = torch.tensor([len(row.prompt) - 1 for row in rows], device=ids.device)
    own = outputs - outputs[torch.arange(len(rows), device=ids.device), ends][:, None]
    return aligned(own[completion], rows)


def aligned(flat: torch.Tensor, rows: Sequence[Encoded]) -> tuple[torch.Tensor, torch.Tensor]:
    """Values of all completion tokens in row order (N,) as (B, T), and the mask (B, T)."""
    lengths = torch.tensor([len(row.completion) for row in rows], device=flat.device)
    mask = torch.arange(int(lengths.max()), device=flat.device) < lengths[:, None]
    return torch.nn.utils.rnn.pad_sequence(flat.split(lengths.tolist()), batch_first=True), mask
