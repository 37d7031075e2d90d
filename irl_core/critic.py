"""The dense reward model: loads, saves, scores traces.

A critic is a folder: `critic.json` (a `CriticCard`, which says how `rewards` are made of what the model says), its
weights, and `calibration.json` for the diagnosis.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import torch

from irl_core.backbones import (
    Backbone,
    load_causal_lm,
    load_tokenizer,
    native_device,
    native_dtype,
    resolve_backbone,
    stored_dtype,
)
from irl_core.calibration import Calibration, load_calibration, uncalibrated
from irl_core.evidence import FEATURES
from irl_core.packing import pack
from irl_core.paged import PagedModel, can_be_paged
from irl_core.reading import Engine, Reader
from irl_core.rewards import CriticCard, score_growing, score_trace
from irl_core.scoring import (
    BATCH_TOKENS,
    GPU_BATCH_TOKENS,
    EncodedTrace,
    TokenStatistics,
    causal_statistics,
    encode_items,
    head_statistics,
    scoring_batches,
)
from irl_core.served_names import parse_served_name
from irl_core.shipped import PAIRS, STANDARD
from irl_core.traces import Trace, TraceScore

log = logging.getLogger(__name__)


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
        adapter = adapter_folder(card, path)
        self.sha256 = critic_sha256(backbone, adapter)
        self._load_models(adapter, dtype or native_dtype())

    def _load_models(self, adapter: Path | None, dtype: torch.dtype) -> None:
        adapters = (adapter, None) if self.card.form == "log_ratio" else (adapter,)
        if self.card.form != "head" and can_be_paged(self.backbone, dtype):
            try:
                self._models = [PagedModel(self.backbone, one) for one in adapters]
                return
            except ValueError as error:
                raise CriticError(f"the critic {self.card.name!r} cannot be loaded: {error}") from error
            except (ImportError, AttributeError, TypeError, RuntimeError) as error:  # another OpenVINO than we know
                log.warning("OpenVINO does not read the critic (%s): PyTorch does, a sixth slower", error)
        self._models = [load_critic_model(self.card, self.backbone, one, dtype) for one in adapters]
        for model in self._models:
            pack(model.to(native_device()))

    @property
    def model(self) -> torch.nn.Module:
        """Backbone and adapter in one, in evaluation mode; always a module of PyTorch where the critic is in float32.

        In bfloat16 it may be packed, or OpenVINO's, and can neither be trained nor saved.
        """
        return self._models[0]

    @property
    def device_name(self) -> str:
        """Where the arithmetic is done, for a person: "CPU" or "GPU"."""
        return "CPU" if self._models[0].device.type == "cpu" else "GPU"

    def score(self, question: str, traces: Sequence[Trace]) -> list[TraceScore]:
        """Scores of several traces of one problem, in order."""
        return self.score_many([(question, trace) for trace in traces])

    def score_many(self, items: Sequence[tuple[str, Trace]]) -> list[TraceScore]:
        """Scores of (question, trace) pairs, in order; batched by length.

        Raises:
            ValueError: if a trace has no text.
        """
        return [
            score_trace(self.card, question, trace, encoded, found)
            for (question, trace), (encoded, found) in zip(items, self.statistics(items), strict=True)
        ]

    def session(self, question: str) -> ScoringSession:
        """For traces of one problem that will be scored more than once, as they grow or are edited."""
        return ScoringSession(self, question)

    @torch.inference_mode()
    def statistics(self, items: Sequence[tuple[str, Trace]]) -> list[tuple[EncodedTrace, TokenStatistics]]:
        """What the model says of each token, before any card makes rewards of it; errors as `score_many`."""
        encoded = encode_items(self.tokenizer, items)
        found: dict[int, TokenStatistics] = {}
        readers = self.readers()
        budget = BATCH_TOKENS if self.device_name == "CPU" else GPU_BATCH_TOKENS
        for batch in scoring_batches(encoded, budget):
            found |= zip(batch, self.read([encoded[i] for i in batch], readers), strict=True)
        return [(e, found[i]) for i, e in enumerate(encoded)]

    def readers(self) -> tuple[Reader, ...]:
        """One per model that `read` asks, each without memories."""
        return tuple(Reader(new_engine(model)) for model in self._models)

    @torch.inference_mode()
    def read(self, encoded: Sequence[EncodedTrace], readers: Sequence[Reader]) -> list[TokenStatistics]:
        """What the models say of each token, in one pass; `readers` remember it for the next call."""
        rows = [(e.prompt, e.completion) for e in encoded]
        branches = [reader.read(rows) for reader in readers]
        if self.card.form == "head":
            return head_statistics(self._models[0].score, branches[0])
        said = [causal_statistics(model.lm_head, read) for model, read in zip(self._models, branches, strict=True)]
        if self.card.form != "log_ratio":
            return said[0]
        return [own._replace(reference=base.logprobs) for own, base in zip(*said, strict=True)]


def new_engine(model: PagedModel | torch.nn.Module) -> Engine:
    """The fastest for where the model is; it has read nothing yet."""
    if isinstance(model, PagedModel):
        return model.engine()
    # Both bring the modelling half of transformers: seconds at the start, which OpenVINO does without.
    if model.device.type == "cpu":
        from irl_core.padding_free import PaddingFree

        return PaddingFree(model.model)
    from irl_core.slotted import Slotted

    return Slotted(model.model)


class ScoringSession:
    """Traces of one problem, scored again and again: what they share with those of the last call is not read anew.

    A trace that grew costs its new tokens; one that was edited costs the tokens from the edit on. Scores are those
    of `Critic.score` up to the rounding of the arithmetic. One thread at a time.
    """

    def __init__(self, critic: Critic, question: str) -> None:
        self.question = question
        self._critic, self._readers = critic, critic.readers()

    def score(self, traces: Sequence[Trace], growing: Sequence[Trace] = ()) -> list[TraceScore]:
        """Scores of `traces` and then of `growing` ones, all in one pass; the latter as `score_growing` makes them.

        Raises:
            ValueError: if a trace has no text.
        """
        everything = [*traces, *growing]
        encoded = encode_items(self._critic.tokenizer, [(self.question, trace) for trace in everything])
        found = self._critic.read(encoded, self._readers)
        pairs = list(zip(everything, encoded, found, strict=True))
        card = self._critic.card
        return [
            *(score_trace(card, self.question, *one) for one in pairs[: len(traces)]),
            *(score_growing(card, *one) for one in pairs[len(traces) :]),
        ]


def load_critic(
    name: str | Path | None = None, *, dtype: torch.dtype | None = None, calibrated: bool = True
) -> Critic:
    """Load a critic.

    Args:
        name: None or `standard` for the shipped one, `larger` for that on the larger backbone, `surprise` or
            `log-ratio` for those that cost nothing, or a folder; or one that an engine serves
            (`irl_core.served_names`): `vllm:NAME`, a URL of a server that serves the merged weights of the shipped
            one, or `NAME@URL`.
        dtype: of the arithmetic; None takes bfloat16 where the processor has it, else float32. The two differ by
            some hundredths of a nat per trace (docs/lab-notes.md).
        calibrated: whether it needs its calibration.json; if not, one that is missing is replaced by one that knows
            nothing, as `train.calibrate` has to work with.

    Raises:
        CriticError: if there is no such critic or its card cannot be read.
        BackboneError: if the backbone's weights cannot be had.
    """
    try:
        if served := parse_served_name(str(name or "")):
            from irl_core.serving.critic import load_served_critic

            return load_served_critic(served, calibrated=calibrated)
    except (OSError, ValueError) as error:
        raise CriticError(f"the critic {str(name)!r} cannot be loaded: {error}") from error
    card, path, calibration = locate_critic(name, calibrated=calibrated)
    return Critic(card, path, resolve_backbone(card.backbone), calibration, dtype)


def locate_critic(name: str | Path | None, *, calibrated: bool = True) -> tuple[CriticCard, Path, Calibration]:
    """Card, folder and calibration of a critic that no engine serves; arguments and errors as in `load_critic`."""
    named = {
        "surprise": CriticCard(name="surprise", false_equation_penalty=0.0),
        "log-ratio": CriticCard(name="log-ratio", form="log_ratio", false_equation_penalty=0.0),
    }
    if str(name) in named:
        card, path = named[str(name)], STANDARD.policy
        calibration = load_calibration(STANDARD.critic / "calibration.json")
    else:
        pair = PAIRS.get(str(name or "standard"))
        path = pair.critic if pair else Path(name)
        if not (path / "critic.json").exists():
            raise CriticError(
                f"no critic in {path}: give a folder with a critic.json, 'larger', 'surprise' or 'log-ratio'"
            )
        try:
            card = CriticCard.model_validate_json((path / "critic.json").read_bytes())
        except ValueError as error:
            raise CriticError(f"{path / 'critic.json'} cannot be read: {error}") from error
        if card.backbone.startswith("."):  # beside the card, as in an exported checkpoint
            card = card.model_copy(update={"backbone": str((path / card.backbone).resolve())})
        known = calibrated or (path / "calibration.json").exists()
        calibration = load_calibration(path / "calibration.json") if known else uncalibrated(FEATURES)
    return card, path, calibration


def load_critic_model(
    card: CriticCard, backbone: Backbone, adapter: Path | None, dtype: torch.dtype
) -> torch.nn.Module:
    """The card's model with its adapter, if any, merged into it.

    Raises:
        CriticError: if the adapter's weights are missing.
    """
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
        # In the dtype it is stored in, if that is the one it will have: the same weights for a third of the memory.
        model = load_causal_lm(backbone, dtype if dtype == stored_dtype(backbone) else torch.float32)
    if adapter is not None:
        from peft import PeftModel

        if not (adapter / "adapter_model.safetensors").exists():
            raise CriticError(f"the critic's adapter is missing: no adapter_model.safetensors in {adapter}")
        # PEFT holds the adapter in float32 and adds it there: what is rounded is the sum, once. Weights that are
        # stored finer than `dtype` are merged as they are and only then rounded.
        model = PeftModel.from_pretrained(model, adapter).merge_and_unload()
    return model.to(dtype).eval()


def adapter_folder(card: CriticCard, path: Path) -> Path | None:
    """Where the adapter of the critic in the folder `path` lies, None if it has none."""
    return None if card.adapter is None else (path / card.adapter).resolve()


def critic_sha256(backbone: Backbone, adapter: Path | None) -> str:
    """Which weights judge: backbone and adapter together."""
    weights = b"" if adapter is None else (adapter / "adapter_model.safetensors").read_bytes()
    return hashlib.sha256(backbone.sha256.encode() + weights).hexdigest()
