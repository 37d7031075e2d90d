"""A critic whose model an engine serves; card, calibration and tokenizer are read here, so scores are made here too.

`irl_core.critic.load_critic` comes here. Any form but `log_ratio`, which needs two models: `log_prob` asks for the
log-probabilities of a prompt, `head` for `token_classify` pooling.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch

from irl_core.backbones import Backbone, resolve_backbone
from irl_core.calibration import Calibration
from irl_core.critic import Critic, CriticError, adapter_folder, locate_critic
from irl_core.rewards import CriticCard
from irl_core.scoring import EncodedTrace, TokenStatistics, encode_items
from irl_core.served_names import ServedName
from irl_core.serving.engine import require_vllm
from irl_core.serving.models import check_tokenizer, find_model, tokenizer_files
from irl_core.traces import Trace

Row = tuple[list[int], list[int]]
"""Token ids of a prompt and of what follows it."""


class Engine(Protocol):
    """A served model.

    Attributes:
        place: where it runs, for a person.
        context: how many tokens it reads, None where that is not known.
    """

    place: str
    context: int | None

    def logprobs(self, rows: Sequence[Row]) -> list[torch.Tensor]:
        """Of each row's completion tokens, (T,), in nats."""
        ...

    def values(self, rows: Sequence[Row]) -> list[torch.Tensor]:
        """A head's output at the prompt's last token and at each completion token, (1 + T,)."""
        ...


class ServedCritic(Critic):
    """A critic that asks an engine what `Critic` asks its own model."""

    def __init__(
        self, card: CriticCard, path: Path, backbone: Backbone, calibration: Calibration, engine: Engine
    ) -> None:
        super().__init__(card, path, backbone, calibration)
        self._engine = engine

    def _load_models(self, adapter: Path | None, dtype: torch.dtype) -> None:
        """The engine has them."""

    @property
    def device_name(self) -> str:
        return self._engine.place

    def statistics(self, items: Sequence[tuple[str, Trace]]) -> list[tuple[EncodedTrace, TokenStatistics]]:
        encoded = encode_items(self.tokenizer, items)
        return list(zip(encoded, self.read(encoded), strict=True))

    def readers(self) -> tuple[()]:
        """None: an engine remembers by itself."""
        return ()

    def read(self, encoded: Sequence[EncodedTrace], readers: Sequence[object] = ()) -> list[TokenStatistics]:
        """What the model says of each token, all in one request or several at a time.

        Raises:
            ValueError: if a trace does not fit the engine.
            ServerError: if the engine does not answer.
        """
        rows = [(e.prompt, e.completion) for e in encoded]
        longest = max((len(prompt) + len(completion) + 1 for prompt, completion in rows), default=0)
        if self._engine.context is not None and longest > self._engine.context:
            raise ValueError(
                f"problem and solution take {longest:,} tokens; {self.name} reads {self._engine.context:,}"
            )
        if self.card.form == "head":
            return [TokenStatistics(values=v[1:] - v[0]) for v in self._engine.values(rows)]
        return [TokenStatistics(logprobs=found) for found in self._engine.logprobs(rows)]


def load_served_critic(name: ServedName, *, calibrated: bool) -> ServedCritic:
    """The critic that `name` means; without a WHAT the shipped one's card.

    Raises:
        CriticError: if there is no such critic, or it needs two models.
        OSError: if the engine is missing, does not start, does not answer or has no such model (`ServerError`).
        BackboneError: if the backbone cannot be had.
    """
    card, path, calibration = locate_critic(name.what, calibrated=calibrated)
    if card.form == "log_ratio":
        raise CriticError(f"the critic {card.name!r} compares two models, and an engine serves one; run it here")
    if not name.urls:
        require_vllm()
        from irl_core.serving.merged import merged_checkpoint
        from irl_core.serving.vllm_scores import VLLMScores

        backbone = resolve_backbone(card.backbone)
        checkpoint = merged_checkpoint(card, backbone, adapter_folder(card, path))
        return ServedCritic(card, path, backbone, calibration, VLLMScores(checkpoint, card.form))
    from irl_core.serving.server_scores import ServerScores

    served = find_model(name.urls, name.model)
    critic = ServedCritic(card, path, tokenizer_files(card.backbone), calibration, ServerScores(served))
    critic.sha256 = None  # what the server really holds is not known here
    check_tokenizer(served, critic.tokenizer)
    return critic
