"""What a trace score should be made of: parts added one by one, weighed on half of the problems, tried on the other.

Parts: the mean reward (words at several weights, with and without trust in true equations) and what exact reading
finds against a solution (`irl_core.text.solution_checks`). The weights of each form come from `fit_trace_weights`.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks.token_statistics import TraceStatistics
from irl_core.critic.card import PENALTIES, CriticCard, trace_card
from irl_core.critic.rewards import mean_reward, vouched_for
from irl_core.diagnosis.best_of_n import Candidates, expected_accuracy, number_groups
from irl_core.evaluation.bootstrap import Figure, ProblemBootstrap
from irl_core.evaluation.trace_files import LabelledTrace
from irl_core.evaluation.trace_metrics import within_problem_auroc
from irl_core.evaluation.trace_weights import fit_trace_weights, held_out_scores
from irl_core.text.answers import canonical_answer
from irl_core.text.equations import equations_of
from irl_core.text.solution_checks import SolutionChecks, check_solution

WORD_WEIGHTS = (1.0, 0.3, 0.1)
# In units of log-odds, in which 1 would be right if candidates of one problem erred independently; they err alike, and
# a flatter vote did better on both development pools.
VOTE_TEMPERATURE = 1.5
CHECKS = tuple(SolutionChecks._fields)
HEAD = "| words | true equations trusted | checks | AUROC within problem | critic | weighted vote | − majority |"


class Form(NamedTuple):
    """One way to make a trace score; `checks` is how many of `CHECKS` take part, in their order."""

    word_weight: float
    trust: bool
    checks: int

    def changes(self) -> dict[str, Any]:
        """What it says of a card, but for the penalties."""
        return {"trace_word_weight": self.word_weight, "trace_trusts_true_equations": self.trust}


def forms() -> Iterator[Form]:
    """The whole grid."""
    for words, trust, checks in itertools.product(WORD_WEIGHTS, (False, True), range(len(CHECKS) + 1)):
        yield Form(words, trust, checks)


class Pools:
    """Candidates whose answers were checked, with every part that a trace score may be made of."""

    def __init__(self, card: CriticCard, items: Sequence[LabelledTrace], statistics: TraceStatistics) -> None:
        equations = [equations_of(item.trace) for item in items]
        self.card, self._items, self._statistics, self._equations = card, items, statistics, equations
        self.correct = np.array([bool(item.final_correct) for item in items])
        self.problems = np.unique([item.question for item in items], return_inverse=True)[1]
        checks = [check_solution(x.question, x.trace, e) for x, e in zip(items, equations, strict=True)]
        self._checks = np.array(checks, dtype=float)
        self._answers = [canonical_answer(item.trace.answer) for item in items]
        self._lengths = np.array([len(item.trace.text) for item in items])
        self._known_means: dict[Form, np.ndarray] = {}

    def features(self, form: Form) -> np.ndarray:
        """(N, 1 + checks): the mean reward in nats, then the checks."""
        return np.column_stack([self._means(form._replace(checks=0)), self._checks[:, : form.checks]])

    def _means(self, form: Form) -> np.ndarray:
        if form not in self._known_means:
            card = trace_card(self.card.model_copy(update=form.changes()))
            means = [
                mean_reward(card, encoded.numbers, of_tokens, vouched_for(equations, encoded.offsets))
                for item, equations, (encoded, of_tokens) in zip(
                    self._items, self._equations, self._statistics, strict=True
                )
            ]
            self._known_means[form] = np.array(means)
        return self._known_means[form]

    def fitted(self, form: Form) -> dict[str, float]:
        """Penalties (nats) and temperature (nats) of a card, fitted on all problems."""
        mean, *checks = fit_trace_weights(self.features(form), self.correct, self.problems)
        penalties = [-weight / mean for weight in checks] + [0.0] * (len(CHECKS) - len(checks))
        return {
            name: round(float(v), 2)
            for name, v in zip((*PENALTIES, "weight_temperature"), [*penalties, VOTE_TEMPERATURE / mean], strict=True)
        }

    def held_out(self, form: Form) -> dict[str, Figure | None]:
        """Figures of scores whose weights were fitted on the other half of the problems."""
        return self.figures(held_out_scores(self.features(form), self.correct, self.problems), VOTE_TEMPERATURE)

    def figures(self, scores: np.ndarray, temperature: float) -> dict[str, Figure | None]:
        """AUROC within a problem, and accuracy of the rules that choose one candidate of each."""
        chosen = [self._choices(scores, pool, temperature) for pool in self._pools()]
        bootstrap = ProblemBootstrap(np.arange(len(chosen)))
        rules = {rule: np.array([one[rule] for one in chosen]) for rule in ("critic", "weighted_vote", "majority")}
        return {
            "within": within_problem_auroc(scores, ~self.correct, self.problems),
            **{rule: bootstrap.mean(accuracy) for rule, accuracy in rules.items()},
            "gain": bootstrap.mean(rules["weighted_vote"] - rules["majority"]),
        }

    def _pools(self) -> list[np.ndarray]:
        order = np.argsort(self.problems, kind="stable")
        return [pool for pool in np.split(order, np.flatnonzero(np.diff(self.problems[order])) + 1) if len(pool) > 1]

    def _choices(self, scores: np.ndarray, pool: np.ndarray, temperature: float) -> Mapping[str, float]:
        candidates = Candidates(
            scores=scores[pool],
            correct=self.correct[pool],
            groups=number_groups([self._answers[i] for i in pool]),
            lengths=self._lengths[pool],
        )
        return expected_accuracy(candidates, len(pool), weight_temperature=temperature, rng=random.Random(0))


def table(pools: Pools) -> list[str]:
    """One line per form, held out, and the card of the best."""
    lines = [HEAD, "|" + "---|" * (HEAD.count("|") - 1)]
    best: tuple[float, Form] | None = None
    for form in forms():
        figures = pools.held_out(form)
        checks = ", ".join(name.replace("_", " ") for name in CHECKS[: form.checks]) or "none"
        cells = [_show(figures[name]) for name in ("within", "critic", "weighted_vote", "gain")]
        lines.append(f"| {form.word_weight} | {'yes' if form.trust else 'no'} | {checks} | {' | '.join(cells)} |")
        within = figures["within"]
        if within and (best is None or within["value"] > best[0]):
            best = within["value"], form
    if best:
        card = best[1].changes() | pools.fitted(best[1])
        lines += ["", f"Best within a problem, weights of all problems: `{card}`"]
    return lines


def _show(figure: Figure | None) -> str:
    return "" if figure is None else f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"
