"""A name -> a loaded policy or critic: the one place that knows all engines."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from irl_core.critic.names import locate_critic
from irl_core.critic.weights import CriticError
from irl_core.diagnosis.calibration import load_calibration
from irl_core.models.backbones import Backbone, load_causal_lm, load_tokenizer, resolve_backbone
from irl_core.models.devices import native_device, native_dtype
from irl_core.models.download import BackboneError
from irl_core.models.merging import load_merged, policy_sha256
from irl_core.models.served_names import parse_served_name
from irl_core.policy.base import Policy
from irl_core.policy.names import LocatedPolicy, PolicyError, locate_policy

if TYPE_CHECKING:
    import torch

    from irl_core.critic.model import Critic

log = logging.getLogger(__name__)


def load_policy(name: str = "auto", *, backbone: str | None = None, calculator: bool = False) -> Policy:
    """Load the policy called `name`.

    >>> from irl_core.policy import Sampling, TraceEnded
    >>> policy = load_policy("small")
    >>> question = "Tom has 3 boxes of 4 pens. How many pens does he have?"
    >>> events = policy.sample(question, Sampling(n=1, temperature=0))
    >>> [event.trace.answer for event in events if isinstance(event, TraceEnded)]
    ['12']

    Args:
        name: "auto" (see `choose_policy`), a pair's ("small", "standard"), a packed model's (the plain backbone,
            `irl_core.models.catalogue`), a folder with a LoRA adapter or a whole model, or a hub name; or one that an
            engine serves (`irl_core.models.served_names`): "vllm:NAME", a URL of a server, or "NAME@URL".
        backbone: what an adapter is put on; None takes what its configuration says.
        calculator: fill in results after '=' by exact arithmetic; needs the transformers engine, which is slower.

    Raises:
        PolicyError: if it cannot be loaded.
    """
    try:
        if served := parse_served_name(name):
            from irl_core.serving.policy import load_served_policy

            return load_served_policy(served, backbone=backbone, calculator=calculator)
        located = locate_policy(name, backbone)
        base = resolve_backbone(located.backbone)
        return _openvino(located, base, calculator) or _transformers(located, base, calculator)
    except (BackboneError, ValueError, OSError) as error:
        raise PolicyError(f"the policy {name!r} cannot be loaded: {error}") from error


def fetch_backbones(policy: str = "auto", critic: str | Path | None = None) -> list[Backbone]:
    """Bring the weights under a policy and a critic to this disk; those of what an engine serves are not asked for.

    Args:
        policy: a name as `load_policy` takes it.
        critic: a name as `load_critic` takes it.

    Returns:
        Each once, whether it was fetched now or lay here.

    Raises:
        PolicyError, CriticError: if there is nothing of that name.
        BackboneError: if weights cannot be had.
        ValueError: if `ERRATA_PAIR` names no pair.
    """
    names = []
    if not parse_served_name(policy):
        names.append(locate_policy(policy).backbone)
    if not parse_served_name(str(critic or "")):
        names.append(locate_critic(critic).card.backbone)
    return [resolve_backbone(name) for name in dict.fromkeys(names)]


def _openvino(located: LocatedPolicy, base: Backbone, calculator: bool) -> Policy | None:
    """The policy on OpenVINO; None where that cannot draw from it."""
    if base.gguf is None or calculator or native_device().type == "cuda":
        return None
    if importlib.util.find_spec("openvino_genai") is None:
        log.warning(
            "openvino-genai is not installed: sampling is about four times slower (pip install openvino-genai)"
        )
        return None
    from irl_core.policy.openvino import OpenVINOPolicy

    return OpenVINOPolicy(located.label, base, located.adapter, form=located.form)


def _transformers(located: LocatedPolicy, base: Backbone, calculator: bool) -> Policy:
    import torch

    from irl_core.policy.transformers import TransformersPolicy

    model = load_merged(base, located.adapter) if located.adapter else load_causal_lm(base)
    if native_device().type == "cuda":
        torch.nn.Module.to(model, native_device(), native_dtype())
    return TransformersPolicy(
        located.label,
        policy_sha256(base, located.adapter),
        model,
        load_tokenizer(base),
        form=located.form,
    )


def load_critic(
    name: str | Path | None = None, *, dtype: torch.dtype | None = None, calibrated: bool = True
) -> Critic:
    """Load a critic, and attach the calibration that lies beside it (`critic.calibration`; None where there is none).

    >>> from irl_core import Trace
    >>> question = "Tom has 3 boxes of 4 pens. How many pens does he have?"
    >>> solutions = [Trace.from_text(f"3 * 4 = {pens} pens") for pens in (12, 13)]
    >>> right, wrong = load_critic("small").score(question, solutions)
    >>> right.trace_score > wrong.trace_score
    True

    Args:
        name: a pair's (`small`, `standard`), None for that of the pair that is taken here
            (`irl_core.models.pairs.choose_pair`), `surprise` or `log-ratio` for those that cost nothing, or a folder;
            or one that an engine serves (`irl_core.models.served_names`): `vllm:NAME`, a URL of a server that serves
            the merged weights of the shipped one, or `NAME@URL`.
        dtype: of the arithmetic, by PyTorch. None takes what is fastest and smallest here: for a packed model on a CPU
            8-bit weights, read by OpenVINO, whose rewards differ from float32's by a hundredth of a nat per token
            (docs/performance.md).
        calibrated: whether to attach its calibration; one that does not fit this version is then refused. False is for
            `train.calibrate`, which makes a new one.

    Raises:
        CriticError: if there is no such critic, or its card, weights or calibration cannot be used.
        BackboneError: if the backbone's weights cannot be had.
    """
    try:
        served = parse_served_name(str(name or ""))
        located = locate_critic(served.what if served else name)
        if served:
            from irl_core.serving.critic import load_served_critic

            critic: Critic = load_served_critic(served, located)
        else:
            from irl_core.critic.model import Critic

            critic = Critic(located.card, located.path, resolve_backbone(located.card.backbone), dtype)
        if calibrated and located.calibration_file.exists():
            critic.calibration = load_calibration(located.calibration_file)
    except (OSError, ValueError) as error:
        raise CriticError(f"the critic {str(name or 'of the pair')!r} cannot be loaded: {error}") from error
    return critic
