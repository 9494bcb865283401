"""HTML that is put together in one way only, so that text from outside can't become markup.

Names, paths, configuration and error texts are hostile input: a child that is not `Markup` is
escaped. Nothing else in the room may write a `<`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import TypeAlias

# HTML's parse errors: C0 and C1 controls but tab and newline, surrogates, noncharacters.
_UNPRINTABLE = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_VOID = frozenset({"img", "meta", "br"})   # elements without an end tag; `rect /` is SVG's matter


class Markup(str):
    """Text that already is HTML and goes into the page as it stands."""

    __slots__ = ()


Child: TypeAlias = str | int | None
Attribute: TypeAlias = str | float | bool | None

NOTHING = Markup("")


def printable(text: str) -> str:
    """The text with U+FFFD for what neither a page nor a terminal should be sent."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def escape(text: object) -> Markup:
    """`text` as HTML text or a quoted attribute's value, made printable."""
    return Markup(html.escape(printable(str(text))))


def tag(name: str, *children: Child, **attributes: Attribute) -> Markup:
    """One element; children that are not `Markup` are escaped.

    An attribute's trailing underscore is dropped and others become hyphens: `class_`, `data_plot`.
    None and False leave the attribute (or child) out, True writes its bare name.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Iterable[Child], separator: str = "") -> Markup:
    """Children one after the other, with an escaped separator between them."""
    parts = [child if isinstance(child, Markup) else escape(child)
             for child in children if child is not None]
    return Markup(escape(separator).join(parts))


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(value)}"'
