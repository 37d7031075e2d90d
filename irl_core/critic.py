"""The dense reward model: loads, saves, scores traces.

A critic is a folder: `critic.json` (a `CriticCard`), weights, and `calibration.json` for the diagnosis. Three forms:

- `log_prob`: ρ_t = w_t · (log π_φ(y_t | x, y_<t) + b_t), π_φ a language model. w_t weighs tokens of numbers more than
  words, because numbers carry most of what is right or wrong; b_t is a constant for each of the two kinds, so that a
  number which an expert would write is rewarded and not only less punished: the log-ratio to a reference that gives
  every such token the probability exp(−b). (Centring by the entropy instead was measured and is far worse.)
- `log_ratio`: ρ_t = w_t · (log π_φ(y_t) − log π_0(y_t)) with π_0 the backbone without adapter (PRIME, METHOD 5.4).
- `head`: V_t is the output of a token-classification head with one label, ρ_t = V_t − V_{t−1} (METHOD 5.5.3).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch

from irl_core.arithmetic import check_equations
from irl_core.backbones import Backbone, load_causal_lm, load_tokenizer, native_dtype, resolve_backbone
from irl_core.calibration import Calibration, load_calibration
from irl_core.scoring import (
    EncodedTrace,
    TokenStatistics,
    causal_statistics,
    encode_items,
    head_statistics,
    scoring_batches,
)
from irl_core.traces import Record, Trace, TraceScore, step_of_tokens

CHECKPOINTS = Path(__file__).resolve().parent.parent / "assets" / "checkpoints"
Form = Literal["log_prob", "log_ratio", "head"]


class CriticCard(Record):
    """What a critic is. `supervision` is `demonstrations` when no outcome or step label was used to train it.

    `number_weight` and `word_weight` are the w_t of tokens with and without a digit, `number_baseline` and
    `word_baseline` (nats) their b_t. `weight_temperature` (nats) turns trace scores into the weights
    exp(score / temperature) of a critic-weighted vote. The trace score is the weighted mean of the rewards, less
    `false_equation_penalty` (nats) where exact arithmetic finds a false equation: the mean, because a sum prefers
    short solutions, and the check, because what a small model finds surprising it also often overlooks.
    """

    name: str
    form: Form = "log_prob"
    backbone: str = "embedded"
    adapter: str | None = "."
    supervision: str = "demonstrations"
    number_weight: float = 1.0
    word_weight: float = 0.3
    number_baseline: float = 0.2
    word_baseline: float = 0.0
    false_equation_penalty: float = 1.0
    weight_temperature: float = 0.5


class CriticError(RuntimeError):
    """A critic could not be loaded; the message says why and what to do."""


class Critic:
    """A loaded critic. Scoring is deterministic and keeps no state between calls."""

    def __init__(
        self,
        card: CriticCard,
        path: Path,
        backbone: Backbone,
        calibration: Calibration,
        dtype: torch.dtype | None = None,
    ) -> None:
        self.card, self.path, self.backbone, self.calibration = card, path, backbone, calibration
        self.name, self.supervision, self.weight_temperature = card.name, card.supervision, card.weight_temperature
        self.tokenizer = load_tokenizer(backbone)
        adapter = None if card.adapter is None else (path / card.adapter).resolve()
        self.sha256 = _checksum(backbone, adapter)
        dtype = dtype or native_dtype()
        self._model = _load_model(card, backbone, adapter, dtype)
        self._reference = load_causal_lm(backbone, dtype) if card.form == "log_ratio" else None

    @property
    def device_name(self) -> str:
        """Where the arithmetic is done, for a person: "CPU" or "GPU"."""
        return "CPU" if next(self._model.parameters()).device.type == "cpu" else "GPU"

    def score(self, question: str, traces: Sequence[Trace]) -> list[TraceScore]:
        """Scores of several traces of one problem, in order."""
        return self.score_many([(question, trace) for trace in traces])

    @torch.inference_mode()
    def score_many(self, items: Sequence[tuple[str, Trace]]) -> list[TraceScore]:
        """Scores of (question, trace) pairs, in order; batched by length.

        Raises:
            ValueError: if a trace has no text.
        """
        encoded = encode_items(self.tokenizer, items)
        scores: dict[int, TraceScore] = {}
        for batch in scoring_batches(encoded):
            chosen = [encoded[i] for i in batch]
            statistics = self._statistics([(e.prompt, e.completion) for e in chosen])
            for i, e, found in zip(batch, chosen, statistics, strict=True):
                scores[i] = self._score_one(items[i][1], e, found)
        return [scores[i] for i in range(len(items))]

    def _statistics(self, rows: list[tuple[list[int], list[int]]]) -> list[TokenStatistics]:
        if self.card.form == "head":
            return head_statistics(self._model, rows)
        own = causal_statistics(self._model, rows)
        if self._reference is None:
            return own
        base = causal_statistics(self._reference, rows)
        return [a._replace(reference=b.logprobs) for a, b in zip(own, base, strict=True)]

    def _score_one(self, trace: Trace, encoded: EncodedTrace, found: TokenStatistics) -> TraceScore:
        rewards = self.token_rewards(encoded.numbers, found)
        owners = torch.tensor(step_of_tokens(encoded.offsets, trace.steps))
        steps = len(trace.steps)
        surprise = None if found.logprobs is None else -_sum_by(found.logprobs, owners, steps)
        return TraceScore(
            offsets=encoded.offsets,
            rewards=tuple(rewards.tolist()),
            values=tuple(rewards.cumsum(0).tolist()),
            step_rewards=tuple(_sum_by(rewards, owners, steps).tolist()),
            surprise=() if surprise is None else tuple(surprise.tolist()),
            trace_score=float(rewards.sum() / self._weights(encoded.numbers).sum()) - self._penalty(trace),
            truncated_at=encoded.truncated_at,
        )

    def _penalty(self, trace: Trace) -> float:
        found = any(not e.ok for a, b in trace.steps for e in check_equations(trace.text[a:b]))
        return self.card.false_equation_penalty if found else 0.0

    def token_rewards(self, numbers: torch.Tensor, found: TokenStatistics) -> torch.Tensor:
        """ρ_t in nats, (T,), of one trace; `numbers` (T,) is true where a token holds a digit."""
        if self.card.form == "head":
            return torch.diff(found.values, prepend=torch.zeros(1))
        if self.card.form == "log_ratio":
            return self._weights(numbers) * (found.logprobs - found.reference)
        baseline = torch.where(numbers, self.card.number_baseline, self.card.word_baseline)
        return self._weights(numbers) * (found.logprobs + baseline)

    def _weights(self, numbers: torch.Tensor) -> torch.Tensor:
        if self.card.form == "head":
            return torch.ones(len(numbers))
        return torch.where(numbers, self.card.number_weight, self.card.word_weight)


def load_critic(name: str | Path | None = None, *, dtype: torch.dtype | None = None) -> Critic:
    """Load a critic: None for the shipped one, `surprise` or `log-ratio` for those that cost nothing, or a folder.

    Args:
        dtype: of the arithmetic; None takes bfloat16 where the processor has it, else float32. The two differ by
            some hundredths of a nat per trace (docs/lab-notes.md).

    Raises:
        CriticError: if there is no such critic or its card cannot be read.
        BackboneError: if the backbone's weights cannot be had.
    """
    policy = CHECKPOINTS / "policy"
    named = {
        "surprise": CriticCard(name="surprise", false_equation_penalty=0.0),
        "log-ratio": CriticCard(name="log-ratio", form="log_ratio", false_equation_penalty=0.0),
    }
    if str(name) in named:
        card, path = named[str(name)], policy
        calibration = load_calibration(CHECKPOINTS / "critic" / "calibration.json")
    else:
        path = CHECKPOINTS / "critic" if name is None else Path(name)
        if not (path / "critic.json").exists():
            raise CriticError(f"no critic in {path}: give a folder with a critic.json, 'surprise' or 'log-ratio'")
        try:
            card = CriticCard.model_validate_json((path / "critic.json").read_bytes())
        except ValueError as error:
            raise CriticError(f"{path / 'critic.json'} cannot be read: {error}") from error
        calibration = load_calibration(path / "calibration.json")
    return Critic(card, path, resolve_backbone(card.backbone), calibration, dtype)


def _load_model(card: CriticCard, backbone: Backbone, adapter: Path | None, dtype: torch.dtype) -> torch.nn.Module:
    if card.form == "head":
        from transformers import AutoModelForTokenClassification

        model = AutoModelForTokenClassification.from_pretrained(
            backbone.path,
            num_labels=1,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
        )
    else:
        model = load_causal_lm(backbone, torch.float32)
    if adapter is not None:
        from peft import PeftModel

        if not (adapter / "adapter_model.safetensors").exists():
            raise CriticError(f"the critic's adapter is missing: no adapter_model.safetensors in {adapter}")
        # Merged in float32 and only then rounded: a merge in half precision would lose most of a small adapter.
        model = PeftModel.from_pretrained(model, adapter).merge_and_unload()
    return model.to(dtype).eval()


def _checksum(backbone: Backbone, adapter: Path | None) -> str:
    weights = b"" if adapter is None else (adapter / "adapter_model.safetensors").read_bytes()
    return hashlib.sha256(backbone.sha256.encode() + weights).hexdigest()


def _sum_by(values: torch.Tensor, owners: torch.Tensor, groups: int) -> torch.Tensor:
    return torch.zeros(groups, dtype=values.dtype).index_add_(0, owners, values)
