"""Supervised fine-tuning: teach the policy to write expert solutions.

    python -m train.sft --config train/configs/sft/small-1-first.yaml --out runs/sft

A LoRA adapter on the backbone learns log π(solution | question) from GSM8K's training solutions, generated word
problems and arithmetic drills. Ctrl-C keeps everything, and a stopped or killed run goes on with `--resume`.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import PreTrainedTokenizerBase

from irl_core.learning.common.encoding import ROUND_TO, collated, completion_logprobs, encode
from irl_core.learning.common.lora import load_adapter_weights, new_adapter, save_adapter
from irl_core.learning.common.optimiser import MasterWeights, batches_by_length
from irl_core.learning.common.run import TrainingRun
from irl_core.learning.data.demonstrations import Demonstration, Mixture, held_out_stories, load_gsm8k, load_mixture
from irl_core.models.backbones import load_tokenizer, resolve_backbone
from irl_core.models.devices import native_device

from .cli import add_training_options, parse_args, print_figures


def main(argv: Sequence[str] | None = None) -> None:
    parser = build_parser()
    args = parse_args(parser, argv)
    backbone = resolve_backbone(args.backbone)
    tokenizer = load_tokenizer(backbone)
    model = new_adapter(backbone, rank=args.rank, seed=args.seed).to(native_device())
    if args.init:
        load_adapter_weights(model, Path(args.init))

    examples = [encode(tokenizer, d.question, d.solution) for d in load_mixture(mixture_of(args))]
    examples = [e for e in examples if len(e) <= args.max_length]
    rng = random.Random(args.seed)
    lengths = [len(e) for e in examples]
    batches = [b for _ in range(args.epochs) for b in batches_by_length(lengths, args.batch_tokens, rng)]
    batches = batches[: args.max_steps]

    def update(step: int) -> dict[str, float]:
        rows = [examples[i] for i in batches[step]]
        ids, attention, completion = collated(rows, tokenizer.pad_token_id, model.device, round_to=ROUND_TO)
        loss = -completion_logprobs(model, ids, attention, completion).mean()
        torch.autograd.backward(loss)
        return {"loss": loss.item(), "tokens": int(attention.sum())}

    adapter = Path(args.out) / "adapter"
    run = TrainingRun(
        Path(args.out),
        MasterWeights(model.parameters(), lr=args.lr, steps=len(batches)),
        steps=len(batches),
        save=lambda: save_adapter(model, adapter),
        save_minutes=args.save_minutes,
    )
    if args.resume:
        try:
            run.resume()
        except ValueError as problem:
            parser.error(str(problem))
    run.go(update)
    held_out = {name: round(_loss(model, tokenizer, demos), 4) for name, demos in validation(args).items()}
    print_figures(
        {
            **run.figures(),
            "examples": len(examples),
            "seed": args.seed,
            "held_out_nats_per_token": held_out,
            "adapter": str(adapter),
        }
    )


def mixture_of(args: argparse.Namespace) -> Mixture:
    """What the options ask to train on."""
    return Mixture(
        gsm8k=args.demonstrations,
        gsm8k_skip=args.gsm8k_skip,
        gsm8k_limit=args.gsm8k_limit,
        stories=args.stories,
        drills=args.drills,
        written_out=args.written_out,
        seed=args.seed,
    )


def validation(args: argparse.Namespace) -> dict[str, list[Demonstration]]:
    """Problems of unseen stories, and GSM8K's last twentieth where it is trained on."""
    held_out = {"story": list(held_out_stories(200))}
    if args.demonstrations and (last := load_gsm8k(args.demonstrations, split="held_out")[:100]):
        held_out["gsm8k"] = last
    return held_out


@torch.no_grad()
def _loss(model: torch.nn.Module, tokenizer: PreTrainedTokenizerBase, demonstrations: list[Demonstration]) -> float:
    """Mean negative log-likelihood per completion token, in nats."""
    model.eval()
    total, count = 0.0, 0
    for d in demonstrations:
        row = encode(tokenizer, d.question, d.solution)
        logprobs = completion_logprobs(model, *collated([row], 0, next(model.parameters()).device))
        total, count = total - logprobs.sum().item(), count + len(logprobs)
    return total / count


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.sft", description=__doc__)
    add_training_options(parser, out="runs/sft", lr=8e-4)
    parser.add_argument("--init", help="adapter folder to start from")
    parser.add_argument("--gsm8k-skip", type=int, default=0, help="leave out the first so many of them")
    parser.add_argument("--gsm8k-limit", type=int, help="then use at most so many of them")
    parser.add_argument("--stories", type=int, default=14_000, help="generated word problems")
    parser.add_argument("--drills", type=int, default=8_000, help="generated arithmetic drills")
    parser.add_argument(
        "--written-out", type=float, default=0.0, help="share of examples with hard arithmetic written out in a chain"
    )
    parser.add_argument("--max-steps", type=int, help="make at most so many updates, of the epochs' many")
    parser.add_argument("--max-length", type=int, default=256, help="leave out longer examples (tokens)")
    parser.add_argument("--batch-tokens", type=int, default=2048, help="padded tokens per step")
    return parser


if __name__ == "__main__":
    main()
