"""What a model says of completions, row by row: a head's values, log-probabilities, aligned as (B, T)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from irl_core.learning.demonstrations import Encoded, collate

LogProbs = Sequence[Sequence[float]]
"""log pi of each completion token of each row, in nats."""


def collated(rows: Sequence[Encoded], pad: int, device: torch.device) -> tuple[torch.Tensor, ...]:
    """`collate` on a device."""
    return tuple(tensor.to(device) for tensor in collate(list(rows), pad))


def head_values(
    base: torch.nn.Module, batch: tuple[torch.Tensor, ...], rows: Sequence[Encoded]
) -> tuple[torch.Tensor, torch.Tensor]:
    """A token classifier's outputs on the completions, (B, T, labels), and the mask (B, T).

    Label 0 is read once the token is known and counted from its value at the prompt's end. Label 1, where there is
    one, is read before the token is known.
    """
    ids, attention, completion = batch
    outputs = base.score(base.model(input_ids=ids, attention_mask=attention).last_hidden_state).float()
    before = torch.nn.functional.pad(outputs, (0, 0, 1, 0))[:, :-1]
    ends = torch.tensor([len(row.prompt) - 1 for row in rows], device=ids.device)
    own = outputs[..., 0] - outputs[torch.arange(len(rows), device=ids.device), ends, 0][:, None]
    stacked = torch.stack([own, *before[..., 1:].unbind(-1)], -1)
    return aligned(stacked[completion], rows)


def aligned(flat: torch.Tensor, rows: Sequence[Encoded]) -> tuple[torch.Tensor, torch.Tensor]:
    """Values of all completion tokens in row order (N, ...) as (B, T, ...), and the mask (B, T)."""
    lengths = torch.tensor([len(row.completion) for row in rows], device=flat.device)
    mask = torch.arange(int(lengths.max()), device=flat.device) < lengths[:, None]
    return torch.nn.utils.rnn.pad_sequence(flat.split(lengths.tolist()), batch_first=True), mask


def padded(values: LogProbs | None, mask: torch.Tensor) -> torch.Tensor:
    """Ragged values as (B, T), zero behind each row's end.

    Raises:
        ValueError: if there are none.
    """
    if values is None:
        raise ValueError("this reward form or loss needs the policy's log-probabilities")
    rows = [torch.as_tensor(row, dtype=torch.float32, device=mask.device) for row in values]
    found = torch.zeros(mask.shape, device=mask.device)
    for i, row in enumerate(rows):
        found[i, : len(row)] = row
    return found
