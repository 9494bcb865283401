"""Tables: a head, rows of cells, perhaps a foot; numbers stand under numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.report.markup import Child, Markup, tag


@dataclass(frozen=True)
class Column:
    """A column's head; `numeric` columns are set flush right."""

    title: str
    numeric: bool = False
    class_: str | None = None


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Child] | Markup],
    *,
    foot: Sequence[Child] | None = None,
    class_: str | None = None,
) -> Markup:
    """A table that scrolls sideways by itself where the page is narrower.

    A row is its cells, or a whole `<tr>` already made.
    """
    head = tag("tr", *(tag("th", column.title, scope="col", class_=_class(column))
                       for column in columns))
    body = [row if isinstance(row, Markup) else cells(columns, row) for row in rows]
    return tag("div", tag(
        "table", tag("thead", head), tag("tbody", *body),
        tag("tfoot", cells(columns, foot)) if foot else None, class_=class_,
    ), class_="scroll", tabindex=0)


def cells(columns: Sequence[Column], row: Sequence[Child], class_: str | None = None) -> Markup:
    """One row, each cell in its column's manner."""
    return tag("tr", *(tag("td", value, class_=_class(column))
                       for column, value in zip(columns, row, strict=True)), class_=class_)


def _class(column: Column) -> str | None:
    return " ".join(filter(None, ["number" if column.numeric else None, column.class_])) or None
