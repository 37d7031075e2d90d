"""What arithmetic says of a rollout, beside what a discriminator says: no label, and no model."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from irl_core.learning.common.encoding import Encoded
from irl_core.models.solution_tokens import decode_solution
from irl_core.text.equations import equations_of
from irl_core.text.traces import Trace


def false_equation_ends(tokenizer, rows: Sequence[Encoded], width: int) -> torch.Tensor:
    """(B, width) float: how many false equations of the row's completion end in each token."""
    found = torch.zeros(len(rows), width)
    for i, row in enumerate(rows):
        text, spans = decode_solution(tokenizer, row.completion)
        for check in equations_of(Trace.from_text(text)):
            if not check.ok:
                last = max(t for t, (start, end) in enumerate(spans) if start < min(check.span[1], end))
                found[i, last] += 1
    return found
