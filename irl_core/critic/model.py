"""The dense reward model: loads, saves, scores traces.

A critic is a folder: `critic.json` (a `CriticCard`, which says how `rewards` are made of token statistics) and its
weights. The `calibration.json` beside them belongs to the diagnosis: `irl_core.loading` attaches it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch

from irl_core.critic.card import CriticCard
from irl_core.critic.engines.openvino import OpenVINOModel, can_use_openvino
from irl_core.critic.engines.reordered_linear import reorder_linear_layers
from irl_core.critic.prefix_reader import KVCacheEngine, PrefixReader
from irl_core.critic.rewards import score_trace
from irl_core.critic.token_statistics import (
    BATCH_TOKENS,
    GPU_BATCH_TOKENS,
    EncodedTrace,
    Head,
    Logprobs,
    TokenStatistics,
    by_head,
    causal_statistics,
    encode_items,
    head_statistics,
    scoring_batches,
)
from irl_core.critic.weights import (
    CriticError,
    ReferenceWeights,
    adapter_folder,
    critic_sha256,
    load_critic_model,
    reference_weights,
)
from irl_core.models.backbones import Backbone, load_tokenizer
from irl_core.models.devices import native_device, native_dtype
from irl_core.text.scores import TraceScore
from irl_core.text.traces import Trace

if TYPE_CHECKING:
    from transformers import PreTrainedModel

log = logging.getLogger(__name__)


class Critic:
    """A loaded critic. Scoring is deterministic and keeps no state between calls.

    Attributes:
        calibration: what the diagnosis of this critic's scores goes by, attached by `irl_core.loading`; the critic
            itself knows nothing of it.
        sha256: of backbone and adapter together, None where a server holds the weights.
    """

    def __init__(self, card: CriticCard, path: Path, backbone: Backbone, dtype: torch.dtype | None = None) -> None:
        self.card, self.path, self.backbone = card, path, backbone
        self.calibration: object | None = None
        self.name, self.supervision, self.weight_temperature = card.name, card.supervision, card.weight_temperature
        self.tokenizer = load_tokenizer(backbone)
        adapter = adapter_folder(card, path)
        reference = reference_weights(card, path, backbone)
        self.sha256: str | None = critic_sha256(backbone, adapter, reference)
        self._load_models(adapter, reference, dtype)

    def _load_models(
        self, adapter: Path | None, reference: ReferenceWeights | None, dtype: torch.dtype | None
    ) -> None:
        models = [(self.backbone, adapter)]
        if self.card.form == "log_ratio":
            models.append(reference or (self.backbone, None))
        if self.card.form != "head" and dtype is None and all(can_use_openvino(backbone) for backbone, _ in models):
            try:
                self._models: list[OpenVINOModel | PreTrainedModel] = [OpenVINOModel(*one) for one in models]
                return
            except ValueError as error:
                raise CriticError(f"the critic {self.card.name!r} cannot be loaded: {error}") from error
            except (ImportError, AttributeError, TypeError, RuntimeError) as error:  # another OpenVINO than we know
                log.warning("OpenVINO does not read the critic (%s): PyTorch does, slower", error)
        loaded = [load_critic_model(self.card, *one, dtype or native_dtype()) for one in models]
        for model in loaded:
            torch.nn.Module.to(model, native_device())
            reorder_linear_layers(model)
        self._models = [*loaded]

    @property
    def model(self) -> torch.nn.Module:
        """Backbone and adapter in one, in evaluation mode; a module of PyTorch where a dtype was asked for.

        Otherwise it may be OpenVINO's, or have `ReorderedLinear` layers, and can neither be trained nor saved.
        """
        return cast(torch.nn.Module, self._models[0])

    @property
    def device_name(self) -> str:
        """Where the arithmetic is done, for a person: "CPU" or "GPU"."""
        return "CPU" if self._models[0].device.type == "cpu" else "GPU"

    def score(self, question: str, traces: Sequence[Trace]) -> list[TraceScore]:
        """Scores of several traces of one problem, in order; errors as `score_many`."""
        return self.score_many([(question, trace) for trace in traces])

    def score_many(self, items: Sequence[tuple[str, Trace]]) -> list[TraceScore]:
        """Scores of (question, trace) pairs, in order; batched by length.

        Raises:
            DoesNotFit: if a question is longer than the critic reads.
            ValueError: if a trace has no text.
        """
        return [
            score_trace(self.card, question, trace, encoded, statistics)
            for (question, trace), (encoded, statistics) in zip(items, self.statistics(items), strict=True)
        ]

    def problem_scorer(self, question: str) -> ProblemScorer:
        """For traces of one problem that will be scored more than once, as they grow or are edited."""
        return ProblemScorer(self, question)

    @torch.inference_mode()
    def statistics(self, items: Sequence[tuple[str, Trace]]) -> list[tuple[EncodedTrace, TokenStatistics]]:
        """What the model says of each token, before any card makes rewards of it; errors as `score_many`."""
        encoded = encode_items(self.tokenizer, items)
        statistics: dict[int, TokenStatistics] = {}
        readers = self.readers()
        budget = BATCH_TOKENS if self.device_name == "CPU" else GPU_BATCH_TOKENS
        for batch in scoring_batches(encoded, budget):
            statistics |= zip(batch, self.read([encoded[i] for i in batch], readers), strict=True)
        return [(e, statistics[i]) for i, e in enumerate(encoded)]

    def readers(self) -> tuple[PrefixReader, ...]:
        """One per model that `read` asks, each without memories."""
        return tuple(PrefixReader(new_engine(model)) for model in self._models)

    @torch.inference_mode()
    def read(self, encoded: Sequence[EncodedTrace], readers: Sequence[PrefixReader]) -> list[TokenStatistics]:
        """What the models say of each token, in one pass; `readers` remember it for the next call."""
        rows = [(e.prompt, e.completion) for e in encoded]
        sequences = [reader.read(rows) for reader in readers]
        if self.card.form == "head":
            return head_statistics(cast(Head, self.model.score), sequences[0])
        by_model = [
            causal_statistics(logprobs_by(model), read) for model, read in zip(self._models, sequences, strict=True)
        ]
        if self.card.form != "log_ratio":
            return by_model[0]
        return [own._replace(reference=base.logprobs) for own, base in zip(*by_model, strict=True)]


def logprobs_by(model: OpenVINOModel | PreTrainedModel) -> Logprobs:
    """How the model's head is applied where the model is."""
    return model.logprobs if isinstance(model, OpenVINOModel) else by_head(cast(Head, model.lm_head))


