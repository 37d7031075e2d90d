"""The study in the exact world: every method from the same start, with several seeds, each run kept as a file."""

from __future__ import annotations

import hashlib
import itertools
import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass, field
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

_WORLD = ExactWorld()
_CURVE_STEPS = 10
_VALIDATION = 512  # expert solutions that tell when fine-tuning has learnt enough

Run = dict[str, Any]
"""The figures of one run: its method, its seed, what it depends on, and what was measured."""


def _help(text: str) -> dict[str, str]:
    return {"help": text}


@dataclass(frozen=True)
class StudySettings:
    """Which methods and seeds, and what each run is made of.

    Raises:
        ValueError: if a method is not known; the message names those that are.
    """

    seeds: int = field(default=5, metadata=_help("runs of each method"))
    methods: list[str] = field(
        default_factory=lambda: [m.name for m in METHODS],
        metadata=_help("which methods, of: " + ", ".join(m.name for m in METHODS)),
    )
    hidden: int = field(default=128, metadata=_help("width of the Llama"))
    layers: int = field(default=4, metadata=_help("layers of the Llama"))
    base_steps: int = field(default=900, metadata=_help("updates on the novice's solutions"))
    base_batch: int = field(default=64, metadata=_help("solutions in each"))
    base_lr: float = field(default=2e-3, metadata=_help("peak learning rate there"))
    demonstrations: int = field(default=128, metadata=_help("expert solutions there are"))
    sft_steps: int = field(default=200, metadata=_help("most updates on them"))
    sft_batch: int = field(default=32, metadata=_help("solutions in each"))
    sft_lr: float = field(default=5e-4, metadata=_help("peak learning rate there"))
    sft_check_steps: int = field(default=8, metadata=_help("updates between looks at held-out solutions"))
    test_problems: int = field(default=250, metadata=_help("held-out problems"))
    samples: int = field(default=8, metadata=_help("solutions of each"))
    greedy_problems: int = field(default=1000, metadata=_help("problems solved greedily"))

    def __post_init__(self) -> None:
        known = [m.name for m in METHODS]
        if unknown := set(self.methods) - set(known):
            raise ValueError(f"unknown method {min(unknown)!r}; there are {', '.join(known)}")

    def of_a_run(self) -> dict[str, Any]:
        """What a single run depends on."""
        return {name: value for name, value in asdict(self).items() if name not in ("seeds", "methods")}


def run_study(settings: StudySettings, out: Path, *, jobs: int, stop: threading.Event) -> list[Run]:
    """Make the runs that `out` does not hold; all of them, or after a stop request those there are by then.

    Args:
        out: folder of runs and models.
        jobs: processes, of one thread each.
        stop: once it is set, runs that were begun are finished and no other is begun.
    """
    torch.set_num_threads(1)
    runs: list[Run] = []
    for make, name, seed in ((train_base, BASE, 0), *((fine_tune, SFT, seed) for seed in range(settings.seeds))):
        if stop.is_set():
            return runs
        runs.append(keep(settings, out, make, name, seed))
    wanted = list(itertools.product(range(settings.seeds), settings.methods))
    with ProcessPoolExecutor(jobs, initializer=_leave_interrupts_to_the_parent) as pool:
        try:
            runs += _in_parallel(pool, settings, out, wanted, jobs, stop)
        except KeyboardInterrupt:
            for process in multiprocessing.active_children():
                process.terminate()
            raise
    return runs


def _in_parallel(
    pool: ProcessPoolExecutor,
    settings: StudySettings,
    out: Path,
    wanted: list[tuple[int, str]],
    jobs: int,
    stop: threading.Event,
) -> Iterator[Run]:
    """Runs as they end. No more are handed out than are worked on, so that a stop request need not wait for others."""
    left, running = iter(wanted), set[Future[Run]]()
    with tqdm(total=len(wanted), unit="run") as bar:
        while True:
            while len(running) < jobs and not stop.is_set() and (following := next(left, None)):
                seed, name = following
                running.add(pool.submit(keep, settings, out, train_method, name, seed))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for job in done:
                bar.update()
                yield job.result()


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def keep(
    settings: StudySettings, out: Path, make: Callable[[StudySettings, Path, str, int], Run], name: str, seed: int
) -> Run:
    """The run's figures: from its file if it was made with these settings, else made now and written whole."""
    torch.set_num_threads(1)
    path = out / f"{name}-{seed}.json"
    made_with = digest(settings, name)
    if path.exists():
        kept: Run = json.loads(path.read_text())
        if kept["settings"] == made_with:
            return kept
    started = time.process_time()
    figures = make(settings, out, name, seed)
    run = {"method": name, "seed": seed, "settings": made_with, **figures}
    run["cpu_seconds"] = round(time.process_time() - started, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(run))
    os.replace(partial, path)
    return run


def digest(settings: StudySettings, name: str) -> str:
    """What a kept run depends on, so that changed settings make it again; one that came later, at its default, not."""
    method = None if name in (BASE, SFT) else sorted(by_name(name).changed().items())
    return hashlib.sha256(repr((settings.of_a_run(), method, EXPERT, NOVICE)).encode()).hexdigest()[:16]


