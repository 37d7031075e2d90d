"""A critic whose model an engine serves; card, calibration and tokenizer are read here, so scores are made here too.

`irl_core.loading.load_critic` comes here. Any form but `log_ratio`, which needs two models: `log_prob` asks for the
log-probabilities of a prompt, `head` for `token_classify` pooling.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from irl_core.critic.model import Critic
from irl_core.critic.names import LocatedCritic
from irl_core.critic.token_statistics import EncodedTrace, TokenStatistics, encode_items
from irl_core.critic.weights import CriticError, ReferenceWeights, adapter_folder
from irl_core.models.backbones import Backbone, resolve_backbone
from irl_core.models.prompts import DoesNotFit
from irl_core.models.served_names import ServedName
from irl_core.serving.engine import require_vllm
from irl_core.serving.models import check_tokenizer, find_model, tokenizer_files
from irl_core.serving.score_source import ScoreSource
from irl_core.serving.server_scores import ServerScores
from irl_core.text.traces import Trace


class ServedCritic(Critic):
    """A critic that asks an engine what `Critic` asks its own model."""

    def __init__(self, located: LocatedCritic, backbone: Backbone, source: ScoreSource) -> None:
        super().__init__(located.card, located.path, backbone)
        self._source = source

    def _load_models(
        self, adapter: Path | None, reference: ReferenceWeights | None, dtype: torch.dtype | None
    ) -> None:
        """The engine has them."""

    @property
    def device_name(self) -> str:
        return self._source.place

    def statistics(self, items: Sequence[tuple[str, Trace]]) -> list[tuple[EncodedTrace, TokenStatistics]]:
        encoded = encode_items(self.tokenizer, items)
        return list(zip(encoded, self.read(encoded), strict=True))

    def readers(self) -> tuple[()]:
        """None: an engine remembers by itself."""
        return ()

    def read(self, encoded: Sequence[EncodedTrace], readers: Sequence[object] = ()) -> list[TokenStatistics]:
        """What the model says of each token, all in one request or several at a time.

        Raises:
            DoesNotFit: if problem and solution together are longer than the engine reads.
            ServerError: if the engine does not answer.
        """
        rows = [(e.prompt, e.completion) for e in encoded]
        longest = max((len(prompt) + len(completion) + 1 for prompt, completion in rows), default=0)
        if self._source.context is not None and longest > self._source.context:
            raise DoesNotFit(
                f"problem and solution take {longest:,} tokens; {self.name} reads {self._source.context:,}"
            )
        if self.card.form == "head":
            return [TokenStatistics(values=v[1:] - v[0]) for v in self._source.values(rows)]
        return [TokenStatistics(logprobs=logprobs) for logprobs in self._source.logprobs(rows)]


def load_served_critic(name: ServedName, located: LocatedCritic) -> ServedCritic:
    """The critic that `name` means; `located` is what stands before its URL, or else the shipped one.

    Raises:
        CriticError: if it needs two models, or its adapter is missing.
        OSError: if the engine is missing, does not start, does not answer or has no such model (`ServerError`).
        BackboneError: if the backbone cannot be had.
    """
    card, path = located
    if card.form == "log_ratio":
        raise CriticError(f"the critic {card.name!r} compares two models, and an engine serves one; run it here")
    if not name.urls:
        require_vllm()
        from irl_core.export.merged import merged_checkpoint
        from irl_core.serving.vllm_scores import VLLMScores

        backbone = resolve_backbone(card.backbone)
        checkpoint = merged_checkpoint(card, backbone, adapter_folder(card, path))
        return ServedCritic(located, backbone, VLLMScores(checkpoint, card.form))
    served = find_model(name.urls, name.model)
    critic = ServedCritic(located, tokenizer_files(card.backbone), ServerScores(served))
    critic.sha256 = None  # what the server really holds is not known here
    check_tokenizer(served, critic.tokenizer)
    return critic
