"""From scored traces to the report: the parts over all traces, by file and by generator, and notes in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from irl_core.diagnosis.calibration import calibration_of
from irl_core.evaluation.report_parts import Settings, parts
from irl_core.evaluation.scoring import ScoringCritic
from irl_core.evaluation.trace_files import BadLineOfFile
from irl_core.evaluation.trace_table import UNKNOWN, ScoredTraces, TraceTable
from irl_core.text.json_lines import BadLine

MAX_GENERATORS = 24
PARTS = ("trace", "localisation", "selection")
AVERAGED_NUMBERS = ("top1_chance", "top1_best_constant")
"""Figures without an interval that have a mean over files; of thresholds and counts there is none."""


def build_report(
    scored: ScoredTraces, critic: ScoringCritic, *, resamples: int = 1000, seed: int = 0
) -> dict[str, Any]:
    """The report of a run, ready for JSON. `resamples` and `seed` are the bootstrap's.

    The parts at the top are over all traces; traces of different files are of one problem where the question is the
    same text. `files` repeats them for each file and `file_means` averages each figure over the files; both are None
    for a run of one file. `in_sample` names the files on which the critic's calibration was fitted.

    Figures that need labels which the files lack, or probabilities which the critic lacks, are None. `notes` says in
    words what a reader of the figures has to know about these files and this critic.
    """
    table = scored.table()
    calibration = calibration_of(critic)
    threshold = None if calibration is None else calibration.threshold
    settings = Settings(threshold, critic.weight_temperature, resamples, seed)
    files = file_reports(table, settings)
    fitted_on = in_sample(scored.files, getattr(calibration, "sources", ()))
    return {
        "critic": {
            "name": critic.name,
            "path": None if critic.path is None else str(critic.path),
            "sha256": critic.sha256,
            "supervision": critic.supervision,
        },
        "n_traces": len(table),
        "n_problems": scored.n_problems,
        "n_tokens": scored.n_tokens,
        "tokens_per_second": scored.timed_tokens / scored.seconds if scored.seconds > 0 else None,
        "skipped": [_skipped(bad) for bad in scored.skipped],
        **parts(table, settings),
        "files": files,
        "file_means": None if files is None else file_means(list(files.values())),
        "in_sample": fitted_on,
        "generators": generator_reports(table, settings),
        "notes": list(_notes(scored, table, fitted_on)),
    }


def file_reports(table: TraceTable, settings: Settings) -> dict[str, dict[str, Any]] | None:
    """The parts again for each file, in their order; None for a run of one file."""
    if len(table.files) < 2:
        return None
    reports = {}
    for index, name in enumerate(table.files):
        own = table.where(table.file == index)
        counts = {"n_traces": len(own), "n_problems": len(np.unique(own.problem)), "n_tokens": int(own.tokens.sum())}
        reports[name] = {**counts, **parts(own, settings)}
    return reports


def file_means(reports: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any] | None]:
    """Of each figure of each part the mean over the files that have it, every file counting the same.

    `least` and `greatest` are those of one file, and `n_files` says how many have the figure; there is no interval.
    """
    means: dict[str, dict[str, Any] | None] = {}
    for part in PARTS:
        values: dict[str, list[float]] = {}
        for report in reports:
            for key, figure in (report[part] or {}).items():
                if isinstance(figure, Mapping) and "value" in figure:
                    values.setdefault(key, []).append(figure["value"])
                elif key in AVERAGED_NUMBERS and figure is not None:
                    values.setdefault(key, []).append(figure)
        means[part] = {key: _mean(v) for key, v in values.items()} or None
    return means


def _mean(values: Sequence[float]) -> dict[str, float | int]:
    return {
        "value": sum(values) / len(values),
        "least": min(values),
        "greatest": max(values),
        "n_files": len(values),
    }


def in_sample(files: Sequence[str], sources: Sequence[str]) -> list[str]:
    """Which of the files may be those that a calibration names among its sources: files with the same stem."""
    fitted = {_stem(source) for source in sources}
    return [name for name in files if _stem(name) in fitted]


def _stem(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(".jsonl").removesuffix(".json")


def _skipped(bad: BadLine) -> dict[str, Any]:
    named = {"file": bad.file} if isinstance(bad, BadLineOfFile) else {}
    return {**named, "line": bad.line, "reason": bad.reason}


def generator_reports(table: TraceTable, settings: Settings) -> dict[str, dict[str, Any]] | None:
    """The parts again for each generator, the most frequent first: a mixture of them can be told apart by its style.

    None where the file names fewer than two.
    """
    counts = np.bincount(table.generator[table.generator != UNKNOWN], minlength=len(table.generators))
    if len(table.generators) < 2:
        return None
    reports = {}
    for index in np.argsort(-counts, kind="stable")[:MAX_GENERATORS]:
        own = table.where(table.generator == index)
        reports[table.generators[index]] = {"n_traces": len(own), **parts(own, settings)}
    return reports


def _notes(scored: ScoredTraces, table: TraceTable, fitted_on: Sequence[str]) -> Iterator[str]:
    if fitted_on:
        yield (
            f"in-sample: the critic's calibration was fitted on {', '.join(fitted_on)}; what depends on its "
            "probabilities, threshold or colours is better there than on traces that it has not seen."
        )
    if not table.has_probabilities:
        yield (
            "probabilities: the critic has no calibration, so figures that need a probability or a threshold are "
            "missing, and the lowest reward marks the most suspect step; `python -m train.calibrate` makes one."
        )
    if scored.borrowed_logprobs:
        yield (
            "logprob: the file gives no log-probabilities of the policies that drew the traces (mean_logprob); "
            "those of the critic's own reference policy stand in for them."
        )
    if (table.final_correct == UNKNOWN).any():
        yield "selection: problems with a candidate whose final answer was not checked are left out."
    if len(table.generators) > MAX_GENERATORS:
        yield f"generators: the {MAX_GENERATORS} most frequent of {len(table.generators)} have rows of their own."
