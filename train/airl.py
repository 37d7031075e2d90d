"""Adversarial IRL, first stage: warm up the discriminator.

    python -m train.airl --config train/configs/warmup.yaml

The reward is ρ_t = w_t log π_φ(y_t), with φ starting at the fine-tuned policy. Each expert solution is set against
counterfactual edits of its steps and against the steps at which samples of the policy leave it, every pair under the
same prefix. Only demonstrations are used: no outcome label, no step label. A killed run goes on with `--resume`.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import defaultdict
from pathlib import Path

import torch
from tqdm import tqdm

from irl_core.backbones import load_tokenizer, resolve_backbone
from irl_core.critic import CriticCard
from irl_core.learning.adapters import load_adapter_weights, new_adapter, save_adapter
from irl_core.learning.contrast_trees import Tree, contrast_loss, grow, tree_logprobs
from irl_core.learning.counterfactuals import branches, load_rollouts
from irl_core.learning.demonstrations import HUB_NAME, load_gsm8k
from irl_core.learning.loop import MasterWeights, load_checkpoint, save_checkpoint
from train.cli import parse_args, print_figures


def main(argv: list[str] | None = None) -> None:
    args = parse_args(build_parser(), argv)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    backbone = resolve_backbone(args.backbone)
    tokenizer = load_tokenizer(backbone)
    rng = random.Random(args.seed)
    trees = grow_trees(tokenizer, args, rng)
    held_out, trees = trees[: args.held_out], trees[args.held_out :]
    model = new_adapter(backbone, rank=args.rank, seed=args.seed)
    load_adapter_weights(model, Path(args.init))

    steps = len(trees) * args.epochs // args.batch_trees
    order = [i for _ in range(args.epochs) for i in rng.sample(range(len(trees)), len(trees))]
    optimizer = MasterWeights(model.parameters(), lr=args.lr, steps=steps)
    first, tokens = 0, 0
    if args.resume and (found := load_checkpoint(out / "checkpoint")):
        tensors, state = found
        first, tokens = state["step"], state["tokens"]
        optimizer.load_tensors(tensors, first)

    before = None if first else evaluate(model, held_out, args)
    started = last_saved = time.monotonic()
    for step in (progress := tqdm(range(first, steps), initial=first, total=steps, unit="step", mininterval=5)):
        chosen = order[step * args.batch_trees : (step + 1) * args.batch_trees]
        figures = defaultdict(float)
        for tree in (trees[i] for i in chosen):
            logprobs = tree_logprobs(model, tree)
            contrast, margins = contrast_loss(logprobs, tree, **weights(args))
            likelihood = -logprobs[: tree.trunk - tree.prompt].mean()
            ((likelihood + args.contrast * contrast) / len(chosen)).backward()
            tokens += len(tree.ids)
            figures["disc_loss"] += contrast.item() / len(chosen)
            figures["likelihood"] += likelihood.item() / len(chosen)
            figures["disc_acc"] += (margins > 0).float().mean().item() / len(chosen)
        norm = optimizer.step()
        line = {"step": step, "norm": round(norm, 3), "tokens": tokens, **{k: round(v, 4) for k, v in figures.items()}}
        progress.set_postfix({k: line[k] for k in ("disc_loss", "likelihood", "disc_acc")})
        with (out / "metrics.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")
        if time.monotonic() - last_saved > args.save_minutes * 60:
            last_saved = time.monotonic()
            save(model, args, out)
            save_checkpoint(out / "checkpoint", optimizer.tensors(), {"step": step + 1, "tokens": tokens})
    save(model, args, out)
    save_checkpoint(out / "checkpoint", optimizer.tensors(), {"step": steps, "tokens": tokens})
    figures = {
        "steps": steps,
        "trees": len(trees),
        "tokens": tokens,
        "seed": args.seed,
        "minutes": round((time.monotonic() - started) / 60, 1),
        "held_out_before": before,
        "held_out_after": evaluate(model, held_out, args),
        "critic": str(out / "critic"),
    }
    print_figures(figures)


def grow_trees(tokenizer, args, rng: random.Random) -> list[Tree]:
    """One tree per demonstration that has a counterfactual, in random order."""
    rollouts = load_rollouts(Path(args.rollouts)) if args.rollouts else {}
    demonstrations = load_gsm8k(args.demonstrations)[: args.limit]
    if args.only_with_rollouts:
        demonstrations = [d for d in demonstrations if d.question in rollouts]
    found = []
    for d in demonstrations:
        grown = branches(d.question, d.solution, rollouts.get(d.question, []), args.edits_per_step, rng)
        if tree := grow(tokenizer, d.question, d.solution, grown, args.max_tokens):
            found.append(tree)
    if not found:
        raise SystemExit("no demonstration has a counterfactual: check --demonstrations, --rollouts, --edits-per-step")
    rng.shuffle(found)
    return found


def weights(args) -> dict[str, float]:
    return {"number_weight": args.number_weight, "word_weight": args.word_weight, "beta": args.beta}


@torch.no_grad()
def evaluate(model, trees: list[Tree], args) -> dict[str, float]:
    """Share of held-out pairs in which the expert's step is preferred, and the loss."""
    model.eval()
    found = [contrast_loss(tree_logprobs(model, tree), tree, **weights(args)) for tree in trees]
    model.train()
    margins = torch.cat([m for _, m in found])
    loss = sum(loss.item() for loss, _ in found) / len(found)
    return {"pairs": len(margins), "accuracy": round((margins > 0).float().mean().item(), 4), "loss": round(loss, 4)}


