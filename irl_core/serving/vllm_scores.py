"""Reads solutions with vLLM in this process."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from irl_core.critic.card import Form
from irl_core.serving.engine import engine_faults, start_engine

if TYPE_CHECKING:
    from irl_core.critic.prefix_reader import PromptAndCompletion


class VLLMScores:
    """A merged checkpoint on vLLM: a causal one, or with the form `head` one for token classification.

    Raises:
        ServerError: if vLLM does not start with it.
    """

    place = "vLLM"

    def __init__(self, checkpoint: Path, form: Form):
        from vllm.config import PoolerConfig

        head = {"runner": "pooling", "convert": "classify", "pooler_config": PoolerConfig(task="token_classify")}
        self._llm = start_engine(checkpoint, **(head if form == "head" else {}))
        self._busy = threading.Lock()
        self.context: int | None = self._llm.model_config.max_model_len

    def logprobs(self, rows: Sequence[PromptAndCompletion]) -> list[torch.Tensor]:
        from vllm import SamplingParams

        # vLLM cannot draw nothing; with 0 it tells the log-probability of each token of the prompt and no other.
        params = SamplingParams(temperature=0, max_tokens=1, prompt_logprobs=0, detokenize=False)
        with self._busy, engine_faults():
            outputs = self._llm.generate(_prompts(rows), params, use_tqdm=False)
        return [
            torch.tensor([known[i].logprob for i, known in zip(ids, out.prompt_logprobs[len(prompt) :], strict=True)])
            for (prompt, ids), out in zip(rows, outputs, strict=True)
        ]

    def values(self, rows: Sequence[PromptAndCompletion]) -> list[torch.Tensor]:
        from vllm import PoolingParams

        params = PoolingParams(use_activation=False)
        with self._busy, engine_faults():
            outputs = self._llm.encode(_prompts(rows), params, pooling_task="token_classify", use_tqdm=False)
        return [
            out.outputs.data.float().reshape(-1)[len(prompt) - 1 :]
            for (prompt, _), out in zip(rows, outputs, strict=True)
        ]


def _prompts(rows: Sequence[PromptAndCompletion]) -> list[dict[str, list[int]]]:
    return [{"prompt_token_ids": prompt + completion} for prompt, completion in rows]
