"""Write a critic as plain checkpoints that transformers, vLLM and the hub know, with no code of ours.

  python -m train.export --critic FOLDER --out exported [--push owner/name]
  python -m train.export --space FOLDER [--name owner/name]

A critic with a head becomes exported/token-classification: `...ForTokenClassification` with one label, exactly the
critic's values. A critic of log-probabilities becomes exported/causal, exactly the language model whose
log-probabilities its rewards are made of, and exported/token-classification: the same body under a linear head that
was fitted by ridge regression to say the rewards. How well it says them is measured on held-out problems, printed,
and put in its model card. What was written is loaded again by plain transformers and compared before the command ends.

--push NAME writes the token classifier to the hub as NAME and the language model as NAME-causal; the token comes from
the environment (HF_TOKEN) or `hf auth login`.

--space writes no checkpoint but the folder that becomes a Space: the page, the library, the assets with all adapters,
and nothing else; the last lines say how to upload it. --name is what the Space is to be called.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, cast

import torch
from tqdm import tqdm
from transformers import PreTrainedModel

from irl_core.critic.model import Critic
from irl_core.export.distilled_head import LinearHead, agreement, fit_head, token_states
from irl_core.export.model_card import causal_card, classifier_card
from irl_core.export.plain_checkpoints import token_classifier
from irl_core.export.space import PLACEHOLDER, write_space
from irl_core.export.verified import save_verified
from irl_core.learning.data.demonstrations import HUB_NAME, load_gsm8k
from irl_core.learning.data.edited_solutions import edited_solutions
from irl_core.loading import load_critic

from .cli import parse_args, print_figures

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def main(argv: Sequence[str] | None = None) -> None:
    parser = build_parser()
    args = parse_args(parser, argv)
    if args.space:
        print_figures(space(parser, args))
        return
    if not args.out:
        parser.error("say where to write: --out FOLDER for checkpoints, or --space FOLDER for a Space")
    if args.push:
        require_token(parser)
    critic = load_critic(args.critic, dtype=torch.float32)
    figures: dict[str, Any] = {"critic": critic.name, "sha256": critic.sha256, "form": critic.card.form}
    model = cast(PreTrainedModel, critic.model)
    classifier, causal, dtype = args.out / "token-classification", args.out / "causal", DTYPES[args.dtype]
    try:
        if critic.card.form == "head":
            figures["token_classification"] = save_verified(critic, model, classifier, dtype)
            card = classifier_card(critic, None)
        else:
            head, figures["distilled"] = distil(critic, args)
            figures["token_classification"] = save_verified(critic, token_classifier(model, head), classifier, dtype)
            figures["causal"] = save_verified(critic, model, causal, dtype)
            (causal / "README.md").write_text(causal_card(critic), encoding="utf-8")
            card = classifier_card(critic, figures["distilled"])
    except ValueError as problem:
        raise SystemExit(f"error: {problem}") from problem
    (classifier / "README.md").write_text(card, encoding="utf-8")
    if args.push:
        figures["pushed"] = [push(parser, folder, name) for folder, name in targets(args)]
    print_figures(figures)


def space(parser: argparse.ArgumentParser, args: argparse.Namespace) -> dict[str, Any]:
    """Write a Space and say how it is uploaded; what was written."""
    try:
        written = write_space(Path(__file__).resolve().parents[1], args.space, args.name)
    except (OSError, ValueError) as problem:
        parser.error(f"--space: {problem}")
    print(f"upload it with: {written.upload}", file=sys.stderr)
    return {"space": str(written.folder), "files": written.files, "bytes": written.bytes, "upload": written.upload}


def distil(critic: Critic, args: argparse.Namespace) -> tuple[LinearHead, dict[str, Any]]:
    """A head fitted on GSM8K train and generated problems with their edits, and how well it does on held-out ones."""
    rng = random.Random(args.seed)
    pairs: dict[str, list[Any]] = {}
    sizes: dict[Literal["train", "held_out"], int] = {"train": args.n, "held_out": max(2, args.n // 4)}
    for split, n in sizes.items():
        demonstrations = load_gsm8k(args.demonstrations, split=split) if args.demonstrations else []
        edited = list(edited_solutions(demonstrations, n, split, rng))
        pairs[split] = [
            token_states(critic, one.question, (one.right, one.wrong))
            for one in tqdm(edited, desc=f"reading {split}", unit="pair")
        ]
    head = fit_head([trace for pair in pairs["train"] for trace in pair])
    return head, {
        **agreement(head, pairs["held_out"]),
        "fitted_on_pairs": len(pairs["train"]),
        "penalty": head.penalty,
    }


def targets(args: argparse.Namespace) -> list[tuple[Path, str]]:
    """The folders that were written and the repositories they go to."""
    both = [("token-classification", args.push), ("causal", f"{args.push}-causal")]
    return [(args.out / folder, name) for folder, name in both if (args.out / folder / "README.md").exists()]


def require_token(parser: argparse.ArgumentParser) -> None:
    """Find out before the work, not after, that nobody is logged in."""
    from huggingface_hub import get_token

    if get_token() is None:
        parser.error("--push needs a token of the hub that may write: set HF_TOKEN, or run `hf auth login`")


def push(parser: argparse.ArgumentParser, folder: Path, name: str) -> str:
    """Upload one folder; the address of its page."""
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        page = api.create_repo(name, exist_ok=True)
        api.upload_folder(repo_id=name, folder_path=folder, commit_message="Exported by Errata")
    except Exception as problem:  # whatever it is, hours of work lie on this disk and the user has to know where
        parser.error(f"{folder} is written, but the hub did not take it as {name}: {problem}")
    return str(page)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.export", description=__doc__)
    parser.add_argument("--critic", help="a critic's folder or name; without it the shipped one")
    parser.add_argument("--out", type=Path, help="folder for the checkpoints")
    parser.add_argument("--space", type=Path, metavar="FOLDER", help="write a Space into this new folder instead")
    parser.add_argument(
        "--name", default=PLACEHOLDER, metavar="NAME", help="what the Space is to be called on the hub"
    )
    parser.add_argument("--dtype", choices=DTYPES, default="float32", help="of the stored weights")
    parser.add_argument(
        "--demonstrations", default=HUB_NAME, help="to fit the head on: GSM8K train as JSON lines, its hub name, or ''"
    )
    parser.add_argument("--n", type=int, default=150, help="demonstrations to fit on, and as many generated problems")
    parser.add_argument("--seed", type=int, default=0, help="of their choice and of the edits")
    parser.add_argument("--push", metavar="NAME", help="also to the hub, as owner/name")
    return parser


if __name__ == "__main__":
    main()
