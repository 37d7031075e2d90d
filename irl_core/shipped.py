"""The pairs of policy and critic that come with Errata, by name."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from irl_core.packed_models import QWEN_CODER, SMOLLM2

CHECKPOINTS = Path(__file__).resolve().parents[1] / "assets" / "checkpoints"


class Pair(NamedTuple):
    """Folders of a policy's adapter and of the critic that judges it.

    `label` is what a page may call the policy, `figures` where `figures.json` has those of the critic's calibration.
    """

    policy: Path
    critic: Path
    label: str
    figures: str


STANDARD = Pair(
    CHECKPOINTS / "policy",
    CHECKPOINTS / "critic",
    f"{SMOLLM2.label}, taught by Errata",
    "mr-gsm8k/calibration",
)
LARGER = Pair(
    CHECKPOINTS / "larger" / "policy",
    CHECKPOINTS / "larger" / "critic",
    f"{QWEN_CODER.label}, taught by Errata",
    "mr-gsm8k/calibration-larger",
)
PAIRS = {"standard": STANDARD, "larger": LARGER}
