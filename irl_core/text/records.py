"""The base of every record that is kept on disk or comes from a stranger."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Immutable, strict about types, closed to unknown keys and to NaN: safe to read from a stranger's file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
