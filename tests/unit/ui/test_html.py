"""Text and numbers as they stand in the page."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from ui.render.html import escape, plain, signed


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_escaping_reads_back_as_the_same_text(text):
    class Reader(HTMLParser):
        seen = ""

        def handle_data(self, data):
            self.seen += data

    reader = Reader()
    reader.feed(f"<p>{escape(text)}</p>")
    reader.close()
    assert reader.seen == text


def test_numbers_are_short_and_carry_a_real_minus():
    assert [signed(0.314), signed(-0.82), signed(-0.001)] == ["+0.31", "\u22120.82", "0.00"]
    assert plain(0.78) == "0.78"
    assert len(signed(1e300)) < 12
    assert signed(float("nan")) == "n/a"
