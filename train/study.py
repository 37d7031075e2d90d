"""The study in the exact world: ways of learning from demonstrations, from the same start, with several seeds.

    python -m train.study --config train/configs/study-nano.yaml

A nano Llama learns to write like the novice (base), then from few expert demonstrations (SFT); from there every method
trains with every seed. A seed draws the demonstrations, the order of prompts and all rollouts. Each run is kept as one
JSON file under --out: a study that was killed loses one run, one that was stopped by Ctrl-C none, the same command
goes on, and a finished one is only reported again. The report goes to --report as .json, .md and .html.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from irl_core.learning.common.interrupts import stop_on_interrupt
from irl_core.learning.toy.study import StudySettings, run_study
from irl_core.learning.toy.study_report import write_report

from .cli import parse_settings, print_figures


@dataclass
class Places:
    """Where a study is written, and how many processes it has."""

    out: str = field(
        default="runs/study-nano", metadata={"help": "folder of runs and models; a run that is there is kept"}
    )
    report: str = field(default="docs/studies/nano", metadata={"help": "the report's files without their endings"})
    jobs: int = field(default=1, metadata={"help": "processes, of one thread each"})


def main(argv: Sequence[str] | None = None) -> None:
    groups: dict[type, str] = {Places: "where and how", StudySettings: "what is compared"}
    places, settings = parse_settings(
        Places, StudySettings, argv, prog="python -m train.study", description=__doc__, groups=groups, defaults={}
    )
    started = time.monotonic()
    with stop_on_interrupt("the runs at hand are finished and kept") as stop:
        runs = run_study(settings, Path(places.out), jobs=places.jobs, stop=stop)
    wanted = 1 + settings.seeds * (1 + len(settings.methods))
    figures = {
        "runs": len(runs),
        "minutes": round((time.monotonic() - started) / 60, 1),
        "stopped_early": len(runs) < wanted,
    }
    # A study that lacks runs would be a report that claims less than it says, in the place of a whole one.
    report = {} if figures["stopped_early"] else write_report(runs, asdict(settings), Path(places.report))
    print_figures({**figures, **report})


if __name__ == "__main__":
    main()
