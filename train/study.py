"""The study in the exact world: ways of learning from demonstrations, from the same start, with several seeds.

    python -m train.study --config train/configs/study-nano.yaml

A nano Llama learns to write like the novice (base), then from few expert demonstrations (SFT); from there every method
trains with every seed. A seed draws the demonstrations, the order of prompts and all rollouts. Each run is kept as one
JSON file under --out: a study that was killed loses one run, and a finished one is only reported again. The report
goes to --report as .json, .md and .html.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from tqdm import tqdm
from transformers import LlamaForCausalLM

from irl_core.learning.toy.adversarial_run import AdversarialRun, Demonstrations
from irl_core.learning.toy.exact_world import EXPERT, NOVICE, ExactWorld
from irl_core.learning.toy.figures import critic_figures, expert_loss, solved
from irl_core.learning.toy.models import Pairs, learn_by_likelihood, nano_llama
from irl_core.learning.toy.study_methods import BASE, METHODS, SFT, by_name
from irl_core.learning.toy.study_report import write_report
from train.cli import parse_args, print_figures

_WORLD = ExactWorld()
_CURVE_STEPS = 10
_VALIDATION = 512  # expert solutions that tell when fine-tuning has learnt enough

Run = dict[str, Any]


def main(argv: list[str] | None = None) -> None:
    parser = build_parser()
    args = parse_args(parser, argv)
    if unknown := set(args.methods) - {m.name for m in METHODS}:
        parser.error(f"unknown method {min(unknown)!r}; there are {', '.join(m.name for m in METHODS)}")
    started = time.monotonic()
    torch.set_num_threads(1)
    runs = [keep(args, train_base, BASE, 0), *(keep(args, fine_tune, SFT, seed) for seed in range(args.seeds))]
    wanted = list(itertools.product(range(args.seeds), args.methods))
    with ProcessPoolExecutor(args.jobs) as pool:
        jobs = [pool.submit(keep, args, train_method, name, seed) for seed, name in wanted]
        runs += [job.result() for job in tqdm(as_completed(jobs), total=len(jobs), unit="run")]
    report = write_report(runs, vars(args), Path(args.report))
    print_figures({"runs": len(runs), "minutes": round((time.monotonic() - started) / 60, 1), **report})


def keep(args: argparse.Namespace, make: Callable[..., Run], name: str, seed: int) -> Run:
    """The run's figures: from its file if it was made with these settings, else made now and written whole."""
    torch.set_num_threads(1)
    path = Path(args.out) / f"{name}-{seed}.json"
    settings = digest(args, name)
    if path.exists() and (found := json.loads(path.read_text()))["settings"] == settings:
        return found
    started = time.process_time()
    figures = make(args, name, seed)
    run = {"method": name, "seed": seed, "settings": settings, **figures}
    run["cpu_seconds"] = round(time.process_time() - started, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(run))
    os.replace(partial, path)
    return run


def digest(args: argparse.Namespace, name: str) -> str:
    """What a kept run depends on, so that changed settings make it again; one that came later, at its default, not."""
    elsewhere = ("out", "report", "seeds", "jobs", "methods", "config")
    chosen = {k: v for k, v in vars(args).items() if k not in elsewhere}
    method = None if name in (BASE, SFT) else sorted(by_name(name).changed().items())
    return hashlib.sha256(repr((chosen, method, EXPERT, NOVICE)).encode()).hexdigest()[:16]


def train_base(args: argparse.Namespace, name: str, seed: int) -> Run:
    """A backbone that writes like the novice, from as many of the novice's solutions as it wants."""
    generator = torch.Generator().manual_seed(seed)

    def batches() -> Pairs:
        while True:
            problems = _WORLD.problems(args.base_batch, generator)
            yield problems, _WORLD.sample(NOVICE, problems, generator)

    policy = nano_llama(len(_WORLD.words), hidden=args.hidden, layers=args.layers, seed=seed)
    learn_by_likelihood(policy, batches(), lr=args.base_lr, steps=args.base_steps)
    policy.save_pretrained(folder(args, BASE, 0))
    return {"parameters": policy.num_parameters(), **policy_figures(args, policy, seed)}


def fine_tune(args: argparse.Namespace, name: str, seed: int) -> Run:
    """The base after its expert demonstrations, stopped where held-out expert solutions are likeliest."""
    policy, demonstrations = load(args, BASE, 0), draw_demonstrations(args, seed)
    held_out = draw_demonstrations(args, seed + 10_000, _VALIDATION)
    generator = torch.Generator().manual_seed(seed)
    best = {"loss": float("inf")}

    def no_longer_better(step: int) -> bool:
        if (step + 1) % args.sft_check_steps:
            return False
        loss = expert_loss(policy, *held_out)
        if loss >= best["loss"]:
            return True
        best.update(loss=loss, step=step + 1)
        policy.save_pretrained(folder(args, SFT, seed))
        return False

    batches = shuffled(demonstrations, args.sft_batch, generator)
    learn_by_likelihood(policy, batches, lr=args.sft_lr, steps=args.sft_steps, watch=no_longer_better)
    policy = load(args, SFT, seed)
    return {"sft_steps": best["step"], **policy_figures(args, policy, seed)}


