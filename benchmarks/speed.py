"""How fast traces are drawn and scored, side by side with what a user would use instead, in one run.

    python -m benchmarks.speed [--parts sampling alternatives scoring ...] [--vllm-python PATH]

Every contestant draws or scores the same work in turn, round after round; a ratio is a quotient within a round. The
figures go to docs/performance.json, part by part (a part that is not asked for stays as it was), and from there to
docs/performance.md and its plot; `python -m benchmarks.performance` writes those anew without measuring.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from benchmarks import performance, samplers, scorers
from benchmarks.app_start import start_once
from benchmarks.roofline import roofline
from benchmarks.timing import growth_exponent, machine, race, started
from irl_core.critic.engines.openvino import OpenVINOModel
from irl_core.critic.model import Critic
from irl_core.loading import load_critic
from irl_core.models.backbones import load_tokenizer, resolve_backbone
from irl_core.models.catalogue import SMOLLM2
from irl_core.models.devices import native_dtype
from irl_core.models.merging import load_merged
from irl_core.models.pairs import SMALL
from irl_core.models.prompts import prompt_ids
from irl_core.models.solution_tokens import encode_solution
from irl_core.policy.base import Policy, TokenPolicy
from irl_core.policy.sampling import Sampling
from irl_core.session.record import Session
from irl_core.session.run import Run
from irl_core.text.traces import Problem, Trace
from train.cli import parse_args, print_figures

TRACES, TOKENS = 8, 128
ADAPTER = SMALL.adapter
SOLUTION = "\n".join(
    f"Week {i}: he had {3 * i} cards and bought {i} more, so {3 * i} + {i} = {4 * i} cards." for i in range(2, 10)
)
"""About 250 tokens, as a pupil's longer solution has."""


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(build_parser(), argv)
    measured = json.loads(args.out.read_text()) if args.out.exists() else {}
    for part in args.parts:
        measured[part] = {"machine": machine(), "rounds": args.rounds, **PARTS[part](args)}
        args.out.write_text(json.dumps(measured, indent=1) + "\n")
    performance.write(args.out)
    print_figures(performance.headline(measured))


def sampling(args: argparse.Namespace) -> dict[str, Any]:
    """Eight traces of one problem, 128 tokens each: ours, and what a user would take instead."""
    backbone = resolve_backbone(SMOLLM2.name)
    tokenizer, merged = load_tokenizer(backbone), load_merged(backbone, ADAPTER)
    with ExitStack() as stack:

        def vllm() -> samplers.Sampler:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            merged.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
            prompt = prompt_ids(tokenizer, samplers.QUESTION)
            return stack.enter_context(samplers.vllm(args.vllm_python, folder, prompt))

        builders = {
            "OpenVINO Q8_0 (default)": lambda: samplers.of_policy(samplers.endless_openvino("Q8_0")),
            "OpenVINO F16": lambda: samplers.of_policy(samplers.endless_openvino("F16")),
            "generate, float32": lambda: samplers.generate(merged, tokenizer),
            "generate, bfloat16": lambda: samplers.generate(load_merged(backbone, ADAPTER).bfloat16(), tokenizer),
            "generate_batch, float32": lambda: samplers.generate_batch(load_merged(backbone, ADAPTER), tokenizer),
        }
        if args.vllm_python:
            builders["vLLM, bfloat16"] = vllm
        return _draw_off(builders, args)


def alternatives(args: argparse.Namespace) -> dict[str, Any]:
    """The same work by other ways that the sampler could go."""
    backbone = resolve_backbone(SMOLLM2.name)
    tokenizer = load_tokenizer(backbone)

    def generate(prepare: Callable[[Any], Any]) -> samplers.Sampler:
        return samplers.generate(prepare(load_merged(backbone, ADAPTER)), tokenizer)

    def loop(prepare: Callable[[Any], Any]) -> samplers.Sampler:
        return samplers.of_policy(samplers.endless_transformers(prepare))

    builders = {
        "OpenVINO Q8_0 (default)": lambda: samplers.of_policy(samplers.endless_openvino("Q8_0")),
        "OpenVINO Q4_1, without the adapter": lambda: samplers.of_policy(samplers.endless_packaged()),
        "our loop, float32": lambda: loop(lambda model: model),
        "our loop, bfloat16": lambda: loop(lambda model: model.bfloat16()),
        "our loop, torch's int8": lambda: loop(samplers.int8),
        "generate, float32": lambda: generate(lambda model: model),
        "generate, torch.compile": lambda: generate(samplers.compiled),
        "generate, torchao's int8": lambda: generate(samplers.torchao_int8),
    }
    return _draw_off(builders, args)


