"""How long a person waits: from the click to the first coloured trace and to the ranking, and the memory it takes.

    python -m benchmarks.solve

Models are loaded before the clock starts, as in the app, which loads them behind the page. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import threading
import time
from pathlib import Path

from irl_core.models.pairs import PAIRS, STANDARD
from irl_core.policy.sampling import Sampling
from irl_core.session.workbench import Workbench
from irl_core.text.traces import Problem

EXAMPLES = Path(__file__).resolve().parent.parent / "assets" / "examples.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.solve", description=__doc__)
    parser.add_argument("--n", type=int, default=Sampling().n, help="traces of each problem")
    parser.add_argument("--max-tokens", type=int, default=Sampling().max_tokens, help="tokens of a trace at the most")
    parser.add_argument("--runs", type=int, default=5, help="problems to solve, after one that is not counted")
    parser.add_argument("--pair", choices=list(PAIRS), default=STANDARD.name, help="which policy and critic")
    args = parser.parse_args()
    questions = [problem["question"] for problem in json.loads(EXAMPLES.read_text())["problems"]]
    workbench = Workbench(policy=args.pair, critic=args.pair)
    started = time.monotonic()
    workbench.load()
    loading = time.monotonic() - started
    runs = []
    for i in range(args.runs + 1):
        sampling = Sampling(n=args.n, max_tokens=args.max_tokens, seed=i)
        runs.append(solve_once(workbench, questions[i % len(questions)], sampling))
    counted = runs[1:]
    figures = {name: round(statistics.median(r[name] for r in counted), 2) for name in counted[0]}
    totals = {
        "loading_s": round(loading, 1),
        **figures,
        "slowest_total_s": round(max(r["total_s"] for r in counted), 2),
        "runs": len(counted),
        "n": args.n,
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
    }
    print(json.dumps(totals))


def solve_once(workbench: Workbench, question: str, sampling: Sampling) -> dict[str, float]:
    """Seconds from the request to the first scored trace and to the ranking, and the tokens drawn."""
    first = None
    for snapshot in workbench.solve(Problem(question=question), sampling, threading.Event()):
        if first is None and snapshot.session.scores:
            first = snapshot.seconds
    return {"first_coloured_s": first or snapshot.seconds, "total_s": snapshot.seconds, "tokens": snapshot.tokens}


if __name__ == "__main__":
    main()
