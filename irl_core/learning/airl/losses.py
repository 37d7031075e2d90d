"""Losses of the discriminator. Pure functions; each returns a scalar to be minimised.

N traces are rows; `expert` (N,) bool tells whose they are and `groups` (N,) long which prompt they answer. Logits
and scores are in nats; positive speaks for the expert.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid, softplus

DiscriminatorLoss = Literal["bce", "relativistic"]


def bce(
    logits: torch.Tensor, positions: torch.Tensor, expert: torch.Tensor, *, smoothing: float = 0.1
) -> torch.Tensor:
    """Every position inherits its trace's label (arXiv 2510.01857); a mean over positions, then over traces.

    Both classes weigh one half; one that has no trace (every rollout may count as an expert's) adds nothing. Targets
    are 1 - smoothing/2 and smoothing/2, which bounds the optimal logit.

    Args:
        logits, positions: (N, T); `positions` is true where a label is inherited.
    """
    kept = positions.any(1)
    logits, positions, expert = logits[kept], positions[kept], expert[kept]

    def risk(rows: torch.Tensor, label: float) -> torch.Tensor:
        chosen, where = logits[rows], positions[rows]
        if not len(chosen):
            return chosen.sum()
        losses = binary_cross_entropy_with_logits(chosen, torch.full_like(chosen, label), reduction="none")
        return ((losses * where).sum(1) / where.sum(1)).mean()

    high, low = 1 - smoothing / 2, smoothing / 2
    return 0.5 * risk(expert, high) + 0.5 * risk(~expert, low)


def relativistic(
    scores: torch.Tensor, expert: torch.Tensor, groups: torch.Tensor, *, temperature: float = 1.0
) -> torch.Tensor:
    """-log softmax of the expert's score among the rollouts of its own prompt, (N,) scores; a mean over experts.

    InfoNCE (arXiv 1807.03748) over the group; what all traces of one prompt share cancels, so that no prompt and no
    common prefix gets a label.
    """
    losses = []
    for experts, rivals in _by_group(scores / temperature, expert, groups):
        if len(rivals):
            losses += [softplus(torch.logsumexp(rivals, 0) - score) for score in experts]
    return torch.stack(losses).mean() if losses else 0.0 * scores.sum()


def local(expert_sums: torch.Tensor, edited_sums: torch.Tensor) -> torch.Tensor:
    """-log sigmoid(S(expert) - S(edit)), S the rewards from the first difference to the end of the edited step.

    Both (N,), from the same prefix, which carries no label.
    """
    return -logsigmoid(expert_sums - edited_sums).mean()


def centred(scores: torch.Tensor, expert: torch.Tensor, groups: torch.Tensor) -> torch.Tensor:
    """Scores less the midpoint between their group's experts and rollouts, (N,): logits for losses that have none."""
    logits = scores.clone()
    for group in groups.unique():
        rows = groups == group
        sides = [scores[rows & side].mean() for side in (expert, ~expert) if (rows & side).any()]
        logits[rows] = scores[rows] - torch.stack(sides).mean()
    return logits


def group_accuracy(scores: torch.Tensor, expert: torch.Tensor, groups: torch.Tensor) -> float:
    """Share of pairs of an expert and a rollout of the same prompt in which the expert scores higher; a tie is half.

    0.5 if there is no pair.
    """
    won = [
        (experts[:, None] > rivals).double() + 0.5 * (experts[:, None] == rivals).double()
        for experts, rivals in _by_group(scores, expert, groups)
    ]
    pairs = torch.cat([w.flatten() for w in won]) if won else torch.zeros(0)
    return pairs.mean().item() if len(pairs) else 0.5


STATISTICS = (
    "disc_acc",
    "disc_acc_expert",
    "disc_acc_policy",
    "disc_group_acc",
    "disc_entropy",
    "disc_proportion_expert_pred",
    "disc_proportion_expert_true",
)
"""Names of what `statistics` tells. All but `disc_acc_policy` (there `disc_acc_gen`) and `disc_group_acc` are those of
the `imitation` library, with its meaning; it counts single transitions where this counts traces."""


def statistics(
    scores: torch.Tensor, logits: torch.Tensor, expert: torch.Tensor, groups: torch.Tensor
) -> dict[str, float]:
    """How well the discriminator tells the classes apart; the accuracy of a class that has no trace is left out.

    Args:
        scores: (N,) of whole traces, compared within their prompt for `disc_group_acc`.
        logits: (N,) of whole traces; above 0 counts as "expert". `disc_entropy` is their mean in nats.
    """
    right = (logits > 0) == expert
    probability = logits.double().sigmoid()
    entropy = torch.special.entr(probability) + torch.special.entr(1 - probability)
    by_class = {"disc_acc_expert": right[expert], "disc_acc_policy": right[~expert]}
    return {
        "disc_acc": right.float().mean().item(),
        **{name: of_class.float().mean().item() for name, of_class in by_class.items() if len(of_class)},
        "disc_group_acc": group_accuracy(scores, expert, groups),
        "disc_entropy": entropy.mean().item(),
        "disc_proportion_expert_pred": (logits > 0).float().mean().item(),
        "disc_proportion_expert_true": expert.float().mean().item(),
    }


def _by_group(
    scores: torch.Tensor, expert: torch.Tensor, groups: torch.Tensor
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """(experts' scores, rollouts' scores) of each prompt."""
    for group in groups.unique():
        rows = groups == group
        yield scores[rows & expert], scores[rows & ~expert]
