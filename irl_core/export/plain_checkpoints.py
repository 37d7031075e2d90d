"""A critic as plain transformers checkpoints: what any engine loads with no code of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

import torch
from transformers import AutoConfig, AutoModelForTokenClassification, PretrainedConfig, PreTrainedModel

from irl_core.critic.model import Critic
from irl_core.export.distilled_head import LinearHead

Output = Literal["value", "reward"]
"""What the head says after a token: the running value V_t, whose differences are rewards, or the reward itself."""


def token_classifier(causal: PreTrainedModel, head: LinearHead) -> PreTrainedModel:
    """The body of a causal language model under a linear head with one label."""
    config = _as_regression(AutoConfig.for_model(**causal.config.to_dict()), "reward")
    model = cast("PreTrainedModel", AutoModelForTokenClassification.from_config(config, dtype=torch.float32))
    model.base_model.load_state_dict(causal.base_model.state_dict())
    score = cast("torch.nn.Linear", model.score)
    with torch.no_grad():
        score.weight.copy_(torch.from_numpy(head.weight)[None])
        score.bias.fill_(head.bias)
    model.eval()
    return model


def save_plain(critic: Critic, model: PreTrainedModel, folder: Path, dtype: torch.dtype) -> None:
    """Write model and tokenizer; a classifier says in its config that it is one of a single regressed label."""
    if hasattr(model, "score"):
        _as_regression(model.config, getattr(model.config, "errata_output", "value"))
    folder.mkdir(parents=True, exist_ok=True)
    # A backbone that was read from a packed file would otherwise ask for its packing.
    vars(model).pop("hf_quantizer", None)
    torch.nn.Module.to(model, dtype)
    model.save_pretrained(folder)
    critic.tokenizer.save_pretrained(folder)


def _as_regression(config: PretrainedConfig, output: Output) -> PretrainedConfig:
    config.num_labels = 1
    label: str = output
    config.id2label, config.label2id = {0: label}, {label: 0}
    config.problem_type = "regression"
    config.classifier_dropout = 0.0
    config.errata_output = output
    return config


@torch.inference_mode()
def outputs_of(model: PreTrainedModel, ids: list[int]) -> torch.Tensor:
    """What a plain model says of one sequence of T tokens: a classifier's label after each, (T,); else log p of each
    token given those before it in nats, (T - 1,)."""
    given = torch.tensor([ids], device=model.device)
    logits = model(input_ids=given).logits[0].float()
    if logits.shape[-1] == 1:
        labels: torch.Tensor = logits[:, 0]
        return labels
    logprobs: torch.Tensor = torch.log_softmax(logits[:-1], -1).gather(1, given[0, 1:, None])[:, 0]
    return logprobs
