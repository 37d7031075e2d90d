"""Linear layers whose weights lie as the processor's products want them.

A product in bfloat16 lays its weights out anew each time it is called, which is most of its cost where few tokens are
read: a trace that grew a little, or the end of one that was edited. A model that only reads can have that done once.
"""

from __future__ import annotations

import torch


class PackedLinear(torch.nn.Module):
    """`linear` for reading alone: its weight is laid out for good and can neither be trained nor saved."""

    def __init__(self, linear: torch.nn.Linear) -> None:
        super().__init__()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach())
        self._bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return torch.ops.mkldnn._linear_pointwise(states, self._weight, self._bias, "none", [], "")


def pack(model: torch.nn.Module) -> None:
    """Put packed layers in the place of the model's linear ones, where that is faster: in bfloat16 on a CPU."""
    if not hasattr(torch.ops.mkldnn, "_linear_pointwise"):  # a torch that was built without oneDNN
        return
    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if type(layer) is torch.nn.Linear and can_be_packed(layer.weight):
                setattr(parent, name, PackedLinear(layer))


def can_be_packed(weight: torch.Tensor) -> bool:
    return weight.device.type == "cpu" and weight.dtype == torch.bfloat16 and torch.backends.mkldnn.is_available()
