"""Rollouts for training, drawn by an engine of ours from the policy's weights as they are or a few steps ago were."""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from irl_core.learning.common.lora import merge_into, save_adapter
from irl_core.models.backbones import Backbone, load_causal_lm, load_config
from irl_core.models.devices import native_dtype
from irl_core.models.gguf import write_gguf
from irl_core.models.merging import merged_weights
from irl_core.models.prompts import prompt_ids
from irl_core.models.solution_tokens import end_id
from irl_core.policy.base import TokenPolicy
from irl_core.policy.sampling import Drawn, Sampling


class Rollouts(ABC):
    """A `rollout_func` for TRL. Every `refresh_every` steps, and at the first call, the adapter is merged anew.

    What draws is rounded otherwise than what is trained, and may be a little older: rollouts come with the
    log-probabilities they were drawn with, and `PolicyTrainer` puts these into the importance ratio.

    Args:
        backbone: the trained model is an adapter on it.
        seed: of the rollouts; with the step and the question it settles them.

    Raises:
        ValueError: on a call, if the sampling is not plain (temperature and top_p 1), for which the log-probabilities
            would be those of another distribution.
    """

    def __init__(self, backbone: Backbone, *, refresh_every: int = 4, seed: int = 0) -> None:
        if refresh_every < 1:
            raise ValueError(f"refresh_every is {refresh_every}; it must be at least 1")
        self.backbone, self.refresh_every, self.seed = backbone, refresh_every, seed
        self._policy: TokenPolicy | None = None
        self._made_at = -1

    @abstractmethod
    def _refresh(self, model: Any, trainer: Any) -> None:
        """Let `_policy` draw from what `model` is now."""

    def _drawing(self) -> TokenPolicy:
        if self._policy is None:
            raise RuntimeError("no weights were given to draw from: `_refresh` has to make a policy")
        return self._policy

    def __call__(self, prompts: Sequence[str], trainer: Any) -> dict[str, list[Any]]:
        """One rollout for each entry of `prompts`, in which the G copies of a question stand next to each other."""
        args, step = trainer.args, trainer.state.global_step
        if (args.temperature, args.top_p) != (1.0, 1.0):
            raise ValueError("these rollouts need temperature 1 and top_p 1: set both so, or rollouts to trl")
        if self._policy is None or step - self._made_at >= self.refresh_every:
            self._refresh(trainer.accelerator.unwrap_model(trainer.model), trainer)
            self._made_at = step
        n = trainer.num_generations if trainer.model.training else trainer.num_generations_eval
        sampling = Sampling(n, 1.0, 1.0, self.seed + step, args.max_completion_length)
        drawn = sorted(self._drawing().draw_many(prompts[::n], sampling), key=lambda d: (d.request, d.index))
        end = end_id(trainer.processing_class)
        completions, logprobs = zip(*(_with_end(d, end) for d in drawn), strict=True)
        return {
            "prompt_ids": [prompt_ids(trainer.processing_class, question) for question in prompts],
            "completion_ids": list(completions),
            "logprobs": list(logprobs),
        }


class OpenVINORollouts(Rollouts):
    """Several times as fast as `generate` on a CPU, always 8-bit; the backbone must bring a GGUF file."""

    def _refresh(self, model: Any, trainer: Any) -> None:
        from irl_core.policy.openvino import OpenVINOPolicy

        self._policy = None  # its memory goes before the next one's comes
        with tempfile.TemporaryDirectory() as scratch:
            adapter, packed = Path(scratch) / "adapter", Path(scratch) / "policy.gguf"
            save_adapter(model, adapter)
            gguf = self.backbone.gguf
            if gguf is None:
                raise ValueError(f"the backbone {self.backbone.name!r} brings no GGUF file: set rollouts to trl")
            weights = merged_weights(self.backbone, adapter)
            write_gguf(load_config(self.backbone), weights, gguf, packed, "Q8_0")
            self._policy = OpenVINOPolicy("rollouts", self.backbone, packed=packed)


class MergedRollouts(Rollouts):
    """For a GPU: all questions of a step side by side, from a copy of the model with the adapter merged into it.

    `generate` on the trained model itself computes every adapter beside its layer, which more than doubles what a step
    waits for.
    """

    def _refresh(self, model: Any, trainer: Any) -> None:
        if self._policy is None:
            from irl_core.policy.transformers import TransformersPolicy

            self._copy: Any = load_causal_lm(self.backbone, native_dtype()).to(trainer.accelerator.device)
            tokenizer, at_once = trainer.processing_class, trainer.args.generation_batch_size
            self._policy = TransformersPolicy("rollouts", None, self._copy, tokenizer, at_once=at_once)
        merge_into(self._copy, model)


def _with_end(drawn: Drawn, end: int) -> tuple[list[int], list[float]]:
    """Ids and log-probabilities with the end token's, where the rollout ended by itself."""
    if drawn.stopped != "end":
        return list(drawn.token_ids), list(drawn.logprobs)
    assert drawn.end_logprob is not None  # who ends a rollout tells how likely that was
    return [*drawn.token_ids, end], [*drawn.logprobs, drawn.end_logprob]