def train_method(args: argparse.Namespace, name: str, seed: int) -> Run:
    """One method with one seed from the fine-tuned policy on; its learning curve, its end, and its critic."""
    policy, method = load(args, SFT, seed), by_name(name)
    generator = torch.Generator().manual_seed(seed)
    run = AdversarialRun(_WORLD, policy, draw_demonstrations(args, seed), method, generator)
    problems = test_problems(args)
    curve, log = [], []
    for step in range(-method.disc_warmup_steps, method.steps):
        log.append(run.step())
        if step > 0 and (step + 1) % _CURVE_STEPS == 0:
            counts = solved(_WORLD, policy, problems, 1, torch.Generator().manual_seed(3))
            curve.append([step + 1, sum(counts) / len(counts)])
    figures = {"curve": curve, "log": thinned(log), **policy_figures(args, policy, seed)}
    if run.critic is not None:
        fixed = torch.Generator().manual_seed(10 + seed)
        figures["critic"] = critic_figures(_WORLD, run.critic.rewards, policy, load(args, SFT, seed), problems, fixed)
    return figures


def policy_figures(args: argparse.Namespace, policy: LlamaForCausalLM, seed: int) -> Run:
    """Right solutions of each test problem, drawn and greedy, and how likely an expert's solutions are."""
    problems = test_problems(args)
    generator = torch.Generator().manual_seed(1_000 + seed)
    experts = _WORLD.sample(EXPERT, problems, torch.Generator().manual_seed(2))
    more = _WORLD.problems(args.greedy_problems, torch.Generator().manual_seed(4))
    return {
        "solved": solved(_WORLD, policy, problems, args.samples, generator),
        "samples": args.samples,
        "greedy": fmean(solved(_WORLD, policy, more, 1, None)),
        "expert_loss": expert_loss(policy, problems, experts),
    }


def test_problems(args: argparse.Namespace) -> torch.Tensor:
    """The same for all runs; that one of some 200,000 is among the demonstrations too is unlikely and harmless."""
    return _WORLD.problems(args.test_problems, torch.Generator().manual_seed(1))


def draw_demonstrations(args: argparse.Namespace, seed: int, count: int | None = None) -> Demonstrations:
    generator = torch.Generator().manual_seed(100 + seed)
    problems = _WORLD.problems(count or args.demonstrations, generator)
    return Demonstrations(problems, _WORLD.sample(EXPERT, problems, generator))


def shuffled(data: Demonstrations, size: int, generator: torch.Generator) -> Iterator[Demonstrations]:
    while True:
        for chosen in torch.randperm(len(data.prompts), generator=generator).split(size):
            yield Demonstrations(*(part[chosen] for part in data))


def thinned(log: list[dict[str, float]]) -> dict[str, list[float]]:
    """Means over every ten steps of what each step told."""
    names = sorted({name for figures in log for name in figures})
    parts = [log[i : i + _CURVE_STEPS] for i in range(0, len(log), _CURVE_STEPS)]
    found = {name: [[f[name] for f in part if name in f] for part in parts] for name in names}
    return {name: [round(sum(v) / len(v), 4) for v in values if v] for name, values in found.items()}


def folder(args: argparse.Namespace, name: str, seed: int) -> Path:
    return Path(args.out) / f"{name}-{seed}"


def load(args: argparse.Namespace, name: str, seed: int) -> LlamaForCausalLM:
    return LlamaForCausalLM.from_pretrained(folder(args, name, seed))


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.study", description=__doc__)
    parser.add_argument("--out", default="runs/study-nano", help="folder of runs and models; what is there is kept")
    parser.add_argument("--report", default="docs/studies/nano", help="the report's files without their endings")
    parser.add_argument("--seeds", type=int, default=5, help="runs of each method")
    parser.add_argument("--jobs", type=int, default=1, help="processes, of one thread each")
    names = [m.name for m in METHODS]
    parser.add_argument("--methods", nargs="*", default=names, help="which methods, of: " + ", ".join(names))
    parser.add_argument("--hidden", type=int, default=128, help="width of the Llama")
    parser.add_argument("--layers", type=int, default=4, help="layers of the Llama")
    parser.add_argument("--base-steps", type=int, default=900, help="updates on the novice's solutions")
    parser.add_argument("--base-batch", type=int, default=64, help="solutions in each")
    parser.add_argument("--base-lr", type=float, default=2e-3, help="peak learning rate there")
    parser.add_argument("--demonstrations", type=int, default=128, help="expert solutions there are")
    parser.add_argument("--sft-steps", type=int, default=200, help="most updates on them")
    parser.add_argument("--sft-batch", type=int, default=32, help="solutions in each")
    parser.add_argument("--sft-lr", type=float, default=5e-4, help="peak learning rate there")
    parser.add_argument("--sft-check-steps", type=int, default=8, help="updates between looks at held-out solutions")
    parser.add_argument("--test-problems", type=int, default=250, help="held-out problems")
    parser.add_argument("--samples", type=int, default=8, help="solutions of each")
    parser.add_argument("--greedy-problems", type=int, default=1000, help="problems solved greedily")
    return parser


if __name__ == "__main__":
    main()
