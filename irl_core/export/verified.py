"""A critic as a plain checkpoint that was loaded again and says the same."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TypedDict

import torch
from transformers import AutoModelForCausalLM, AutoModelForTokenClassification, PreTrainedModel

from irl_core.critic.model import Critic
from irl_core.critic.token_statistics import encode_items
from irl_core.export.plain_checkpoints import outputs_of, save_plain
from irl_core.text.traces import Trace

EXAMPLE = ("Tom has 3 boxes of 4 pens and buys 5 more. How many pens has he?", "3 * 4 = 12\n12 + 5 = 17\n#### 17")
TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 0.5}
"""The largest difference that the dtype of the stored weights explains, in the unit of the outputs (nats, logits)."""


class Verified(TypedDict):
    """What was written: its folder, the class that loads it, and the largest difference of its outputs."""

    folder: str
    architecture: str
    largest_difference: float


def save_verified(critic: Critic, model: PreTrainedModel, folder: Path, dtype: torch.dtype) -> Verified:
    """Write `model` with the critic's tokenizer, calibration and card; load it by transformers alone, and compare.

    Raises:
        ValueError: if what was written does not say what was meant.
    """
    encoded = encode_items(critic.tokenizer, [(EXAMPLE[0], Trace.from_text(EXAMPLE[1]))])[0]
    ids = encoded.prompt + encoded.completion
    # Scoring has left the critic's model with an attention of its own.
    model.set_attn_implementation("sdpa")
    meant = outputs_of(model, ids)
    save_plain(critic, model, folder, dtype)
    torch.nn.Module.float(model)
    if (critic.path / "calibration.json").exists():
        shutil.copy(critic.path / "calibration.json", folder)
    # An exact copy is a critic again, with its weights beside its card; a distilled one keeps the card of its origin.
    exact = getattr(model.config, "errata_output", "value") == "value"
    card = critic.card.model_copy(update={"backbone": ".", "adapter": None} if exact else {})
    (folder / "critic.json").write_text(card.model_dump_json(indent=1), encoding="utf-8")
    loader = AutoModelForTokenClassification if hasattr(model, "score") else AutoModelForCausalLM
    again = loader.from_pretrained(folder, use_safetensors=True, local_files_only=True, trust_remote_code=False).eval()
    difference = float((outputs_of(again.to(model.device), ids) - meant).abs().max())
    if difference > TOLERANCE[dtype]:
        raise ValueError(f"{folder} says something else than the critic: they differ by {difference:.4f}")
    return Verified(folder=str(folder), architecture=type(again).__name__, largest_difference=difference)
