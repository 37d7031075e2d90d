"""The report as text: one list of rows for every rendering of it, and the Markdown table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

NAMES = {
    "auroc": "AUROC, all traces",
    "auroc_within_problem": "AUROC within a problem",
    "error_auroc": "AUROC of P(wrong), all traces",
    "ece": "calibration error (ECE) of P(wrong)",
    "ece_floor": "… of a perfect predictor (95 % of simulations)",
    "brier": "Brier score of P(wrong)",
    "length_correlation": "Spearman correlation of score and length",
    "f1": "first-error F1 (ProcessBench), as the page marks",
    "accuracy_error": "erroneous traces: first error found",
    "accuracy_correct": "right traces: left unmarked",
    "f1_oracle": "first-error F1, best threshold on this file",
    "f1_arithmetic": "first-error F1 of exact arithmetic alone",
    "top1": "erroneous traces: most suspect step is the first error",
    "top1_chance": "… by a random step",
    "top1_best_constant": "… by the best constant guess",
    "step_auroc": "AUROC of steps up to the first error",
    "mcc": "Matthews correlation of wrong, said and true (MR-GSM8K)",
    "first_step_accuracy": "first-step accuracy (MR-GSM8K)",
    "step_ece": "calibration error (ECE) of P(first wrong step)",
    "step_brier": "Brier score of P(first wrong step)",
    "pointing": "erroneous traces: most negative token is in the first wrong step",
    "pointing_chance": "… by a random token",
    "pointing_over_chance": "… over chance (1: no better)",
    "heat_right": "right traces: some token is visibly coloured",
    "heat_error": "erroneous traces: such a token in the first wrong step",
    "heat_spread": "suspect steps: share of visible tokens, median",
    "outside_rate": "not marked: outside what the critic knows",
    "not_sure_rate": "not marked: not sure",
    "outside_or_unsure_right": "right traces: outside or not sure",
    "outside_or_unsure_wrong": "erroneous traces: outside or not sure",
    "wrong_marks_held_back": "marks that would be wrong: held back",
    "right_marks_held_back": "marks that would be right: held back",
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
GENERATOR_COLUMNS = {
    "trace": ("auroc", "auroc_within_problem", "ece", "length_correlation"),
    "localisation": ("f1", "top1", "mcc"),
    "selection": ("random", "majority", "critic", "weighted_vote"),
}
PARTS = {
    "trace": "Telling right from wrong traces",
    "localisation": "Finding the first wrong step",
    "selection": "Choosing one of several solutions",
}
BY_FILE = "By file"
UNKNOWN = "–"
HEAD = ("figure", "value", "95 % interval", "n")


class Row(NamedTuple):
    """One figure; `value` is None where it is not known. Plain numbers (a threshold) have no interval and no n."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None

    def cells(self) -> list[str]:
        """The texts of a line of a table."""
        if self.value is None:
            return [self.name, UNKNOWN, "", ""]
        interval = "" if self.low is None else f"{self.low:.3f} to {self.high:.3f}"
        value = str(self.value) if isinstance(self.value, int) else f"{self.value:.3f}"
        return [self.name, value, interval, "" if self.n is None else f"{self.n:,}"]


def rows(part: Mapping[str, Any]) -> Iterator[Row]:
    """The figures of one part of the report, nulls among them; what has a table of its own (`tables`) is left out."""
    for key, figure in part.items():
        if isinstance(figure, (int, float)) or (figure is None and key in NAMES):
            yield Row(NAMES.get(key, key), figure)
        elif isinstance(figure, Mapping) and "value" in figure:
            yield _row(NAMES.get(key, key), figure)


def tables(part: Mapping[str, Any]) -> Iterator[list[list[str]]]:
    """What a part holds beside its figures: best-of-n and pass@k, reliability, score against length."""
    if "curve" in part:
        yield curve_table(part["curve"])
    if part.get("pass_at_k"):
        points = part["pass_at_k"].items()
        yield [["pass@k", "value", "95 % interval", "n"], *(_row(f"pass@{k}", point).cells() for k, point in points)]
    for key, of in (("reliability", "trace is wrong"), ("step_reliability", "step is the first wrong one")):
        if part.get(key):
            lines = [[_span(b), f"{b['stated']:.3f}", f"{b['observed']:.3f}", f"{b['n']:,}"] for b in part[key]]
            yield [[f"P({of})", "stated, mean", "true, share", "n"], *lines]
    if part.get("score_by_length"):
        lines = [[_span(b), f"{b['score']:.3f}", f"{b['right']:.3f}", f"{b['n']:,}"] for b in part["score_by_length"]]
        yield [["characters", "trace score, mean", "right, share", "n"], *lines]


def curve_table(curve: Mapping[str, Any]) -> list[list[str]]:
    """The best-of-n curve: a head of n, then one line per rule."""
    lines = [
        [NAMES.get(rule, rule), *(f"{value:.3f}" for value in values)] for rule, values in curve.items() if rule != "n"
    ]
    return [["best of", *map(str, curve["n"])], *lines]


def generator_table(generators: Mapping[str, Any]) -> list[list[str]]:
    """One line per generator; empty where the labels for a figure are missing."""
    columns = [(part, key) for part, keys in GENERATOR_COLUMNS.items() for key in keys]
    lines = []
    for name, report in generators.items():
        figures = [(report[part] or {}).get(key) for part, key in columns]
        cells = ["" if figure is None else f"{figure['value']:.3f}" for figure in figures]
        lines.append([name, f"{report['n_traces']:,}", *cells])
    return [["generator", "traces", *(NAMES[key] for _, key in columns)], *lines]


def file_table(files: Mapping[str, Any], means: Mapping[str, Any], in_sample: Sequence[str]) -> list[list[str]]:
    """One column per file and one of the means, one line per figure that some file has."""
    heads = [f"{name} (in-sample)" if name in in_sample else name for name in files]
    lines = [["figure", *heads, "mean of files"]]
    lines.append(["traces", *(f"{report['n_traces']:,}" for report in files.values()), ""])
    for part in PARTS:
        for key, mean in (means[part] or {}).items():
            figures = [(report[part] or {}).get(key) for report in files.values()]
            of = "" if mean["n_files"] == len(files) else f" ({mean['n_files']})"
            lines.append([NAMES.get(key, key), *map(_value, figures), f"{mean['value']:.3f}{of}"])
    return lines


def _value(figure: Any) -> str:
    value = figure["value"] if isinstance(figure, Mapping) else figure
    return UNKNOWN if value is None else f"{value:.3f}"


def _row(name: str, figure: Mapping[str, Any]) -> Row:
    return Row(name, figure["value"], figure["low"], figure["high"], figure["n"])


def _span(b: Mapping[str, Any]) -> str:
    return f"{b['low']:.3g} to {b['high']:.3g}" if isinstance(b["low"], float) else f"{b['low']:,} to {b['high']:,}"


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
        out += [f"## {title}", "", *markdown_table([HEAD, *(row.cells() for row in rows(part))]), ""]
        for table in tables(part):
            out += [*markdown_table(table), ""]
    if report["files"]:
        table = file_table(report["files"], report["file_means"], report["in_sample"])
        out += [f"## {BY_FILE}", "", *markdown_table(table), ""]
    if report["generators"]:
        out += ["## By generator", "", *markdown_table(generator_table(report["generators"])), ""]
    return "\n".join(out)


def markdown_table(lines: Sequence[Sequence[str]]) -> list[str]:
    """Texts as the lines of a Markdown table, the first line as its head."""
    head, *body = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *body)]
