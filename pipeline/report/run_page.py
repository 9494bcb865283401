"""The page of one run: what came of it first, how it came about below."""

from __future__ import annotations

from pathlib import Path

from pipeline.report import quantities
from pipeline.report.content import Report
from pipeline.report.gates import gate_count
from pipeline.report.markup import Child, Markup, tag
from pipeline.report.page import page
from pipeline.report.sections import sections


def run_page(report: Report, run_directory: Path) -> str:
    """The whole HTML document of a run; artefacts' paths are shown from its directory."""
    return page(f"{report.name} · jaxfrost", _header(report), sections(report, run_directory))


def _header(report: Report) -> Markup:
    started = f"{report.started.day} {report.started:%B %Y, %H:%M:%S %Z}".strip()
    evaluation = report.evaluation
    examples = f"of {quantities.count(evaluation.examples)} examples" if evaluation else None
    state = {True: "good", False: "bad", None: "unknown"}[report.verified]
    mark = {True: "✓ ", False: "✗ ", None: ""}[report.verified]
    facts = [
        _fact("test accuracy", quantities.percent(evaluation.accuracy) if evaluation
              else quantities.MISSING, examples),
        _fact("test loss", quantities.number(evaluation.loss if evaluation else None)),
        _fact("artefacts", tag("span", mark + report.verdict, class_=state),
              "compared with the model"),
        *([_fact("gates", gate_count(report.verdicts))] if report.verdicts else []),
        _fact("trainable numbers", quantities.count(report.parameters),
              f"in {sum(row.trainable for row in report.variables)} variables"),
        _fact("duration", quantities.duration(report.seconds), report.overhead),
    ]
    return tag(
        "header",
        tag("p", "jaxfrost run", *((" on ", report.data) if report.data else ()), class_="kind"),
        tag("h1", report.name),
        tag("p", started, class_="when"),
        tag("p", report.notes, class_="notes") if report.notes else None,
        tag("dl", *facts, class_="facts"),
    )


def _fact(name: str, value: Child, more: str | None = None) -> Markup:
    return tag("div", tag("dt", name), tag("dd", value), tag("small", more) if more else None)