def train_base(settings: StudySettings, out: Path, name: str, seed: int) -> Run:
    """A backbone that writes like the novice, from as many of the novice's solutions as it wants."""
    generator = torch.Generator().manual_seed(seed)

    def batches() -> Pairs:
        while True:
            problems = _WORLD.problems(settings.base_batch, generator)
            yield problems, _WORLD.sample(NOVICE, problems, generator)

    policy = nano_llama(len(_WORLD.words), hidden=settings.hidden, layers=settings.layers, seed=seed)
    learn_by_likelihood(policy, batches(), lr=settings.base_lr, steps=settings.base_steps)
    policy.save_pretrained(out / f"{BASE}-0")
    return {"parameters": policy.num_parameters(), **policy_figures(settings, policy, seed)}


def fine_tune(settings: StudySettings, out: Path, name: str, seed: int) -> Run:
    """The base after its expert demonstrations, stopped where held-out expert solutions are likeliest."""
    policy, demonstrations = load(out, BASE, 0), draw_demonstrations(seed, settings.demonstrations)
    held_out = draw_demonstrations(seed + 10_000, _VALIDATION)
    generator = torch.Generator().manual_seed(seed)
    best_loss, best_step = float("inf"), 0

    def no_longer_better(step: int) -> bool:
        nonlocal best_loss, best_step
        if (step + 1) % settings.sft_check_steps:
            return False
        loss = expert_loss(policy, *held_out)
        if loss >= best_loss:
            return True
        best_loss, best_step = loss, step + 1
        policy.save_pretrained(out / f"{SFT}-{seed}")
        return False

    batches = shuffled(demonstrations, settings.sft_batch, generator)
    learn_by_likelihood(policy, batches, lr=settings.sft_lr, steps=settings.sft_steps, watch=no_longer_better)
    policy = load(out, SFT, seed)
    return {"sft_steps": best_step, **policy_figures(settings, policy, seed)}


def train_method(settings: StudySettings, out: Path, name: str, seed: int) -> Run:
    """One method with one seed from the fine-tuned policy on; its learning curve, its end, and its critic."""
    policy, method = load(out, SFT, seed), by_name(name)
    generator = torch.Generator().manual_seed(seed)
    demonstrations = draw_demonstrations(seed, settings.demonstrations)
    run = AdversarialRun(_WORLD, policy, demonstrations, method, generator)
    problems = test_problems(settings)
    curve: list[tuple[int, float]] = []
    log: list[dict[str, float]] = []
    for step in range(-method.disc_warmup_steps, method.steps):
        log.append(run.step())
        if step > 0 and (step + 1) % _CURVE_STEPS == 0:
            counts = solved(_WORLD, policy, problems, 1, torch.Generator().manual_seed(3))
            curve.append((step + 1, sum(counts) / len(counts)))
    figures = {"curve": curve, "log": thinned(log), **policy_figures(settings, policy, seed)}
    if run.critic is not None:
        fixed = torch.Generator().manual_seed(10 + seed)
        figures["critic"] = critic_figures(_WORLD, run.critic.rewards, policy, load(out, SFT, seed), problems, fixed)
    return figures


def policy_figures(settings: StudySettings, policy: LlamaForCausalLM, seed: int) -> Run:
    """Right solutions of each test problem, drawn and greedy, and how likely an expert's solutions are."""
    problems = test_problems(settings)
    generator = torch.Generator().manual_seed(1_000 + seed)
    experts = _WORLD.sample(EXPERT, problems, torch.Generator().manual_seed(2))
    more = _WORLD.problems(settings.greedy_problems, torch.Generator().manual_seed(4))
    return {
        "solved": solved(_WORLD, policy, problems, settings.samples, generator),
        "samples": settings.samples,
        "greedy": fmean(solved(_WORLD, policy, more, 1, None)),
        "expert_loss": expert_loss(policy, problems, experts),
    }


def test_problems(settings: StudySettings) -> torch.Tensor:
    """The same for all runs; that one of some 200,000 is among the demonstrations too is unlikely and harmless."""
    return _WORLD.problems(settings.test_problems, torch.Generator().manual_seed(1))


def draw_demonstrations(seed: int, count: int) -> Demonstrations:
    """So many problems with the expert's solutions."""
    generator = torch.Generator().manual_seed(100 + seed)
    problems = _WORLD.problems(count, generator)
    return Demonstrations(problems, _WORLD.sample(EXPERT, problems, generator))


def shuffled(data: Demonstrations, size: int, generator: torch.Generator) -> Iterator[Demonstrations]:
    """Batches of so many, each epoch in another order, without end."""
    while True:
        for chosen in torch.split(torch.randperm(len(data.prompts), generator=generator), size):
            yield Demonstrations(*(part[chosen] for part in data))


def thinned(log: list[dict[str, float]]) -> dict[str, list[float]]:
    """Means over every ten steps of what each step told."""
    names = sorted({name for figures in log for name in figures})
    parts = [log[i : i + _CURVE_STEPS] for i in range(0, len(log), _CURVE_STEPS)]
    told = {name: [[f[name] for f in part if name in f] for part in parts] for name in names}
    return {name: [round(sum(v) / len(v), 4) for v in values if v] for name, values in told.items()}


def load(out: Path, name: str, seed: int) -> LlamaForCausalLM:
    """The model that a run left."""
    return LlamaForCausalLM.from_pretrained(out / f"{name}-{seed}")