def _draw_off(builders: dict[str, Callable[[], samplers.Sampler]], args: argparse.Namespace) -> dict[str, Any]:
    engines, failed = started(builders)
    contestants = {name: _drawing(engine, args.tokens) for name, engine in engines.items()}
    return {"traces": TRACES, "tokens": args.tokens, "engines": race(contestants, args.rounds, "sampling") | failed}


def _drawing(engine: samplers.Sampler, tokens: int) -> Callable[[int], int]:
    return lambda number: engine(TRACES, tokens, number)


def scoring(args: argparse.Namespace) -> dict[str, Any]:
    """Eight drawn traces of one problem; how far each engine is from float32; an edit in the last third."""
    backbone = resolve_backbone(SMOLLM2.name)
    rows = drawn_rows(args.tokens)
    exact_model = load_merged(backbone, ADAPTER)
    model = load_merged(backbone, ADAPTER).to(native_dtype())
    kind = str(model.dtype).removeprefix("torch.")
    engines = {
        "ours, OpenVINO, 8-bit weights (default)": scorers.ours(OpenVINOModel(backbone, ADAPTER)),
        f"ours, PyTorch, {kind}": scorers.ours(scorers.reordered(load_merged(backbone, ADAPTER).to(native_dtype()))),
        f"ours, PyTorch, {kind}, weights as torch keeps them": scorers.ours(model),
        "ours, PyTorch's int8": scorers.ours(samplers.int8(load_merged(backbone, ADAPTER))),
        "ours, PyTorch, float32": scorers.ours(exact_model),
        f"plain loop padded to {scorers.PADDED_TO}, {kind}": scorers.plain_loop(model, scorers.PADDED_TO),
        f"plain loop, no padding, {kind}": scorers.plain_loop(model),
        f"padded batch, sdpa, {kind}": scorers.padded_batch(model),
        f"padded batch, eager, {kind}": scorers.padded_batch(model, "eager"),
        "padded batch, sdpa, float32": scorers.padded_batch(exact_model),
        "OpenVINO F16 weights, float32": scorers.openvino_forward("F16", "f32"),
        "OpenVINO F16 weights, bfloat16": scorers.openvino_forward("F16", "bf16"),
        "OpenVINO Q8_0 weights, int8": scorers.openvino_forward("Q8_0", "f32"),
    }
    exact = scorers.plain_loop(exact_model)(rows)
    limit = {
        f"raw forward pass, {kind}, {attention}": scorers.raw_forward(model, attention)
        for attention in ("sdpa", "eager")
    }
    contestants = {name: _scoring(engine, rows) for name, engine in (engines | limit).items()}
    return {
        "traces": len(rows),
        "tokens": scorers.unique_tokens(rows),
        "engines": race(contestants, args.rounds, "scoring"),
        "errors": {
            name: scorers.differences(engine, exact, rows) for name, engine in tqdm(engines.items(), desc="errors")
        },
        "edit": edit(load_critic(), args.rounds),
    }


def _scoring(engine: scorers.Scorer, rows: Sequence[Any]) -> Callable[[int], int]:
    def work(_: int) -> int:
        engine(rows)
        return scorers.unique_tokens(rows)

    return work


def drawn_rows(tokens: int) -> list[tuple[list[int], list[int]]]:
    """Prompt and completion ids of eight traces that the shipped policy draws."""
    from irl_core.loading import load_policy

    return rows_of(load_policy(SMALL.name), TRACES, tokens)


def rows_of(policy: TokenPolicy, n: int, tokens: int) -> list[tuple[list[int], list[int]]]:
    """Prompt and completion ids of `n` traces that a policy draws."""
    how = Sampling(n, max_tokens=tokens)
    prompt = prompt_ids(policy.tokenizer, samplers.QUESTION)
    drawn = [event.trace for _, event in policy.sample_many([samplers.QUESTION], how)]
    return [(prompt, encode_solution(policy.tokenizer, trace.text)[0]) for trace in drawn]


