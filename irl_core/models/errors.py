"""What goes wrong on the way from a name to weights."""

from __future__ import annotations


class BackboneError(RuntimeError):
    """Weights could not be had; the message says which, why, and what to do."""
