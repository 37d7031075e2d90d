"""Where this machine computes, and in which type."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def native_device() -> torch.device:
    """Where whatever reads, draws or learns here computes: on the GPU if there is one, else on the CPU."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def native_dtype() -> torch.dtype:
    """bfloat16 where that device multiplies it natively (there two to three times as fast), else float32."""
    import torch

    if native_device().type == "cuda":  # a T4 only imitates it
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    cpu = Path("/proc/cpuinfo")
    flags = cpu.read_text() if cpu.exists() else ""
    return torch.bfloat16 if "avx512_bf16" in flags or "amx_bf16" in flags else torch.float32
