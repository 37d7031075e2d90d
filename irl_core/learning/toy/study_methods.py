"""The methods that the study compares, each beside the others with what makes it different."""

from __future__ import annotations

from typing import Any

from irl_core.learning.toy.adversarial_run import Method

BASE, SFT = "base", "sft"
RECOMMENDED, PAPER, SPARSE, OUTCOME = "log-prob-frozen", "level", "sparse", "outcome"

_LANGUAGE_MODEL: dict[str, Any] = {"reward_form": "log_prob", "disc_loss": "relativistic", "disc_learning_rate": 1e-4}

METHODS = (
    # A language model as critic, r = log π_φ, φ starting at the fine-tuned policy: one critic, five ways to pay.
    Method(SPARSE, **_LANGUAGE_MODEL, density="sparse", advantage="grpo"),
    Method("step", **_LANGUAGE_MODEL, density="step", advantage="mixed", step_weight=1.0),
    Method("step-returns", **_LANGUAGE_MODEL, density="step", returns_gamma=1.0),
    Method("log-prob", **_LANGUAGE_MODEL, returns_gamma=0.0),
    Method("mixed", **_LANGUAGE_MODEL, advantage="mixed", step_weight=1.0),
    # The same reward from a critic that never learns: what the adversary adds is the difference.
    Method(RECOMMENDED, reward_form="log_prob", returns_gamma=0.0, disc_updates=0),
    Method("sparse-frozen", reward_form="log_prob", density="sparse", advantage="grpo", disc_updates=0),
    # The paper's (arXiv 2510.01857), the same critic paid by differences, and the implicit reward (arXiv 2502.01456).
    Method(
        PAPER,
        reward_form="level",
        returns_gamma=0.9,
        disc_label_smoothing=0.1,
        disc_warmup_steps=20,
    ),
    Method("difference", returns_gamma=1.0, disc_warmup_steps=20),
    Method("log-ratio", reward_form="log_ratio", returns_gamma=0.0, disc_learning_rate=3e-4, disc_warmup_steps=20),
    # The discriminator that has seen everything: what is left is the form of the reward.
    Method("exact-level", exact=True, reward_form="level", returns_gamma=0.9),
    Method("exact-difference", exact=True, returns_gamma=0.0),
    Method("exact-sparse", exact=True, density="sparse", advantage="grpo"),
    # Right answers instead of demonstrations.
    Method(OUTCOME, outcome=True),
)


ABOUT = {
    BASE: "trained on the novice's solutions until it writes like one.",
    SFT: "the base after the demonstrations, stopped where held-out expert solutions are likeliest.",
    SPARSE: "r = log π_φ, averaged over the solution: one advantage for all of its tokens.",
    "step": "the advantage of the solution plus that of the step, the sum of its log π_φ.",
    "step-returns": "a token's advantage is what its step and those after it earn (γ = 1).",
    "log-prob": "r = log π_φ(y_t), each token paid for itself (γ = 0).",
    "mixed": "the advantage of the solution plus that of the token.",
    RECOMMENDED: "as `log-prob`, but the critic never learns.",
    "sparse-frozen": "as `sparse`, but the critic never learns.",
    PAPER: "the logit of a scalar head after each token is that token's reward; label smoothing 0.1, γ = 0.9.",
    "difference": "the same head, paid by differences V_t − V_(t−1), γ = 1.",
    "log-ratio": "r = log π_φ − log π_SFT, φ a language model, γ = 0.",
    "exact-level": "as the paper's, by the discriminator that has seen everything: the sum of log π_E − log π so far.",
    "exact-difference": "its differences, log π_E − log π of the token, γ = 0.",
    "exact-sparse": "their sum, one advantage for all tokens of the solution.",
    OUTCOME: "GRPO with the right answer as reward, which needs labels; as many rollouts as the others.",
}


COMPARED = (
    *(
        ("pass1", RECOMMENDED, other)
        for other in (
            SFT,
            PAPER,
            SPARSE,
            "sparse-frozen",
            "mixed",
            "log-prob",
            OUTCOME,
        )
    ),
    *(("pass1", "exact-difference", other) for other in ("exact-level", "exact-sparse")),
    *(("greedy", name, SFT) for name in (RECOMMENDED, "exact-difference")),
)
"""The report compares a figure of two methods."""


def by_name(name: str) -> Method:
    """The method of that name."""
    return next(method for method in METHODS if method.name == name)
