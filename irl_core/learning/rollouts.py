"""Rollouts for training on a CPU: drawn by OpenVINO from the policy's weights as they were a few steps ago."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from irl_core.backbones import Backbone
from irl_core.gguf_export import load_merged, write_gguf
from irl_core.learning.adapters import save_adapter
from irl_core.prompts import end_id, prompt_ids
from irl_core.sampling import Drawn, Sampling


class OpenVINORollouts:
    """A `rollout_func` for TRL, several times as fast as `generate` on a CPU.

    Every `refresh_every` steps, and at the first call, the LoRA adapter is merged into the backbone and packed anew.
    In between the rollouts are a little older than the policy, and always 8-bit: they come with the log-probabilities
    they were drawn with, and `PolicyTrainer` puts these into the importance ratio.

    Args:
        backbone: one that brings a GGUF file, such as `embedded`; the trained model is an adapter on it.
        seed: of the rollouts; with the step and the question it settles them.

    Raises:
        ValueError: on a call, if the sampling is not plain (temperature and top_p 1), for which the log-probabilities
            would be those of another distribution.
    """

    def __init__(self, backbone: Backbone, *, refresh_every: int = 4, seed: int = 0) -> None:
        if refresh_every < 1:
            raise ValueError(f"refresh_every is {refresh_every}; it must be at least 1")
        self.backbone, self.refresh_every, self.seed = backbone, refresh_every, seed
        self._policy = None
        self._made_at = -1

    def __call__(self, prompts: Sequence[str], trainer: Any) -> dict[str, list]:
        """One rollout for each entry of `prompts`, in which the G copies of a question stand next to each other."""
        args, step = trainer.args, trainer.state.global_step
        if (args.temperature, args.top_p) != (1.0, 1.0):
            raise ValueError("rollouts from OpenVINO need temperature 1 and top_p 1: set both so, or rollouts to trl")
        if self._policy is None or step - self._made_at >= self.refresh_every:
            self._refresh(trainer.accelerator.unwrap_model(trainer.model))
            self._made_at = step
        n = trainer.num_generations if trainer.model.training else trainer.num_generations_eval
        how = Sampling(n, 1.0, 1.0, self.seed + step, args.max_completion_length)
        drawn = sorted(self._policy.draw_many(prompts[::n], how), key=lambda d: (d.request, d.index))
        end = end_id(trainer.processing_class)
        completions, logprobs = zip(*(_with_end(d, end) for d in drawn), strict=True)
        return {
            "prompt_ids": [prompt_ids(trainer.processing_class, question) for question in prompts],
            "completion_ids": list(completions),
            "logprobs": list(logprobs),
        }

    def _refresh(self, model) -> None:
        from irl_core.sampling_openvino import OpenVINOPolicy

        self._policy = None  # its memory goes before the next one's comes
        with tempfile.TemporaryDirectory() as scratch:
            adapter, packed = Path(scratch) / "adapter", Path(scratch) / "policy.gguf"
            save_adapter(model, adapter)
            write_gguf(load_merged(self.backbone, adapter), self.backbone.gguf, packed, "Q8_0")
            self._policy = OpenVINOPolicy("rollouts", self.backbone, packed=packed)


def _with_end(drawn: Drawn, end: int) -> tuple[list[int], list[float]]:
    """Ids and log-probabilities with the end token's, where the rollout ended by itself."""
    if drawn.stopped != "end":
        return list(drawn.token_ids), list(drawn.logprobs)
    return [*drawn.token_ids, end], [*drawn.logprobs, drawn.end_logprob]
