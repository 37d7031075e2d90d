"""HTML that the page draws, read as text."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    """Text of the elements of one class, and which elements and attributes there are."""

    def __init__(self, html: str, wanted: str) -> None:
        super().__init__(convert_charrefs=True)
        self.wanted, self.open, self.texts = wanted, [], []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag in ("input", "meta", "br"):
            return
        inside = self.wanted in (dict(attrs).get("class") or "").split()
        if inside:
            self.texts.append("")
        self.open.append(inside)

    def handle_endtag(self, tag):
        self.open.pop()

    def handle_data(self, data):
        if any(self.open):
            self.texts[-1] += data