def save(model, args, out: Path) -> None:
    """The critic's folder: adapter and card. Its calibration is made by `train.calibrate`."""
    save_adapter(model, out / "critic")
    card = CriticCard(
        name=args.name,
        backbone=args.backbone,
        number_weight=args.number_weight,
        word_weight=args.word_weight,
        number_baseline=args.number_baseline,
    )
    (out / "critic" / "critic.json").write_text(card.model_dump_json(indent=1) + "\n")


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.airl", description=__doc__)
    parser.add_argument("--out", default="runs/airl", help="folder for the critic, checkpoints and metrics")
    parser.add_argument("--name", default="contrast", help="the critic's name")
    parser.add_argument("--backbone", default="embedded", help="'embedded', a folder, or a hub name")
    parser.add_argument("--init", default="assets/checkpoints/policy", help="adapter to start from: the policy's")
    parser.add_argument("--demonstrations", default=HUB_NAME, help="GSM8K train as JSON lines, or its hub name")
    parser.add_argument("--limit", type=int, help="use only the first so many demonstrations")
    parser.add_argument("--rollouts", help="samples of the policy on them, from train.sample; none: edits alone")
    parser.add_argument("--only-with-rollouts", action="store_true", help="leave out demonstrations without samples")
    parser.add_argument("--edits-per-step", type=int, default=2, help="counterfactual edits of each step")
    parser.add_argument("--max-tokens", type=int, default=420, help="tokens of one tree, branches included")
    parser.add_argument("--held-out", type=int, default=60, help="trees kept for the figures")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch-trees", type=int, default=8, help="trees per optimiser step")
    parser.add_argument("--rank", type=int, default=16, help="LoRA rank, as the adapter's in --init")
    parser.add_argument("--lr", type=float, default=2e-4, help="peak learning rate")
    parser.add_argument("--contrast", type=float, default=1.0, help="weight of the contrast beside the likelihood")
    parser.add_argument("--beta", type=float, default=0.5, help="inverse temperature of a pair's margin (1/nats)")
    parser.add_argument("--number-weight", type=float, default=1.0, help="weight of tokens that hold a digit")
    parser.add_argument("--word-weight", type=float, default=0.3, help="weight of all other tokens")
    parser.add_argument("--number-baseline", type=float, default=0.2, help="nats that a number token starts from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save-minutes", type=float, default=5, help="minutes between checkpoints")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    return parser


if __name__ == "__main__":
    main()
