"""What a link to the page is shown as elsewhere: a title, a sentence and a picture (Open Graph, in the page's head).

Gradio's own page names Gradio and its picture there. What stands in `launch(head=...)` is put in by a script, which
those who read these tags do not run. So the tags are changed where the page leaves the server.
"""

from __future__ import annotations

import os
import re
from html import escape

from starlette.datastructures import MutableHeaders
from starlette.responses import FileResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from irl_core.models.assets import ASSETS

TITLE = "Errata: see where a math solution goes wrong"
SENTENCE = "A critic that learned from expert solutions alone marks each step of a solution and says which is suspect."
PICTURE = "/thumbnail.png"

_OF_GRADIO = re.compile(rb"""<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*""")


def tags() -> str:
    """The `meta` tags. The picture's address is whole in a Space, which is told its own; elsewhere it is a path."""
    host = os.environ.get("SPACE_HOST")
    site = f"https://{host}" if host else ""
    named = {"og:type": "website", "og:title": TITLE, "og:description": SENTENCE, "og:image": site + PICTURE}
    if site:
        named["og:url"] = f"{site}/"
    graph = [f'<meta property="{name}" content="{escape(value)}" />' for name, value in named.items()]
    return "".join([*graph, '<meta name="twitter:card" content="summary_large_image" />'])


def picture_route() -> Route:
    """Serves the picture, and no other file."""
    return Route(PICTURE, lambda request: FileResponse(ASSETS / "thumbnail.png"))


class SocialCard:
    """ASGI middleware: the page at `/` leaves with our tags in the place of Gradio's; all else passes as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/":
            await self._app(scope, receive, send)
            return
        start: Message = {}
        body = b""

        async def hold(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if not message.get("more_body", False):
                page = with_tags(body)
                MutableHeaders(raw=start["headers"])["content-length"] = str(len(page))
                await send(start)
                await send({"type": "http.response.body", "body": page})

        await self._app(scope, receive, hold)


def with_tags(page: bytes) -> bytes:
    """The page with our tags at the beginning of its head and none of the kind elsewhere.

    >>> with_tags(b'<html><head><meta property="og:title" content="Gradio" /></head></html>').count(b"og:title")
    1
    """
    own = b"<head>" + tags().encode()
    return _OF_GRADIO.sub(b"", page).replace(b"<head>", own, 1)
