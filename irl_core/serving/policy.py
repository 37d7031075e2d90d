"""From the name of a served policy to the policy: `irl_core.loading.load_policy` comes here."""

from __future__ import annotations

from pathlib import Path

from irl_core.models.backbones import load_tokenizer, resolve_backbone
from irl_core.models.served_names import IN_PROCESS, ServedName
from irl_core.policy.base import Policy
from irl_core.policy.names import PolicyError, locate_policy
from irl_core.serving.engine import require_vllm
from irl_core.serving.models import check_tokenizer, find_model, generation_ends, tokenizer_files


def load_served_policy(name: ServedName, *, backbone: str | None, calculator: bool) -> Policy:
    """The policy that `name` means; the other arguments as in `load_policy`.

    Raises:
        PolicyError: with a calculator.
        OSError: if the engine is missing, does not start, does not answer or has no such model (`ServerError`), or the
            tokenizer cannot be had.
        BackboneError, ValueError: as `resolve_backbone`, or if vLLM cannot serve the adapter.
    """
    if calculator:
        raise PolicyError("a served model cannot be made to write given tokens, so it has no calculator")
    if not name.urls:
        require_vllm()
        from irl_core.serving.vllm_policy import VLLMPolicy

        located = locate_policy(name.what or "auto", backbone)
        base = resolve_backbone(located.backbone)
        return VLLMPolicy(f"{IN_PROCESS}{located.label}", base, located.adapter, form=located.form)
    served = find_model(name.urls, name.model)
    if name.what is None:
        from irl_core.serving.chat_policy import ChatPolicy

        return ChatPolicy(Path(served.model).name, served)
    from irl_core.serving.server_policy import ServerPolicy

    located = locate_policy(name.what, backbone)
    files = tokenizer_files(located.backbone)
    tokenizer = load_tokenizer(files)
    check_tokenizer(served, tokenizer)
    return ServerPolicy(located.label, served, tokenizer, located.form, generation_ends(files.path))
