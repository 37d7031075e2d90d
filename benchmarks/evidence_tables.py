"""The tables of docs/evidence.md, a claim each, from the figures that `benchmarks.evidence` keeps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from irl_core.evaluation.markdown import markdown_table

EVALUATION, STYLE, CALIBRATION, SAMPLING, DIFFERENCE = "evaluation", "style", "calibration", "sampling", "difference"
_MARKS = {EVALUATION: "localisation", STYLE: "ratio", CALIBRATION: "left_out", SAMPLING: "policy_sha256"}
_BLOCK = re.compile(r"<!-- (table|figure) ([^>]+?) -->.*?<!-- end -->", re.DOTALL)

Columns = Sequence[tuple[str, str]]
"""Heads and the dotted names of the figures under them."""

SOURCES = {
    "localisation_zeroeval": "ZeroEval",
    "localisation_mathcheck": "MathCheck",
    "localisation_mr_gsm8k": "MR-GSM8K",
    "localisation_mathclean": "MathClean",
}
"""What the shipped calibrations are fitted on, each left out in turn."""

TABLES: dict[str, tuple[tuple[str, ...], Columns]] = {
    "d1": (
        (SAMPLING, DIFFERENCE, EVALUATION),
        (
            ("pass@1", "pass@1"),
            ("pass@1", "selection.pass_at_k.1"),
            ("pass@8", "pass@8"),
            ("pass@8", "selection.pass_at_k.8"),
        ),
    ),
    "d2": (
        (EVALUATION,),
        (
            ("AUROC within problem", "trace.auroc_within_problem"),
            ("weighted vote − majority", "selection.weighted_vote_minus_majority"),
            ("weighted vote", "selection.weighted_vote"),
            ("majority", "selection.majority"),
            ("critic's pick", "selection.critic"),
            ("random", "selection.random"),
            ("longest", "selection.longest"),
            ("shortest", "selection.shortest"),
            ("log-probability", "selection.logprob"),
            ("oracle", "selection.oracle"),
        ),
    ),
    "d3": (
        (STYLE,),
        (
            ("style ÷ slipped result", "ratio"),
            ("style ÷ wrong quantity", "ratio_operand"),
            ("slip costs more than style", "outweighed_result"),
            ("style ÷ slip, model alone", "model_alone.ratio"),
            ("slip costs more, model alone", "model_alone.outweighed_result"),
        ),
    ),
    "d4": (
        (EVALUATION,),
        (
            ("F1, threshold fixed beforehand", "localisation.f1"),
            ("F1, oracle threshold", "localisation.f1_oracle"),
            ("F1, arithmetic alone", "localisation.f1_arithmetic"),
            ("top-1", "localisation.top1"),
            ("best constant", "localisation.top1_best_constant"),
            ("chance", "localisation.top1_chance"),
            ("MCC", "localisation.mcc"),
            ("step AUROC", "localisation.step_auroc"),
            ("trace AUROC", "trace.auroc"),
        ),
    ),
    "calibration": (
        (CALIBRATION,),
        tuple(
            (f"{head}, {label}", f"left_out.{name}.{key}")
            for name, label in SOURCES.items()
            for head, key in (("F1", "f1"), ("right ones suspected", "right_suspected"), ("step AUROC", "step_auroc"))
        ),
    ),
    "reliability": (
        (EVALUATION,),
        (
            ("ECE of P(wrong)", "trace.ece"),
            ("Brier score of P(wrong)", "trace.brier"),
            ("ECE of P(first wrong step)", "localisation.step_ece"),
        ),
    ),
}


def kind_of_report(report: Mapping[str, Any]) -> str:
    """Which command wrote it.

    Raises:
        ValueError: if none of ours did.
    """
    for kind, key in _MARKS.items():
        if key in report:
            return kind
    raise ValueError("a report is of train.evaluate, train.calibrate, train.sample or benchmarks.style; this is none")


def filled(document: str, figures: Mapping[str, Any]) -> str:
    """The document with its tables and figures as they are now.

    Raises:
        ValueError: naming a table or figure that there is not.
    """

    def fill(block: re.Match[str]) -> str:
        kind, what = block.groups()
        start = f"<!-- {kind} {what} -->"
        if kind == "table":
            return f"{start}\n" + "\n".join(table(what, figures)) + "\n<!-- end -->"
        return f"{start}{shown(one(what, figures))}<!-- end -->"

    return _BLOCK.sub(fill, document)


def table(what: str, figures: Mapping[str, Any]) -> list[str]:
    """The table that a mark names as "NAME [DATA ...]": a line per report that has any of its figures.

    Columns that would stay empty are left out.
    """
    name, *data = what.split()
    if name not in TABLES:
        raise ValueError(f"there is no table {name!r}; there are {', '.join(TABLES)}")
    kinds, columns = TABLES[name]
    rows = {
        report: kept["figures"]
        for report, kept in figures.items()
        if kept["kind"] in kinds and (not data or report.split("/")[0] in data)
    }
    columns = [(head, key) for head, key in columns if any(key in row for row in rows.values())]
    rows = {report: row for report, row in rows.items() if any(key in row for _, key in columns)}
    if not rows:
        return ["*Not measured yet.*"]
    heads = list(dict.fromkeys(head for head, _ in columns))
    lines = [["data", "model", *heads]]
    for report, row in rows.items():
        cells = [next((shown(row[key]) for h, key in columns if h == head and key in row), "") for head in heads]
        lines.append([*report.split("/"), *cells])
    return markdown_table(lines)


def one(what: str, figures: Mapping[str, Any]) -> Any:
    """The figure that a mark names as "DATA/MODEL dotted.name"."""
    report, _, key = what.partition(" ")
    try:
        return figures[report]["figures"][key]
    except KeyError as missing:
        raise ValueError(f"the figure {what!r} is not measured: {missing} is missing") from missing


def shown(figure: Any) -> str:
    """A figure for a reader: value, interval and number of items, as far as it has them."""
    if not isinstance(figure, Mapping):
        return f"{figure:,}" if isinstance(figure, int) else f"{figure:.3f}"
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}], n {figure['n']:,}"
