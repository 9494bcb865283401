"""The page of a sweep: the ranking first, then what made the difference, then what went wrong."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from pipeline.report import quantities
from pipeline.report.axis import Axis
from pipeline.report.chart import COLOURS, Chart, Series, line_chart
from pipeline.report.gates import gate_table, trend_charts
from pipeline.report.markup import Child, Markup, join, tag
from pipeline.report.page import Section, page
from pipeline.report.parallel import Dimension, parallel_coordinates
from pipeline.report.sections import environment
from pipeline.report.sweep_content import Setting, SweepReport, SweepRun
from pipeline.report.sweep_spread import shared_scale, spread
from pipeline.report.sweep_summary import (
    given,
    metric_title,
    setting_name,
    value_text,
    with_spread,
)
from pipeline.report.table import Column, cells, table


def sweep_page(report: SweepReport) -> str:
    """The whole HTML document; links lead into the runs' directories beside it."""
    optional = [
        Section("curves", "Learning curves", curves(report)),
        Section("effects", "What was varied", effects(report)),
        Section("failures", "Failures", failures(report)),
        Section("trend", "Trend", trend_charts(report.trend) if report.trend else Markup("")),
    ]
    return page(f"{report.name} · jaxfrost sweep", _header(report), [
        Section("ranking", "Ranking", ranking(report)),
        *(section for section in optional if section.body),
        Section("gates", "Gates", gates(report)),
        Section("environment", "Environment", environment(
            {"sweep command": report.command, **report.environment})),
    ])


def _header(report: SweepReport) -> Markup:
    runs, failed = len(report.runs), len(report.failures)
    unfinished = (report.planned or runs) - report.ended
    started = f"{report.started.day} {report.started:%B %Y, %H:%M:%S %Z}".strip()
    best = report.best
    state = "good" if report.exit_code == 0 else "bad"
    facts = [
        _fact(f"best {metric_title(report.metric)}",
              tag("a", with_spread(best, report.metric), href=_page_of(best.runs[0]))
              if best else quantities.MISSING,
              setting_name(best, report.titles) if best else report.note),
        _fact("settings", quantities.count(len(report.settings)),
              f"{quantities.count(runs)} runs with their seeds" if runs > len(report.settings)
              else "one run each"),
        _fact("failed", tag("span", quantities.count(failed), class_="bad" if failed else "good"),
              f"of {quantities.count(runs)} runs"),
        _fact("unfinished", tag("span", quantities.count(unfinished), class_="unsure"),
              f"sweep.resume goes on with them; {report.tally}") if unfinished else None,
        _fact("ended", tag("span", report.ending, class_=state), f"exit code {report.exit_code}"),
        _fact("duration", quantities.duration(report.seconds)),
    ]
    return tag("header", tag("p", "jaxfrost sweep", class_="kind"), tag("h1", report.name),
               tag("p", started, class_="when"), tag("dl", *facts, class_="facts"))


def _fact(name: str, value: Child, more: str | None = None) -> Markup:
    return tag("div", tag("dt", name), tag("dd", value), tag("small", more) if more else None)


def ranking(report: SweepReport) -> Markup:
    """Every setting with its figures and links to its runs, the best one marked."""
    if not report.settings:
        return tag("p", "This sweep has no runs.", class_="none")
    word = "highest" if report.direction == "max" else "lowest"
    caption = f"By {metric_title(report.metric)}, the {word} first"
    several = any(len(setting.runs) > 1 for setting in report.settings)
    if several:
        caption += "; mean ± standard deviation over seeds, a dot for each"
    first, *others = report.metrics
    columns = [
        Column("", numeric=True), Column("seeds" if several else "run"),
        *(Column(key) for key in report.titles.values()),
        Column(metric_title(first), numeric=True), Column(""),
        *(Column(metric_title(name), numeric=True) for name in others),
    ]
    scale = shared_scale(report.settings, first)
    rows = [_ranking_row(report, place, setting, columns, scale)
            for place, setting in enumerate(report.settings, start=1)]
    return join([tag("p", caption + ".", class_="caption"),
                 tag("p", report.note, class_="bad") if report.note else None,
                 table(columns, rows, class_="ranking")])


def _ranking_row(
    report: SweepReport, place: int, setting: Setting, columns: Sequence[Column], scale: Axis
) -> Markup:
    first, *others = report.metrics
    figure = with_spread(setting, first)
    row: list[Child] = [
        _place(place) if setting.is_ranked else quantities.MISSING,
        join([_run_link(run, len(setting.runs) > 1) for run in setting.runs], " "),
        *(tag("code", given(setting, key)) for key in report.varied),
        figure, spread(setting, first, scale, figure),
        *(with_spread(setting, name) for name in others),
    ]
    return cells(columns, row, class_="best" if setting is report.best else None)


def _place(place: int) -> Markup:
    """The place in the ranking, with the colour that its curves have."""
    swatch = tag("i", class_=f"swatch s{place - 1}") if place <= COLOURS else None
    return tag("span", swatch, str(place))


def _run_link(run: SweepRun, by_seed: bool) -> Markup:
    label = str(run.seed) if by_seed or run.number is None else f"job {run.number}"
    if run.has_failed:
        return tag("a", f"✗ {label}", href="#failures", class_="bad")
    if run.is_unfinished:
        return tag("a", f"… {label}", href="#failures", class_="unsure")
    said = f"{label} ({run.ending})" if run.ending != "passed" else label
    return tag("a", said, href=_page_of(run))


def _page_of(run: SweepRun) -> str:
    return f"{run.directory}/report.html"


