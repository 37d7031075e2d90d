"""The report as text: one list of rows for every rendering of it, and the Markdown table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

NAMES = {
    "auroc": "AUROC, all traces",
    "auroc_within_problem": "AUROC within a problem",
    "ece": "calibration error (ECE) of P(wrong)",
    "brier": "Brier score of P(wrong)",
    "length_correlation": "Spearman correlation of score and length",
    "f1": "first-error F1 (ProcessBench), shipped threshold",
    "accuracy_error": "erroneous traces: first error found",
    "accuracy_correct": "right traces: left unmarked",
    "f1_oracle": "first-error F1, best threshold on this file",
    "top1": "erroneous traces: most suspect step is the first error",
    "top1_chance": "… by a random step",
    "top1_best_constant": "… by the best constant guess",
    "step_auroc": "AUROC of steps up to the first error",
    "threshold": "shipped threshold",
    "threshold_oracle": "best threshold on this file",
    "n_candidates": "candidates per problem, at most",
    "critic": "best critic score",
    "weighted_vote": "critic-weighted vote",
    "majority": "majority vote",
    "random": "random pick (expectation)",
    "longest": "longest",
    "shortest": "shortest",
    "logprob": "mean log-probability",
    "oracle": "oracle (any correct)",
    "weighted_vote_minus_majority": "weighted vote minus majority",
}
PARTS = {
    "trace": "Telling right from wrong traces",
    "localisation": "Finding the first wrong step",
    "selection": "Choosing one of several solutions",
}
HEAD = ("figure", "value", "95 % interval", "n")


class Row(NamedTuple):
    """One figure. Plain numbers (a threshold, a chance level) have no interval and no n."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None

    def cells(self) -> list[str]:
        interval = "" if self.low is None else f"{self.low:.3f} to {self.high:.3f}"
        value = str(self.value) if isinstance(self.value, int) else f"{self.value:.3f}"
        return [self.name, value, interval, "" if self.n is None else f"{self.n:,}"]


def rows(part: Mapping[str, Any]) -> Iterator[Row]:
    """The figures of one part of the report; nulls are left out, and so is the curve (`curve_table`)."""
    for key, figure in part.items():
        if isinstance(figure, (int, float)):
            yield Row(NAMES.get(key, key), figure)
        elif isinstance(figure, Mapping) and "value" in figure:
            yield Row(NAMES.get(key, key), figure["value"], figure["low"], figure["high"], figure["n"])


def curve_table(curve: Mapping[str, Any]) -> list[list[str]]:
    """The best-of-n curve: a head of n, then one line per rule."""
    lines = [
        [NAMES.get(rule, rule), *(f"{value:.3f}" for value in values)] for rule, values in curve.items() if rule != "n"
    ]
    return [["best of", *map(str, curve["n"])], *lines]


def summary(report: Mapping[str, Any]) -> list[str]:
    """What was scored, by what, in sentences."""
    critic, speed = report["critic"], report["tokens_per_second"]
    lines = [
        f"Critic {critic['name']} (supervision: {critic['supervision']}; SHA-256 {critic['sha256'] or 'unknown'}).",
        f"{report['n_traces']:,} traces of {report['n_problems']:,} problems, {report['n_tokens']:,} tokens"
        + (f" at {speed:,.0f} tokens per second." if speed else "."),
    ]
    if report["skipped"]:
        lines.append(f"{len(report['skipped']):,} lines were skipped.")
    return [*lines, *report["notes"]]


def to_markdown(report: Mapping[str, Any]) -> str:
    """All figures as Markdown tables."""
    out = ["\n\n".join(summary(report)), ""]
    for key, title in PARTS.items():
        part = report[key]
        if part is None:
            continue
        out += [f"## {title}", "", *_table([HEAD, *(row.cells() for row in rows(part))]), ""]
        if "curve" in part:
            out += [*_table(curve_table(part["curve"])), ""]
    return "\n".join(out)


def _table(lines: Sequence[Sequence[str]]) -> list[str]:
    head, *body = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *body)]
