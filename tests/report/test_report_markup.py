from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.markup import Markup, escape, join, printable, tag

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&amp;<!--"


class Reader(HTMLParser):
    """What a page says: text, and attributes by element."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.text, self.elements = "", list[tuple[str, dict[str, str | None]]]()
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text())
def test_any_text_stays_text(text: str) -> None:
    reader = Reader(tag("p", text, title=text))
    assert reader.elements == [("p", {"title": printable(text)})]
    assert reader.text == printable(text)


def test_markup_in_text_is_dead() -> None:
    reader = Reader(tag("td", HOSTILE, tag("b", HOSTILE)))
    assert [name for name, _ in reader.elements] == ["td", "b"]
    assert reader.text == HOSTILE * 2


def test_a_separator_is_text() -> None:
    assert join(["a", Markup("<b>"), None, 3], " < ") == "a &lt; <b> &lt; 3"


def test_attributes_take_their_names_and_drop_out() -> None:
    made = tag("svg", class_="a", data_plot="1", viewBox="0 0 1 1", open=True, hidden=False, x=None)
    assert made == '<svg class="a" data-plot="1" viewBox="0 0 1 1" open></svg>'


def test_void_elements_have_no_end() -> None:
    assert tag("img", src="data:,") == '<img src="data:,">'


@pytest.mark.parametrize("code", [0x0, 0x1B, 0x7F, 0x9B, 0xD800, 0xFFFF])
def test_what_no_page_may_hold_is_replaced(code: int) -> None:
    assert escape(f"a{chr(code)}b") == "a\N{REPLACEMENT CHARACTER}b"


def test_tab_and_newline_stay() -> None:
    assert printable("a\tb\nc") == "a\tb\nc"
