"""What a model says of every token of a trace file, read once and kept on disk: exploring cards costs no second pass.

A kept file is nothing but float32 numbers in the order of the tokens, so that a reading that was killed goes on where
it stopped. Its name holds the checksums of the critic and of the trace file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import accumulate, islice
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from irl_core.critic.model import Critic
from irl_core.critic.token_statistics import EncodedTrace, TokenStatistics, encode_items
from irl_core.evaluation.trace_files import LabelledTrace, read_traces

WINDOW = 64
_FIELDS = {"log_prob": ("logprobs",), "log_ratio": ("logprobs", "reference"), "head": ("values",)}

TraceStatistics = list[tuple[EncodedTrace, TokenStatistics]]
"""Of every trace of a file: its tokens, and what the model says of them."""


def read_file(
    critic: Critic, path: Path, limit: int | None, cache: Path | None
) -> tuple[list[LabelledTrace], TraceStatistics]:
    """The first `limit` lines of a file that can be used, and what the critic's model says of each."""
    items = [line for line in islice(read_traces(path), limit) if isinstance(line, LabelledTrace)]
    kept = None
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
        if critic.sha256 is None:
            raise ValueError(f"the critic {critic.name} has no checksum to keep its statistics by; leave out --cache")
        kept = cache / f"{critic.sha256[:12]}-{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}-{path.stem}.f32"
    return items, read(critic, items, kept)


def read(critic: Critic, items: Sequence[LabelledTrace], kept: Path | None = None) -> TraceStatistics:
    """What the model says of every trace: from the file `kept` as far as it goes, from the model for the rest."""
    pairs = [(item.question, item.trace) for item in items]
    fields = _FIELDS[critic.card.form]
    encoded = encode_items(critic.tokenizer, pairs)
    ends = [0, *accumulate(len(e.completion) for e in encoded)]
    numbers = np.empty((0, len(fields)), np.float32)
    if kept is not None and kept.exists():
        raw = np.fromfile(kept, np.float32)
        numbers = raw[: len(raw) // len(fields) * len(fields)].reshape(-1, len(fields))
    known = max(i for i, end in enumerate(ends) if end <= len(numbers))
    parts = [numbers[: ends[known]]]
    if kept is not None and known < len(items):  # what a kill cut short is dropped; a longer file is left as it is
        parts[0].tofile(kept)
    for start in tqdm(range(known, len(items), WINDOW), desc="reading", unit="batch"):
        batch = critic.statistics(pairs[start : start + WINDOW])
        parts.append(torch.cat([torch.stack([getattr(s, f) for f in fields], 1) for _, s in batch]).numpy())
        if kept is not None:
            with kept.open("ab") as file:
                parts[-1].tofile(file)
    every = torch.from_numpy(np.concatenate(parts))
    return [
        (e, TokenStatistics(**{f: every[a:b, i] for i, f in enumerate(fields)}))
        for e, a, b in zip(encoded, ends, ends[1:], strict=False)
    ]
