"""How fast traces are drawn and scored on a GPU, and how exactly, beside what a user would use instead.

    python -m benchmarks.cuda [--pair standard] [--out docs/cuda.json]

A pair's own policy and critic as the app loads them, in bfloat16 where the GPU has it, beside transformers' `generate`
and a padded batch. Each part is written when it is there; `python -m benchmarks.performance` puts the figures into
docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks import performance, samplers, scorers
from benchmarks.speed import coloured, edit, rows_of
from benchmarks.timing import Contestant, machine, race
from irl_core.loading import load_critic, load_policy
from irl_core.models.backbones import load_tokenizer, resolve_backbone
from irl_core.models.devices import native_device, native_dtype
from irl_core.models.merging import load_merged
from irl_core.models.pairs import PAIRS
from irl_core.policy.base import TokenPolicy
from irl_core.policy.names import locate_policy
from irl_core.policy.sampling import Sampling
from train.cli import parse_args, print_figures

DRAWN, SCORED = (8, 64, 256), (8, 64)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(build_parser(), argv)
    if native_device().type != "cuda":
        raise SystemExit("error: no GPU is here; python -m benchmarks.speed measures a CPU")
    import transformers

    found = {"pair": args.pair, "machine": machine() | {"transformers": transformers.__version__}}
    found |= {"rounds": args.rounds, "tokens": args.tokens}
    for part in (scoring, editing, colouring, drawing):  # the longest is the last
        found[part.__name__] = part(args)
        args.out.write_text(json.dumps(found, indent=1) + "\n")
    performance.write()
    print_figures({"out": str(args.out), "gpu": found["machine"].get("gpu")})


def drawing(args: argparse.Namespace) -> dict[str, Any]:
    """Traces of one problem, each to its full length, by our sampler and by `generate`."""
    model, tokenizer = merged(args.pair).to(native_device(), native_dtype()), tokenizer_of(args.pair)
    engines = {"ours (default)": drawn_by(endless(args.pair)), "generate": samplers.generate(model, tokenizer)}
    return {str(n): race_of({k: drawing_of(e, n, args.tokens) for k, e in engines.items()}, args) for n in DRAWN}


def drawn_by(policy: TokenPolicy) -> samplers.Sampler:
    """As `train.sample` draws, which shows no growing text."""

    def draw(n: int, tokens: int, seed: int) -> int:
        how = Sampling(n, seed=seed, max_tokens=tokens)
        return sum(len(drawn.token_ids) for drawn in policy.draw_many([samplers.QUESTION], how))

    return draw


def drawing_of(engine: samplers.Sampler, n: int, tokens: int) -> Contestant:
    # A first round of few tokens is enough to wake the GPU.
    return lambda number: engine(n, tokens if number else 8, number)


def scoring(args: argparse.Namespace) -> dict[str, Any]:
    """Drawn traces of one problem; errors in nats against float32, of the same arithmetic here and of a CPU's."""
    policy, exact = load_policy(args.pair), merged(args.pair)
    found = {}
    rows = {n: rows_of(policy, n, args.tokens) for n in SCORED}
    on_cpu = {n: scorers.plain_loop(exact)(some) for n, some in rows.items()}
    exact = exact.to(native_device())
    model = merged(args.pair).to(native_device(), native_dtype())
    kind = str(model.dtype).removeprefix("torch.")
    engines = {
        f"ours, {kind} (default)": scorers.ours(model),
        f"padded batch, sdpa, {kind}": scorers.padded_batch(model),
        "ours, float32": scorers.ours(exact),
        "padded batch, sdpa, float32": scorers.padded_batch(exact),
    }
    limit = {f"raw forward pass, {kind}": scorers.raw_forward(model)}
    for n, some in rows.items():
        contestants = {name: scored_by(engine, some) for name, engine in (engines | limit).items()}
        here = scorers.plain_loop(exact)(some)
        found[str(n)] = {
            "tokens": scorers.unique_tokens(some),
            **race_of(contestants, args),
            "errors": {name: scorers.differences(engine, here, some) for name, engine in engines.items()},
            "errors_cpu": {name: scorers.differences(engine, on_cpu[n], some) for name, engine in engines.items()},
        }
    return found


def editing(args: argparse.Namespace) -> dict[str, Any]:
    """What an edit in the last third of a solution costs beside reading it all."""
    return edit(load_critic(args.pair), args.rounds)


def colouring(args: argparse.Namespace) -> dict[str, Any]:
    """Eight traces drawn, and the same drawn while the critic colours them."""
    return coloured(endless(args.pair), load_critic(args.pair), args)


def scored_by(engine: scorers.Scorer, rows: Sequence[Any]) -> Contestant:
    def work(_: int) -> int:
        engine(rows)
        return scorers.unique_tokens(rows)

    return work


def race_of(contestants: Mapping[str, Contestant], args: argparse.Namespace) -> dict[str, Any]:
    """A race, and the most GPU memory in GB that each contestant held at once beyond what lay there before it."""
    peaks: dict[str, float] = {}

    def watched(name: str, contestant: Contestant) -> Contestant:
        def work(number: int) -> int:
            before = torch.cuda.memory_allocated()
            torch.cuda.reset_peak_memory_stats()
            tokens = contestant(number)
            peaks[name] = round((torch.cuda.max_memory_allocated() - before) / 1e9, 3)
            return tokens

        return work

    raced = race({name: watched(name, one) for name, one in contestants.items()}, args.rounds, "race")
    return {"engines": raced, "peak_gb": peaks}


def merged(pair: str) -> Any:
    """The pair's policy as one model, in float32 on the CPU."""
    found = locate_policy(pair)
    return load_merged(resolve_backbone(found.backbone), found.adapter)


def tokenizer_of(pair: str) -> Any:
    return load_tokenizer(resolve_backbone(locate_policy(pair).backbone))


def endless(pair: str) -> TokenPolicy:
    """The pair's policy, which never ends a trace before its limit."""
    policy = load_policy(pair)
    policy.stop_ids = frozenset()
    return policy


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cuda", description=__doc__)
    parser.add_argument("--pair", choices=list(PAIRS), default="small", help="which policy and critic")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count, after one that does not")
    parser.add_argument("--tokens", type=int, default=128, help="length of the traces")
    parser.add_argument("--out", type=Path, default=performance.GPU_FIGURES, help="the figures")
    return parser


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main()
