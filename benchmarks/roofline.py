"""What the machine can do at most, and what a token of the model asks of it."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch
from transformers import AutoConfig

from irl_core.models.backbones import resolve_backbone
from irl_core.models.catalogue import SMOLLM2

TRACES = 8


def roofline(args: argparse.Namespace) -> dict[str, Any]:
    """What the machine can do at most, and what a token of the model asks of it."""
    config = AutoConfig.from_pretrained(resolve_backbone(SMOLLM2.name).path)
    head_dim = config.hidden_size // config.num_attention_heads
    attention = 2 * config.hidden_size * head_dim * (config.num_attention_heads + config.num_key_value_heads)
    body = config.num_hidden_layers * (attention + 3 * config.hidden_size * config.intermediate_size)
    head = config.vocab_size * config.hidden_size
    figures = {f"{kind} products, GFLOP/s": gflops(dtype, args.rounds) for kind, dtype in DTYPES.items()}
    bandwidth = gigabytes_per_second(args.rounds)
    fastest = max(figures.values())
    return {
        "figures": {
            **figures,
            "memory read, GB/s": bandwidth,
            "body, MFLOP per token": 2 * body / 1e6,
            "head, MFLOP per token": 2 * head / 1e6,
            "scoring at the compute limit, tokens/s": fastest * 1e9 / (2 * (body + head)),
            "Q8_0 weights read per step, MB": (body + head) * 34 / 32 / 1e6,
            f"drawing {TRACES} traces at the memory limit, tokens/s": (
                TRACES * bandwidth * 1e9 / ((body + head) * 34 / 32)
            ),
        }
    }


DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def gflops(dtype: torch.dtype, rounds: int) -> float:
    """The best of some products of the model's largest shape, 512 rows."""
    rows, weight = torch.ones(512, 576, dtype=dtype), torch.ones(1536, 576, dtype=dtype)
    return max(2 * 512 * 576 * 1536 / _best_seconds(lambda: rows @ weight.T) / 1e9 for _ in range(rounds))


def gigabytes_per_second(rounds: int) -> float:
    """The best of some sums over a gigabyte."""
    block = torch.ones(250_000_000)
    return max(1.0 / _best_seconds(block.sum) for _ in range(rounds))


def _best_seconds(work: Callable[[], Any], tries: int = 10) -> float:
    seconds = []
    for _ in range(tries):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)
