"""What a server serves: which model is meant, how much it reads, and whether its tokens are ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from irl_core.models.backbones import Backbone, resolve_backbone
from irl_core.models.catalogue import packed_called
from irl_core.serving.client import BRIEF, Call, Patience, ask_all
from irl_core.serving.errors import Refused, ServerError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_PROBE = "12 * 3 = 36 pens, so 1/2 of them are 18.\n#### 18"


class Served(NamedTuple):
    """A model behind one URL or several; `context` is how many tokens it reads, None where the server keeps silent."""

    urls: tuple[str, ...]
    model: str
    context: int | None
    patience: Patience = Patience()


def find_model(urls: tuple[str, ...], model: str | None, patience: Patience = BRIEF) -> Served:
    """The model called `model` on every one of `urls`; None takes the only one there is.

    Raises:
        ServerError: if a server does not answer, lacks the model, or has several and none was named.
    """
    chosen = {_chosen(url, listed, model) for url, listed in ask_all(urls, patience, _listed)}
    names, contexts = {name for name, _ in chosen}, [context for _, context in chosen if context is not None]
    if len(names) > 1:
        raise Refused(f"the servers serve different models, {', '.join(sorted(names))}: name one as URL,URL#MODEL")
    return Served(urls, names.pop(), min(contexts, default=None))


async def _listed(call: Call) -> tuple[str, list[dict[str, Any]]]:
    answer = await call.ask("GET", "/models")
    listed = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) and "id" in one for one in listed):
        raise Refused(f"what answers at {call.url} does not list its models: is the URL right, with its /v1?")
    return call.url, listed


def _chosen(url: str, listed: list[dict[str, Any]], model: str | None) -> tuple[str, int | None]:
    by_name = {one["id"]: one for one in listed}
    if model is None and len(by_name) == 1:
        model = next(iter(by_name))
    if model is None or model not in by_name:
        names = ", ".join(by_name) or "no model"
        wanted = "name one as URL#MODEL" if model is None else f"not {model}"
        raise Refused(f"the server at {url} serves {names}; {wanted}")
    return model, by_name[model].get("max_model_len")


def tokenizer_files(name: str) -> Backbone:
    """The backbone called `name` where only its tokenizer is needed: of a hub name no weights are fetched.

    Raises:
        BackboneError: if a name that is no hub name cannot be resolved.
        OSError: if the hub does not have it.
    """
    if packed_called(name):
        return resolve_backbone(name)
    if Path(name).is_dir():
        return Backbone(name, Path(name), None, "")
    from huggingface_hub import snapshot_download

    return Backbone(name, Path(snapshot_download(name, allow_patterns=["*.json", "*.jinja", "*.txt"])), None, "")


def generation_ends(folder: Path) -> list[int]:
    """The ids that end an answer by a checkpoint's own generation_config.json, if it has one."""
    from transformers import GenerationConfig

    try:
        ends = GenerationConfig.from_pretrained(folder, local_files_only=True).eos_token_id
    except OSError:
        return []
    return [ends] if isinstance(ends, int) else ends or []


def check_tokenizer(served: Served, tokenizer: PreTrainedTokenizerBase) -> None:
    """Compare how the servers split a probe with how `tokenizer` does; servers that cannot tell are believed.

    Raises:
        ServerError: if the ids differ, since then the server's model is not the one that was named.
    """
    body = {"model": served.model, "prompt": _PROBE, "add_special_tokens": False}

    async def tokenized(call: Call) -> tuple[str, list[int] | None]:
        try:
            answer = await call.ask("POST", "/tokenize", body, root=True)
        except Refused:
            return call.url, None
        return call.url, answer.get("tokens") if isinstance(answer, dict) else None

    ours = tokenizer(_PROBE, add_special_tokens=False)["input_ids"]
    for url, theirs in ask_all(served.urls, BRIEF, tokenized):
        if theirs is not None and theirs != ours:
            raise ServerError(
                f"{served.model} at {url} splits text into other tokens than the model named before the @; name the "
                "one that is served"
            )
