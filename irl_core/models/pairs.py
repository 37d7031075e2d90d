"""The pairs of policy and critic that come with Errata, by name, and which of them is taken here."""

from __future__ import annotations

import logging
import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

from irl_core.models.assets import ASSETS
from irl_core.models.catalogue import QWEN_CODER, QWEN_CODER_LARGE, SMOLLM2, PackedModel
from irl_core.models.memory import free_memory

log = logging.getLogger(__name__)

CHECKPOINTS = ASSETS / "checkpoints"
VARIABLE = "ERRATA_PAIR"
NEEDED = 6_000_000_000
"""Bytes that have to be free for the default pair: its peak while it is converted the first time, and some air."""

_FORMER_NAMES = {"larger": "standard"}


class Pair(NamedTuple):
    """A policy and the critic that judges it, on one backbone.

    `name` is what commands call the pair, `adapter` is the folder of what the policy was taught (None: it is the
    backbone as it comes, asked in its own chat manner), `critic` is a folder, `label` is what a page may call the
    policy, `figures` where `figures.json` has those of the critic's calibration.
    """

    name: str
    backbone: PackedModel
    adapter: Path | None
    critic: Path
    label: str
    figures: str

    @property
    def policy(self) -> str:
        """The policy as loaders are told it: the adapter's folder, or the backbone's name."""
        return str(self.adapter or self.backbone.name)


def _shipped(name: str, backbone: PackedModel, *, taught: bool) -> Pair:
    folder, label = CHECKPOINTS / name, backbone.label
    return Pair(
        name,
        backbone,
        folder / "policy" if taught else None,
        folder / "critic",
        f"{label}, taught by Errata" if taught else label,
        f"left-out/calibration-{name}",
    )


SMALL = _shipped("small", SMOLLM2, taught=True)
STANDARD = _shipped("standard", QWEN_CODER, taught=True)
LARGE = _shipped("large", QWEN_CODER_LARGE, taught=False)
PAIRS = {pair.name: pair for pair in (SMALL, STANDARD, LARGE)}


def pair_called(name: str) -> Pair | None:
    """The pair of that name, or of that former name, which is told; None where it is none."""
    if new := _FORMER_NAMES.get(name):
        log.warning("the pair %r is called %r now, and is the default", name, new)
    return PAIRS.get(new or name)


def choose_pair(name: str | None = None) -> Pair:
    """The pair called `name`, else that of `ERRATA_PAIR`, else `default_pair()`.

    Raises:
        ValueError: if there is no pair of that name.
    """
    for given, where in ((name, "--pair"), (os.environ.get(VARIABLE), VARIABLE)):
        if given:
            pair = pair_called(given)
            if pair is None:
                raise ValueError(f"{where} is {given!r}; it must be one of {', '.join(PAIRS)}")
            return pair
    return default_pair()


@cache  # policy and critic have to agree, though the one that is loaded first leaves less memory for the other
def default_pair() -> Pair:
    """`standard`, or `small` where less than `NEEDED` bytes are free, which is told."""
    free = free_memory()
    if free >= NEEDED:
        return STANDARD
    log.warning(
        "%.1f GB of memory are free here, and the pair `standard` wants %.0f: taking `small`; `--pair standard` or "
        "%s=standard takes it all the same",
        free / 1e9,
        NEEDED / 1e9,
        VARIABLE,
    )
    return SMALL
