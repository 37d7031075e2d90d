"""Linear layers whose weights lie in memory in the order that the processor's matrix products want.

A product in bfloat16 reorders its weights each time it is called, which is most of its cost where few tokens are
read: a trace that grew a little, or the end of one that was edited. A model that only reads can have that done once.
"""

from __future__ import annotations

import torch


class ReorderedLinear(torch.nn.Module):
    """`linear` for reading alone: its weight is laid out for good and can neither be trained nor saved."""

    def __init__(self, linear: torch.nn.Linear) -> None:
        super().__init__()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach())
        self._bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(states, self._weight, self._bias, "none", [], "")
        return product


def reorder_linear_layers(model: torch.nn.Module) -> None:
    """Put `ReorderedLinear` in the place of the model's linear ones, where that is faster."""
    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if type(layer) is torch.nn.Linear:
                setattr(parent, name, reordered(layer))


def reordered(linear: torch.nn.Linear) -> torch.nn.Module:
    """The layer as it computes fastest: reordered if it is in bfloat16 and on a CPU, else as it is."""
    return ReorderedLinear(linear) if can_be_reordered(linear.weight) else linear


def can_be_reordered(weight: torch.Tensor) -> bool:
    """Whether oneDNN multiplies by this weight in bfloat16 here, and so has an order of its own for it."""
    has_products = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    # An older processor imitates bfloat16 and has no layout of its own for it.
    return (
        has_products
        and torch.ops.mkldnn._is_mkldnn_bf16_supported()
        and weight.device.type == "cpu"
        and weight.dtype == torch.bfloat16
    )
