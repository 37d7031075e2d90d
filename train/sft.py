"""Supervised fine-tuning: teach the policy to write expert solutions.

    python -m train.sft --config train/configs/sft.yaml --out runs/sft

A LoRA adapter on the backbone learns log π(solution | question) from GSM8K's training solutions, generated word
problems and arithmetic drills. A killed run goes on with `--resume`.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

import torch
from tqdm import tqdm

from irl_core.backbones import load_tokenizer, resolve_backbone
from irl_core.learning.adapters import load_adapter_weights, new_adapter, save_adapter
from irl_core.learning.demonstrations import (
    HUB_NAME,
    Mixture,
    collate,
    completion_logprobs,
    encode,
    held_out_stories,
    load_gsm8k,
    load_mixture,
)
from irl_core.learning.loop import MasterWeights, batches_by_length, load_checkpoint, save_checkpoint
from train.cli import parse_args, print_figures


def main(argv: list[str] | None = None) -> None:
    args = parse_args(build_parser(), argv)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    backbone = resolve_backbone(args.backbone)
    tokenizer = load_tokenizer(backbone)
    model = new_adapter(backbone, rank=args.rank, seed=args.seed)
    if args.init:
        load_adapter_weights(model, Path(args.init))

    mixture = Mixture(
        gsm8k=args.demonstrations,
        gsm8k_skip=args.gsm8k_skip,
        gsm8k_limit=args.gsm8k_limit,
        stories=args.stories,
        drills=args.drills,
        written_out=args.written_out,
        seed=args.seed,
    )
    examples = [encode(tokenizer, d.question, d.solution) for d in load_mixture(mixture)]
    examples = [e for e in examples if len(e) <= args.max_length]
    rng = random.Random(args.seed)
    lengths = [len(e) for e in examples]
    batches = [b for _ in range(args.epochs) for b in batches_by_length(lengths, args.batch_tokens, rng)]
    optimizer = MasterWeights(model.parameters(), lr=args.lr, steps=len(batches))
    first, tokens = 0, 0
    if args.resume and (found := load_checkpoint(out / "checkpoint")):
        tensors, state = found
        first, tokens = state["step"], state["tokens"]
        optimizer.load_tensors(tensors, first)

    started = last_saved = time.monotonic()
    progress = tqdm(range(first, len(batches)), initial=first, total=len(batches), unit="step", mininterval=5)
    smoothed = None
    for step in progress:
        ids, attention, completion = collate([examples[i] for i in batches[step]], tokenizer.pad_token_id)
        loss = -completion_logprobs(model, ids, attention, completion).mean()
        loss.backward()
        norm = optimizer.step()
        tokens += int(attention.sum())
        smoothed = loss.item() if smoothed is None else 0.98 * smoothed + 0.02 * loss.item()
        progress.set_postfix(loss=f"{smoothed:.3f}", norm=f"{norm:.2f}", tokens=tokens)
        with (out / "metrics.jsonl").open("a") as log:
            log.write(
                json.dumps({"step": step, "loss": round(loss.item(), 4), "norm": round(norm, 3), "tokens": tokens})
                + "\n"
            )
        if time.monotonic() - last_saved > args.save_minutes * 60:
            last_saved = time.monotonic()
            save_checkpoint(out / "checkpoint", optimizer.tensors(), {"step": step + 1, "tokens": tokens})
            save_adapter(model, out / "adapter")
    save_adapter(model, out / "adapter")
    save_checkpoint(out / "checkpoint", optimizer.tensors(), {"step": len(batches), "tokens": tokens})

    validation = {"story": list(held_out_stories(200))}
    if args.demonstrations:
        validation["gsm8k"] = load_gsm8k(args.demonstrations, split="held_out")[:100]
    held_out = {name: round(_loss(model, tokenizer, demos), 4) for name, demos in validation.items()}
    minutes = (time.monotonic() - started) / 60
    figures = {
        "steps": len(batches),
        "examples": len(examples),
        "tokens": tokens,
        "minutes": round(minutes, 1),
        "seed": args.seed,
        "held_out_nats_per_token": held_out,
        "adapter": str(out / "adapter"),
    }
    print_figures(figures)


@torch.no_grad()
def _loss(model, tokenizer, demonstrations) -> float:
    """Mean negative log-likelihood per completion token, in nats."""
    model.eval()
    total, count = 0.0, 0
    for d in demonstrations:
        logprobs = completion_logprobs(model, *collate([encode(tokenizer, d.question, d.solution)], 0))
        total, count = total - logprobs.sum().item(), count + len(logprobs)
    return total / count


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.sft", description=__doc__)
    parser.add_argument("--out", default="runs/sft", help="folder for the adapter, checkpoints and metrics")
    parser.add_argument("--backbone", default="embedded", help="'embedded', a folder, or a hub name")
    parser.add_argument("--init", help="adapter folder to start from")
    parser.add_argument(
        "--demonstrations", default=HUB_NAME, help="GSM8K train as JSON lines, or its hub name; '' for none"
    )
    parser.add_argument("--gsm8k-skip", type=int, default=0, help="leave out the first so many of them")
    parser.add_argument("--gsm8k-limit", type=int, help="then use at most so many of them")
    parser.add_argument("--stories", type=int, default=14_000, help="generated word problems")
    parser.add_argument("--drills", type=int, default=8_000, help="generated arithmetic drills")
    parser.add_argument(
        "--written-out", type=float, default=0.0, help="share of examples with hard arithmetic written out in a chain"
    )
    parser.add_argument("--max-length", type=int, default=256, help="leave out longer examples (tokens)")
    parser.add_argument("--epochs", type=int, default=1, help="passes over the mixture")
    parser.add_argument("--batch-tokens", type=int, default=2048, help="padded tokens per step")
    parser.add_argument("--rank", type=int, default=16, help="LoRA rank")
    parser.add_argument("--lr", type=float, default=8e-4, help="peak learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save-minutes", type=float, default=5, help="minutes between checkpoints")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    return parser


if __name__ == "__main__":
    main()
