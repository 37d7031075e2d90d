"""Warm up the critic on contrast trees, before adversarial IRL or in place of it.

    python -m train.warmup --config train/configs/warmup.yaml

The reward is ρ_t = w_t log π_φ(y_t), with φ starting at the fine-tuned policy. Each expert solution is set against
counterfactual edits of its steps and against the steps at which samples of the policy leave it, every pair under the
same prefix. Only demonstrations are used: no outcome label, no step label. Ctrl-C keeps
everything, and a stopped or killed run goes on with `--resume`.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

import torch
from peft import PeftModel
from transformers import PreTrainedTokenizerBase

from irl_core.critic.card import CriticCard
from irl_core.learning.common.lora import load_adapter_weights, new_adapter, save_adapter
from irl_core.learning.common.optimiser import MasterWeights, batches_by_length
from irl_core.learning.common.run import TrainingRun
from irl_core.learning.data.contrast_trees import Tree, contrast_loss, forest_logprobs, grow
from irl_core.learning.data.demonstrations import load_gsm8k
from irl_core.learning.data.step_alternatives import alternatives, load_rollouts
from irl_core.models.backbones import load_tokenizer, resolve_backbone
from irl_core.models.devices import native_device
from irl_core.models.pairs import SMALL

from .cli import add_training_options, parse_args, print_figures


def main(argv: Sequence[str] | None = None) -> None:
    parser = build_parser()
    args = parse_args(parser, argv)
    out = Path(args.out)
    backbone = resolve_backbone(args.backbone)
    tokenizer = load_tokenizer(backbone)
    rng = random.Random(args.seed)
    trees = grow_trees(tokenizer, args, rng)
    held_out, trees = trees[: args.held_out], trees[args.held_out :]
    model = new_adapter(backbone, rank=args.rank, seed=args.seed).to(native_device())
    load_adapter_weights(model, Path(args.init))

    lengths = [len(tree.ids) for tree in trees]
    batches = [b for _ in range(args.epochs) for b in batches_by_length(lengths, args.batch_tokens, rng)]

    def update(step: int) -> dict[str, float]:
        return learn(model, [trees[i] for i in batches[step]], args)

    run = TrainingRun(
        out,
        MasterWeights(model.parameters(), lr=args.lr, steps=len(batches)),
        steps=len(batches),
        save=lambda: save(model, args, out),
        save_minutes=args.save_minutes,
    )
    if args.resume:
        try:
            run.resume()
        except ValueError as problem:
            parser.error(str(problem))
    before = None if run.done else evaluate(model, held_out, args)
    run.go(update)
    print_figures(
        {
            **run.figures(),
            "trees": len(trees),
            "seed": args.seed,
            "held_out_before": before,
            "held_out_after": evaluate(model, held_out, args),
            "critic": str(out / "critic"),
        }
    )


def learn(model: torch.nn.Module, trees: list[Tree], args: argparse.Namespace) -> dict[str, float]:
    """Forward and backward over some trees; means over them of the losses and of the pairs that are won."""
    forest = list(zip(trees, forest_logprobs(model, trees), strict=True))
    contrasts, margins = zip(
        *(contrast_loss(logprobs, tree, **weights(args)) for tree, logprobs in forest), strict=True
    )
    likelihoods = [-logprobs[: tree.trunk - tree.prompt].mean() for tree, logprobs in forest]
    contrast, likelihood = torch.stack(contrasts).mean(), torch.stack(likelihoods).mean()
    torch.autograd.backward(likelihood + args.contrast * contrast)
    return {
        "disc_loss": contrast.item(),
        "likelihood": likelihood.item(),
        "disc_pair_acc": (torch.cat(margins) > 0).float().mean().item(),
        "tokens": sum(len(tree.ids) for tree in trees),
    }


def grow_trees(tokenizer: PreTrainedTokenizerBase, args: argparse.Namespace, rng: random.Random) -> list[Tree]:
    """One tree per demonstration that has a counterfactual, in random order."""
    rollouts = load_rollouts(Path(args.rollouts)) if args.rollouts else {}
    demonstrations = load_gsm8k(args.demonstrations)[: args.limit]
    if args.only_with_rollouts:
        demonstrations = [d for d in demonstrations if d.question in rollouts]
    trees = []
    for d in demonstrations:
        grown = alternatives(d.question, d.solution, rollouts.get(d.question, []), args.edits_per_step, rng)
        if tree := grow(tokenizer, d.question, d.solution, grown, args.max_tokens):
            trees.append(tree)
    if not trees:
        raise SystemExit("no demonstration has a counterfactual: check --demonstrations, --rollouts, --edits-per-step")
    rng.shuffle(trees)
    return trees


def weights(args: argparse.Namespace) -> dict[str, float]:
    return {"number_weight": args.number_weight, "word_weight": args.word_weight, "beta": args.beta}


@torch.no_grad()
def evaluate(model: torch.nn.Module, trees: list[Tree], args: argparse.Namespace) -> dict[str, float]:
    """Share of held-out pairs in which the expert's step is preferred, and the loss."""
    model.eval()
    contrasts = [contrast_loss(forest_logprobs(model, [tree])[0], tree, **weights(args)) for tree in trees]
    model.train()
    margins = torch.cat([m for _, m in contrasts])
    loss = sum(loss.item() for loss, _ in contrasts) / len(contrasts)
    return {"pairs": len(margins), "accuracy": round((margins > 0).float().mean().item(), 4), "loss": round(loss, 4)}


def save(model: PeftModel, args: argparse.Namespace, out: Path) -> None:
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
    parser = argparse.ArgumentParser(prog="python -m train.warmup", description=__doc__)
    add_training_options(parser, out="runs/warmup", lr=2e-4)
    parser.add_argument("--name", default="contrast", help="the critic's name")
    parser.add_argument("--init", default=SMALL.adapter, help="adapter to start from: the small policy's")
    parser.add_argument("--limit", type=int, help="use only the first so many demonstrations")
    parser.add_argument("--rollouts", help="samples of the policy on them, from train.sample; none: edits alone")
    parser.add_argument("--only-with-rollouts", action="store_true", help="leave out demonstrations without samples")
    parser.add_argument("--edits-per-step", type=int, default=2, help="counterfactual edits of each step")
    parser.add_argument("--max-tokens", type=int, default=420, help="tokens of one tree, alternatives included")
    parser.add_argument("--held-out", type=int, default=60, help="trees kept for the figures")
    parser.add_argument("--batch-tokens", type=int, default=1536, help="padded tokens per optimiser step")
    parser.add_argument("--contrast", type=float, default=1.0, help="weight of the contrast beside the likelihood")
    parser.add_argument("--beta", type=float, default=0.5, help="inverse temperature of a pair's margin (1/nats)")
    parser.add_argument("--number-weight", type=float, default=1.0, help="weight of tokens that hold a digit")
    parser.add_argument("--word-weight", type=float, default=0.3, help="weight of all other tokens")
    parser.add_argument("--number-baseline", type=float, default=0.2, help="nats that a number token starts from")
    return parser


if __name__ == "__main__":
    main()
