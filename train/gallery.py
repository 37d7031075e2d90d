"""Record the runs that the page shows before any model is loaded: its own examples, solved with its own settings.

    python -m train.gallery [--pairs standard]

Needed again whenever a shipped policy, critic or calibration changes; a test names the record that is stale.
"""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from irl_core.models.assets import ASSETS
from irl_core.models.pairs import PAIRS, Pair
from irl_core.policy.sampling import Sampling
from irl_core.session.record import Session
from irl_core.session.workbench import Workbench
from irl_core.text.traces import Problem

from .cli import parse_args, print_figures


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(build_parser(), argv)
    examples = json.loads(Path(args.examples).read_text("utf-8"))["problems"]
    print_figures({pair: record_all(PAIRS[pair], examples, Path(args.out) / pair) for pair in args.pairs})


def record_all(pair: Pair, examples: Sequence[dict[str, str]], out: Path) -> dict[str, Any]:
    """Every example, solved by a pair, in the place of what is in `out`; the figures of it."""
    out.mkdir(parents=True, exist_ok=True)
    workbench = Workbench(policy=pair.name, critic=pair.name)
    sessions = [record(workbench, example) for example in tqdm(examples, unit="problem", desc=pair.name)]
    for old in out.glob("*.json"):
        old.unlink()
    for example, session in zip(examples, sessions, strict=True):
        (out / f"{example['id']}.json").write_text(session.model_dump_json(exclude_none=True) + "\n", "utf-8")
    return {"sessions": len(sessions), "seconds": [round(s.seconds or 0.0, 1) for s in sessions], "out": str(out)}


def record(workbench: Workbench, example: dict[str, str]) -> Session:
    """One example, solved with the settings that the page opens with."""
    problem = Problem(question=example["question"], answer=example["answer"])
    *_, last = workbench.solve(problem, Sampling(), threading.Event())
    return last.session


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.gallery", description=__doc__)
    parser.add_argument("--examples", default=ASSETS / "examples.json", help="file with the page's examples")
    parser.add_argument("--out", default=ASSETS / "gallery", help="a folder for each pair is made in it, or emptied")
    parser.add_argument("--pairs", nargs="+", choices=list(PAIRS), default=list(PAIRS), help="whose runs")
    return parser


if __name__ == "__main__":
    main()