def curves(report: SweepReport) -> Markup:
    """Validation and training figures of all settings, the best in colour."""
    drawn = [(place, setting) for place, setting in enumerate(report.settings, start=1)
             if any(run.history for run in setting.runs)]
    if not drawn:
        return Markup("")
    charts = [
        _curve_chart(drawn, "Validation accuracy", "validation_accuracy", share=True),
        _curve_chart(drawn, "Training accuracy", "accuracy", share=True),
        _curve_chart(drawn, "Validation loss", "validation_loss", share=False),
        _curve_chart(drawn, "Training loss", "loss", share=False),
    ]
    caption = "Numbers and colours are the ranking's."
    if any(len(setting.runs) > 1 for _, setting in drawn):
        caption += " Means over seeds."
    if drawn[-1][0] > COLOURS:
        caption += f" The settings behind the best {COLOURS} are grey."
    return join([tag("p", caption, class_="caption"),
                 tag("div", *map(line_chart, charts), class_="charts")])


def _curve_chart(
    drawn: Sequence[tuple[int, Setting]], title: str, key: str, *, share: bool
) -> Chart:
    def at(step: float) -> str:
        return f"step {quantities.count(int(step))}"

    series = [Series(str(place), _mean_curve(setting, key), muted=place > COLOURS)
              for place, setting in drawn]
    if share:
        return Chart(title=title, series=series, x_text=at, text=quantities.percent,
                     tick_text=quantities.short_percent)
    return Chart(title=title, series=series, x_text=at, may_be_logarithmic=True)


def _mean_curve(setting: Setting, key: str) -> list[tuple[float, float]]:
    """At each step the mean over the runs that have a value there."""
    by_step: dict[int, list[float]] = {}
    for run in setting.runs:
        for interval in run.history:
            value: Any = interval[key]
            if value is not None:
                by_step.setdefault(interval["step"], []).append(value)
    return [(float(step), statistics.fmean(values)) for step, values in sorted(by_step.items())]


def effects(report: SweepReport) -> Markup:
    """Parallel coordinates, and for each value of each key how its settings fared."""
    ranked = [setting for setting in report.settings if setting.is_ranked]
    if not report.varied or not ranked:
        return Markup("")
    scores = [setting.score or 0.0 for setting in ranked]
    low, high = min(scores), max(scores)
    sign = 1.0 if report.direction == "max" else -1.0
    worst = low if sign > 0 else high
    strengths = [abs(score - worst) / (high - low) if high > low else 1.0 for score in scores]
    dimensions = [
        Dimension(title, [setting.overrides.get(key) for setting in ranked])
        for key, title in report.titles.items()
    ]
    share = "accuracy" in report.metric
    dimensions.append(Dimension(metric_title(report.metric), scores,
                                quantities.short_percent if share else quantities.short))
    names = [f"{setting_name(setting, report.titles)}: {with_spread(setting, report.metric)}"
             for setting in ranked]
    return join([parallel_coordinates(dimensions, names, strengths), _effect_table(report, ranked)])


def _effect_table(report: SweepReport, ranked: Sequence[Setting]) -> Markup:
    columns = [Column("varied"), Column("value"), Column("settings", numeric=True),
               Column(f"mean {metric_title(report.metric)}", numeric=True),
               Column("best", numeric=True)]
    best_of = max if report.direction == "max" else min
    rows: list[list[Child]] = []
    for key, values in report.varied.items():
        told = [setting.overrides.get(key, "") for setting in ranked]
        if len(set(told)) == len(told):
            continue    # each value once: the ranking says it all
        for value in values:
            scores = [setting.score for setting in ranked
                      if setting.overrides.get(key, "") == value and setting.score is not None]
            rows.append([
                tag("code", key) if value == values[0] else "", tag("code", value or "not given"),
                quantities.count(len(scores)),
                value_text(report.metric, statistics.fmean(scores) if scores else None),
                value_text(report.metric, best_of(scores) if scores else None),
            ])
    return table(columns, rows, class_="effects") if rows else Markup("")


def failures(report: SweepReport) -> Markup:
    """Each error once, with the runs that it ended and, folded, the first one's traceback."""
    return join([tag(
        "article",
        tag("h3", tag("span", runs[0].ending, class_="bad" if runs[0].has_failed else "unsure"),
            f": {len(runs)} runs" if len(runs) > 1 else None),
        tag("pre", runs[0].error or "no error was told", class_="error"),
        tag("ul", *(tag("li", tag("code", run.directory), " ", _told(run, report.varied))
                    for run in runs)),
        tag("details", tag("summary", f"traceback of {runs[0].directory}"),
            tag("pre", runs[0].traceback)) if runs[0].traceback else None,
        class_="failure") for runs in report.errors])


def _told(run: SweepRun, varied: Iterable[str]) -> str:
    pairs = [f"{key}={run.overrides[key]}" for key in varied if key in run.overrides]
    return " ".join([*pairs, *([] if run.seed is None else [f"seed={run.seed}"])])


def gates(report: SweepReport) -> Markup:
    """What was judged over all seeds, then those of the runs' own gates that did not pass."""
    own = [(run, verdict) for run in report.runs for verdict in run.verdicts]
    if not own:
        return gate_table(report.verdicts)
    wrong = [(run, verdict) for run, verdict in own if verdict.outcome != "passed"]
    shown = [replace(verdict, name=f"{run.directory}: {verdict.name}") for run, verdict in wrong]
    caption = f"Of the runs' own gates {len(own) - len(wrong)} of {len(own)} passed"
    return join([
        gate_table(report.verdicts) if report.verdicts else None,
        tag("p", f"{caption}{':' if wrong else '.'}", class_="caption"),
        gate_table(shown) if shown else None,
    ])
