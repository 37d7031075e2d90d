"""The pairs of policy and critic that come with Errata, by name."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from irl_core.models.catalogue import QWEN_CODER, SMOLLM2

CHECKPOINTS = Path(__file__).resolve().parents[2] / "assets" / "checkpoints"


class Pair(NamedTuple):
    """Folders of a policy's adapter and of the critic that judges it.

    `name` is what commands call the pair, `label` what a page may call the policy, `figures` where `figures.json` has
    those of the critic's calibration.
    """

    name: str
    policy: Path
    critic: Path
    label: str
    figures: str


STANDARD = Pair(
    "standard",
    CHECKPOINTS / "policy",
    CHECKPOINTS / "critic",
    f"{SMOLLM2.label}, taught by Errata",
    "mr-gsm8k/calibration",
)
LARGER = Pair(
    "larger",
    CHECKPOINTS / "larger" / "policy",
    CHECKPOINTS / "larger" / "critic",
    f"{QWEN_CODER.label}, taught by Errata",
    "mr-gsm8k/calibration-larger",
)
PAIRS = {pair.name: pair for pair in (STANDARD, LARGER)}