def new_engine(model: OpenVINOModel | PreTrainedModel) -> KVCacheEngine:
    """The fastest for where the model is; it has read nothing yet."""
    if isinstance(model, OpenVINOModel):
        return model.engine()
    # Both bring the modelling half of transformers: seconds at the start, which OpenVINO does without.
    if model.device.type == "cpu":
        from irl_core.critic.engines.cpu import CPUKVCache

        return CPUKVCache(cast("PreTrainedModel", model.model))
    from irl_core.critic.engines.gpu import GPUKVCache

    return GPUKVCache(cast("PreTrainedModel", model.model))


class ProblemScorer:
    """Traces of one problem, scored again and again: what they share with those of the last call is not read anew.

    A trace that grew costs its new tokens; one that was edited costs the tokens from the edit on. Scores are those
    of `Critic.score` up to the rounding of the arithmetic. One thread at a time.
    """

    def __init__(self, critic: Critic, question: str) -> None:
        self.question = question
        self._critic, self._readers = critic, critic.readers()

    def score(self, traces: Sequence[Trace]) -> list[TraceScore]:
        """Scores of `traces`, all in one pass.

        Raises:
            DoesNotFit: if a question is longer than the critic reads.
            ValueError: if a trace has no text.
        """
        encoded = encode_items(self._critic.tokenizer, [(self.question, trace) for trace in traces])
        statistics = self._critic.read(encoded, self._readers)
        scored = zip(traces, encoded, statistics, strict=True)
        return [score_trace(self._critic.card, self.question, *one) for one in scored]
