"""Which names the page answers to, and what it allows a browser to do with it: ASGI middleware around Gradio's app.

A foreign site can have its own name point at 127.0.0.1 and then read the page of whoever visits it (DNS rebinding).
The browser sends that name in `Host`, so a request for a name that is not ours is refused. Addresses in numbers are
nobody's name and are let through.
"""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

VARIABLE = "ERRATA_ALLOWED_HOSTS"
"""Names of further hosts, with commas between them, where no option can be given."""

_OWN = ("localhost", "*.localhost")
_OF_SPACES = ("*.hf.space", "huggingface.co")
_FRAMED_BY = "frame-ancestors 'self' https://huggingface.co https://*.hf.space"
_PAGES = ("/", "/gradio_api/mcp", "/gradio_api/mcp/")
_SCRIPT = re.compile(rb"<script(?=[\s>])")


def allowed_hosts(named: Iterable[str] = (), root_path: str | None = None) -> tuple[str, ...]:
    """The names that the page answers to; `*.` at the beginning of one stands for anything.

    Those of this machine, those `named` and in `ERRATA_ALLOWED_HOSTS`, the one in `root_path` where that is a whole
    address, and in a Space its own.

    >>> allowed_hosts(["Errata.school.example:443"], root_path="https://school.example/errata")[2:4]
    ('errata.school.example', 'school.example')
    """
    names = [*_OWN, *named, urlsplit(root_path or "").netloc, *os.environ.get(VARIABLE, "").split(",")]
    if os.environ.get("SYSTEM") == "spaces":
        names += [*_OF_SPACES, *os.environ.get("SPACE_HOST", "").split(",")]
    return tuple(dict.fromkeys(host for name in names if (host := host_name(name.strip()))))


def host_name(header: str) -> str:
    """A `Host` header without its port, in small letters; empty where it is none.

    >>> host_name("Errata.Example:7860"), host_name("[::1]:7860"), host_name("a b")
    ('errata.example', '::1', '')
    """
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".") if re.fullmatch(r"[\w.:\[\]*-]+", header) else ""
    except ValueError:  # brackets that hold no address
        return ""


def is_allowed(header: str, hosts: Sequence[str]) -> bool:
    """Whether a request with this `Host` header is for one of `hosts`, or for an address in numbers."""
    name = host_name(header)
    return name in hosts or _is_address(name) or any(h[0] == "*" and name.endswith(h[1:]) for h in hosts)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class KnownHosts:
    """ASGI middleware: a request for a name that is not among `hosts` is refused with status 421 and one sentence."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = Headers(scope=scope).get("host") if scope["type"] in ("http", "websocket") else None
        if asked is None or is_allowed(asked, self._hosts):  # what is no browser may leave the header out
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
        else:
            words = f"Errata does not answer to this name. Start it with --allowed-host NAME, or set {VARIABLE}.\n"
            await PlainTextResponse(words, status_code=421)(scope, receive, send)


class SecurityHeaders:
    """ASGI middleware: what a browser may load, run and frame, in headers of each response.

    The page's scripts run because each carries a number that is drawn anew for each response; what somebody else
    might slip into the page carries none. `unsafe-eval` is Gradio's (`gr.HTML` compiles its template), and so are
    styles within elements.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        held: Message = {}
        body = b""

        async def add(message: Message) -> None:
            nonlocal held, body
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                html = headers.get("content-type", "").startswith("text/html")
                headers.update(security_headers(nonce if html and scope["path"] in _PAGES else None))
                held = message if html and scope["path"] in _PAGES else {}
                if held:
                    return
            elif held:
                body += message.get("body", b"")
                if message.get("more_body", False):
                    return
                body = _SCRIPT.sub(b'<script nonce="%s"' % nonce.encode(), body)
                MutableHeaders(scope=held)["content-length"] = str(len(body))
                await send(held)
                message = {"type": "http.response.body", "body": body}
            await send(message)

        await self._app(scope, receive, add)


def security_headers(nonce: str | None) -> dict[str, str]:
    """Headers of one response: a page whose scripts carry `nonce`, or what is no page (None) and may load nothing."""
    page = (
        "default-src 'self'",
        f"script-src 'self' 'unsafe-eval' 'nonce-{nonce}'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'none'",
        "object-src 'none'",
        "frame-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    )
    policy = ("default-src 'none'", "base-uri 'none'", "form-action 'none'") if nonce is None else page
    return {
        "content-security-policy": "; ".join((*policy, _FRAMED_BY)),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
    }
