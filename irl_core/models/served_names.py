"""How a model that an engine serves is called, wherever a name of a policy or critic is asked for.

    vllm:WHAT                       WHAT, in this process, on vLLM
    URL[,URL...][#MODEL]            what a server that speaks the OpenAI protocol calls MODEL (needless if it has one)
    WHAT@URL[,URL...][#MODEL]       the same, where MODEL is WHAT: its tokenizer, prompt form and card are read here

WHAT is any name that needs no engine ("auto", "small", a folder, a hub name, "surprise"); URLs are replicas.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

IN_PROCESS = "vllm:"

_SERVED = re.compile(r"(?:(?P<what>.+?)@)?(?P<urls>https?://[^#]*)(?:#(?P<model>.*))?")


@dataclass(frozen=True)
class ServedName:
    """A parsed name. Without `urls` the engine runs in this process; `what` and `model` are None where not given."""

    what: str | None
    urls: tuple[str, ...] = ()
    model: str | None = None


def parse_served_name(name: str) -> ServedName | None:
    """What `name` means, None where no engine is asked for.

    Raises:
        ValueError: if one of several URLs is none.
    """
    if name.startswith(IN_PROCESS):
        return ServedName(name.removeprefix(IN_PROCESS) or None)
    match = _SERVED.fullmatch(name)
    if match is None:
        return None
    urls = tuple(url.strip().rstrip("/") for url in match["urls"].split(","))
    for url in urls:
        if not re.match(r"https?://[^/\s]+", url):
            raise ValueError(f"{url!r} is no URL: write replicas as http://HOST:PORT/v1,http://HOST:PORT/v1")
    return ServedName(match["what"], urls, match["model"] or None)