def edit(critic: Critic, rounds: int) -> dict[str, Any]:
    """A solution of some 250 tokens edited at three places of its last third, against reading all of it."""
    edits = [int(len(SOLUTION) * (13 + 2 * i) / 18) for i in range(3)]  # the middles of the thirds of the last third
    changed = [Trace.from_text(SOLUTION[:at] + "7" + SOLUTION[at:]) for at in edits]
    session = critic.problem_scorer(samplers.QUESTION)
    original = Trace.from_text(SOLUTION)

    def afresh(number: int) -> int:
        return len(critic.score(samplers.QUESTION, [changed[number % 3]])[0].rewards)

    def resumed(number: int) -> int:
        return len(session.score([changed[number % 3]])[0].rewards)

    def back(_: int) -> int:
        return len(session.score([original])[0].rewards)

    found = race({"edited back": back, "from the edit on": resumed, "whole": afresh}, 3 * rounds, "edits")
    return {name: found[name] for name in ("from the edit on", "whole")}


def colouring(args: argparse.Namespace) -> dict[str, Any]:
    """Eight traces drawn, and the same drawn while the critic colours them and judges them at the end."""
    return coloured(samplers.endless_openvino("Q8_0"), load_critic(), args)


def coloured(policy: Policy, critic: Critic, args: argparse.Namespace) -> dict[str, Any]:
    """The race of `colouring`, for a policy that never ends a trace before its limit."""
    problem = Problem(question=samplers.QUESTION)

    def events(number: int) -> Iterator[Any]:
        return policy.sample(problem.question, Sampling(n=TRACES, max_tokens=args.tokens, seed=number))

    def drawn_and_coloured(number: int) -> int:
        run = Run(Session(problem=problem, settings=Sampling(n=TRACES, seed=number)), critic)
        for event in events(number):
            run.take(event)
        run.finish()
        return sum(len(trace.token_ids) for trace in run.session.traces)

    drawn = samplers.of_policy(policy)
    contestants = {
        "drawn": lambda number: drawn(TRACES, args.tokens, number),
        "drawn and coloured": drawn_and_coloured,
    }
    return {"traces": TRACES, "tokens": args.tokens, "engines": race(contestants, args.rounds, "colouring")}


def scaling(args: argparse.Namespace) -> dict[str, Any]:
    """More traces, and longer ones: does the cost grow with their tokens?"""
    sampler = samplers.of_policy(samplers.endless_openvino("Q8_0"))
    backbone = resolve_backbone(SMOLLM2.name)
    tokenizer = load_tokenizer(backbone)
    score = scorers.ours(OpenVINOModel(backbone, ADAPTER))
    prompt = prompt_ids(tokenizer, samplers.QUESTION)
    text = encode_solution(tokenizer, SOLUTION * 8)[0]

    def scored(n: int, length: int) -> None:
        for start in range(0, n, max(1, 2048 // length)):
            score([(prompt, text[i : i + length]) for i in range(start, min(n, start + max(1, 2048 // length)))])

    works = {"drawn": lambda n, length: sampler(n, length, 0), "scored": scored}
    series = {"traces": [(TRACES * k, args.tokens) for k in (1, 2, 4, 8)], "length": [(TRACES, k) for k in LENGTHS]}
    found: dict[str, Any] = {}
    for work, do in works.items():
        for axis, sizes in series.items():
            seconds = [_median_seconds(do, size, args.rounds) for size in tqdm(sizes, desc=f"{work} by {axis}")]
            sizes_1d = [n * length for n, length in sizes]
            exponent = growth_exponent(sizes_1d, seconds)
            found[f"{work} by {axis}"] = {"tokens": sizes_1d, "seconds": seconds, "exponent": exponent}
    return {"series": found}


LENGTHS = (128, 256, 512, 1024)


def _median_seconds(do: Callable[[int, int], Any], size: tuple[int, int], rounds: int) -> float:
    seconds = []
    for number in range(rounds + 1):
        started = time.perf_counter()
        do(*size)
        if number:
            seconds.append(time.perf_counter() - started)
    return round(sorted(seconds)[len(seconds) // 2], 4)


def app(args: argparse.Namespace) -> dict[str, Any]:
    """The app started anew in each round."""
    starts = [start_once(SMALL.name) for _ in tqdm(range(args.rounds), desc="app starts")]
    return {"starts": starts}


PARTS = {part.__name__: part for part in (sampling, alternatives, scoring, colouring, scaling, app, roofline)}


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS), help="what to measure")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count, after one that does not")
    parser.add_argument("--tokens", type=int, default=TOKENS, help="length of the traces")
    parser.add_argument("--vllm-python", type=Path, metavar="PATH", help="the python of an environment with vLLM")
    parser.add_argument("--out", type=Path, default=performance.FIGURES, help="the figures")
    return parser


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main()
