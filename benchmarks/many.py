"""Does memory stay flat over very many traces? A model of no size, the real commands.

    python -m benchmarks.many [--traces 100000]

`train.sample` draws short traces from a random nano model and `train.evaluate` scores them; resident memory is read
as they go. Flat means that the second half of a run adds next to nothing to what the first half had taken.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.app_start import kilobytes
from irl_core.critic.card import CriticCard
from irl_core.models.pairs import CHECKPOINTS
from train.cli import output_file, parse_args, print_figures

ROOT = Path(__file__).resolve().parents[1]
_SECONDS_BETWEEN_LOOKS = 1.0


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(build_parser(), argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_nano(folder / "model")
        save_critic(folder / "critic", folder / "model")
        problems = folder / "problems.jsonl"
        with problems.open("w") as out:
            for i in range(-(-args.traces // args.n)):
                out.write(json.dumps({"question": f"Ann has {i} apples and buys 4. How many?", "answer": str(i + 4)}))
                out.write("\n")
        traces = folder / "traces.jsonl"
        sampling = ["train.sample", "--problems", problems, "--n", args.n, "--policy", folder / "model"]
        evaluating = ["train.evaluate", "--traces", traces, "--critic", folder / "critic", "--resamples", 10]
        figures = {
            "traces": args.traces,
            "sample": watched([*sampling, "--max-tokens", args.tokens, "--out", traces]),
            "evaluate": watched([*evaluating, "--out", folder / "report.json"]),
        }
    if args.out:
        args.out.write_text(json.dumps(figures, indent=1) + "\n")
    print_figures(figures)


def save_nano(folder: Path) -> None:
    """A random model whose tokens are bytes."""
    from tests.nano import nano_llama, nano_tokenizer

    nano_llama().save_pretrained(folder)
    nano_tokenizer().save_pretrained(folder)


def save_critic(folder: Path, backbone: Path) -> None:
    folder.mkdir()
    card = CriticCard(name="nano", backbone=str(backbone), adapter=None)
    (folder / "critic.json").write_text(card.model_dump_json())
    (folder / "calibration.json").write_bytes((CHECKPOINTS / "critic" / "calibration.json").read_bytes())


def watched(command: Sequence[Any]) -> dict[str, Any]:
    """Run a module; seconds, and resident megabytes a fifth, half and all the way through, and at the peak.

    Raises:
        CalledProcessError: if it fails.
    """
    module, *arguments = map(str, command)
    started = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=ROOT, stderr=subprocess.DEVNULL)
    seen = []
    while process.poll() is None:
        seen.append(kilobytes(process.pid, "VmRSS") / 1e3)
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    if process.wait():
        raise subprocess.CalledProcessError(process.returncode, module)
    at = {share: round(seen[min(int(share * len(seen)), len(seen) - 1)]) for share in (0.2, 0.5, 0.95)}
    return {
        "seconds": round(time.monotonic() - started, 1),
        "megabytes": {f"after {share:.0%}": value for share, value in at.items()} | {"peak": round(max(seen))},
    }


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many", description=__doc__)
    parser.add_argument("--traces", type=int, default=100_000, help="how many")
    parser.add_argument("--n", type=int, default=8, help="traces of each problem")
    parser.add_argument("--tokens", type=int, default=16, help="tokens of a trace at the most")
    parser.add_argument("--out", type=output_file, metavar="many.json", help="the figures as a file")
    return parser


if __name__ == "__main__":
    torch.set_num_threads(1)  # a model of no size has nothing to share
    main()
