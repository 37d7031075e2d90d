"""What the name of a critic means: its card and its folder."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from irl_core.critic.card import CriticCard
from irl_core.critic.weights import CriticError
from irl_core.models.pairs import PAIRS, SMALL, choose_pair, pair_called

# They need no training: the small policy's own log-probability, and how much its fine-tuning changed it.
UNTRAINED = {
    "surprise": CriticCard(name="surprise", false_equation_penalty=0.0),
    "log-ratio": CriticCard(name="log-ratio", form="log_ratio", false_equation_penalty=0.0),
}


class LocatedCritic(NamedTuple):
    """A critic on this disk: its card, and the folder that its adapter and its calibration are looked for in."""

    card: CriticCard
    path: Path

    @property
    def calibration_file(self) -> Path:
        """Where a calibration of this critic lies, if it has one."""
        return calibration_file(self.card, self.path)


def calibration_file(card: CriticCard, path: Path) -> Path:
    """Where the calibration of the critic with that card in the folder `path` lies, or is to be written.

    Critics that need no training share the folder of a policy, but not a calibration.
    """
    untrained = UNTRAINED.get(card.name) == card
    return path / (f"{card.name}.calibration.json" if untrained else "calibration.json")


def locate_critic(name: str | Path | None) -> LocatedCritic:
    """The critic called `name`, which no engine serves: a pair's name, `surprise`, `log-ratio`, or a folder.

    None is the critic of `irl_core.models.pairs.choose_pair`.

    Raises:
        CriticError: if there is no such critic or its card cannot be read.
        ValueError: if `ERRATA_PAIR` names no pair.
    """
    if card := UNTRAINED.get(str(name)):
        return LocatedCritic(card, Path(SMALL.policy))
    pair = choose_pair() if name is None else pair_called(str(name))
    path = pair.critic if pair else Path(str(name))
    if not (path / "critic.json").exists():
        known = ", ".join(map(repr, [*PAIRS, *UNTRAINED]))
        raise CriticError(f"no critic in {path}: give a folder with a critic.json, or one of {known}")
    try:
        card = CriticCard.model_validate_json((path / "critic.json").read_bytes())
    except ValueError as error:
        raise CriticError(f"{path / 'critic.json'} cannot be read: {error}") from error
    models = {"backbone": card.backbone, "reference_backbone": card.reference_backbone}
    # Beside the card, as in an exported checkpoint.
    beside = {field: str((path / name).resolve()) for field, name in models.items() if name and name.startswith(".")}
    return LocatedCritic(card.model_copy(update=beside), path)
