"""The variables: all in a table, one in full."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray

from pipeline.report import quantities
from pipeline.report.markup import Child, Markup, join, tag
from pipeline.report.page import Section
from pipeline.report.table import Column, table
from pipeline.serve.errors import Refusal
from pipeline.serve.histogram import histogram, sparkline
from pipeline.serve.paging import Slice
from pipeline.serve.shell import shell
from pipeline.serve.subject import Subject
from pipeline.serve.weights import full_scale, picture, unit_pictures

_PER_PAGE = 80
_COLUMNS = [Column("variable"), Column("distribution"), Column("shape"), Column("dtype"),
            *(Column(name, numeric=True) for name in ("mean", "deviation", "least", "greatest"))]


def variables_page(subject: Subject) -> str:
    """All variables with their figures; below, the pictures of the first layer."""
    rows = [_row(name, values) for name, values in subject.values.items()]
    sections = [Section("variables", "Variables", table(_COLUMNS, rows, class_="variables"))]
    for name, values in subject.values.items():
        units = unit_pictures(values)
        if units is not None:
            sections.append(Section("units", f"What {name} looks for", _gallery(
                name, units, Slice(len(units), _PER_PAGE, 1))))
    return shell(subject, "/variables", sections)


def variable_page(subject: Subject, name: str, number: int) -> str:
    """One variable; `number` is the page, from 1, of its pictures."""
    if name not in subject.values:
        raise Refusal(HTTPStatus.NOT_FOUND,
                      f"name={name}: no such variable; there are {', '.join(subject.values)}")
    values = subject.values[name]
    units = unit_pictures(values)
    part = Slice(0 if units is None else len(units), _PER_PAGE, number)
    sections = [Section("variable", name, join([
        tag("p", tag("a", "All variables", href="/variables"), class_="caption"),
        tag("dl", *(tag("div", tag("dt", key), tag("dd", value))
                    for key, value in _facts(subject, name, values)), class_="environment"),
        tag("figure", histogram(values, name), class_="chart wide")]))]
    if units is not None:
        sections.append(Section("units", "What its units look for", _gallery(name, units, part)))
    return shell(subject, "/variables", sections)


def address(name: str) -> str:
    """Where one variable is shown."""
    return "/variables?" + urlencode({"name": name})


def _row(name: str, values: NDArray[Any]) -> list[Child]:
    known = np.asarray(values, np.float64)
    return [tag("a", tag("code", name), href=address(name)), sparkline(values), _shape(values),
            str(values.dtype), *_figures(known)]


def _figures(known: NDArray[np.float64]) -> list[str]:
    return [quantities.number(float(figure(known)))
            for figure in (np.mean, np.std, np.min, np.max)]


def _facts(subject: Subject, name: str, values: NDArray[Any]) -> list[tuple[str, str]]:
    known = np.asarray(values, np.float64)
    spec = subject.network.specs[name]
    odd = int((~np.isfinite(known)).sum())
    figures = zip(("mean", "standard deviation", "least", "greatest"), _figures(known),
                  strict=True)
    return [
        ("shape", f"{_shape(values)}, {quantities.count(values.size)} numbers of {values.dtype}"),
        ("collections", ", ".join(spec.collections)),
        *figures,
        ("zeros", quantities.count(int((known == 0).sum()))),
        *([("not finite", quantities.count(odd))] if odd else []),
    ]


def _shape(values: NDArray[Any]) -> str:
    return " × ".join(map(str, values.shape)) or "scalar"


def _gallery(name: str, units: NDArray[np.float64], part: Slice) -> Markup:
    scale = full_scale(units)
    caption = (f"One picture for each of {quantities.count(len(units))} units: blue where ink "
               f"speaks for it, red where against; full colour is {quantities.number(scale)}.")
    pictures = [picture(units[index], scale, index) for index in range(part.start, part.stop)]
    return join([tag("p", caption, class_="caption"),
                 tag("div", *pictures, class_="gallery weights"),
                 part.links("/variables", {"name": name})])
