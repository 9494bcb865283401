"""The sections of a run's page, each a function of the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.report import quantities
from pipeline.report.chart import Chart, Series, line_chart, thin
from pipeline.report.content import Report, VariableRow
from pipeline.report.evaluation import class_table, confusion_table, mistake_gallery
from pipeline.report.gates import gate_table, trend_charts
from pipeline.report.markup import Child, Markup, join, tag
from pipeline.report.page import Section
from pipeline.report.table import Column, cells, table

if TYPE_CHECKING:
    from pipeline.train import Interval
    from pipeline.verification import Parity

_INTERVALS_LISTED = 120
_FILES_OPEN = 8           # with more files than this, their list starts closed


def sections(report: Report, run_directory: Path) -> list[Section]:
    """All of them, in the page's order; only the trend is left out where none is kept."""
    trend = [Section("trend", "Trend", trend_charts(report.trend))] if report.trend else []
    return [
        Section("curves", "Training", curves(report)),
        Section("confusion", "Test results", results(report)),
        Section("mistakes", "Worst mistakes", worst(report)),
        Section("model", "Model", model(report.variables)),
        Section("artefacts", "Artefacts", artefacts(report, run_directory)),
        Section("gates", "Gates", gate_table(report.verdicts)),
        *trend,
        Section("time", "Where the time went", times(report.durations)),
        Section("environment", "Environment", environment(report.environment)),
        Section("configuration", "Configuration", configuration(report.config_yaml)),
    ]


def curves(report: Report) -> Markup:
    """Loss, accuracy, learning rate and speed over steps, and the figures behind them."""
    history = report.history
    if not history:
        return tag("p", "This run trained nothing.", class_="none")
    last = history[-1]
    end = f"{quantities.count(last.step)} steps, {quantities.number(last.epoch)} epochs"
    return join([
        tag("p", f"{end}; {report.stopped}" if report.stopped else end, class_="caption"),
        tag("div", *(line_chart(chart) for chart in charts(history)), class_="charts"),
        _interval_table(history),
    ])


def charts(history: Sequence[Interval]) -> list[Chart]:
    """The four charts of a training run."""
    epochs = {interval.step: interval.epoch for interval in history}

    def at(step: float) -> str:
        return f"step {quantities.count(int(step))}, epoch {quantities.number(epochs[int(step)])}"

    def series(name: str, value: Callable[[Interval], float | None]) -> Series:
        pairs = ((float(interval.step), value(interval)) for interval in history)
        return Series(name, [(step, y) for step, y in pairs if y is not None])

    return [
        Chart(title="Loss", x_text=at, may_be_logarithmic=True, include=(0.0,), series=[
            series("training", lambda interval: interval.loss),
            series("validation", lambda interval: interval.validation_loss)]),
        Chart(title="Accuracy", x_text=at, text=quantities.percent,
              tick_text=quantities.short_percent, series=[
            series("training", lambda interval: interval.accuracy),
            series("validation", lambda interval: interval.validation_accuracy)]),
        Chart(title="Learning rate", x_text=at, include=(0.0,), series=[
            series("rate", lambda interval: interval.learning_rate)]),
        Chart(title="Examples per second", x_text=at, include=(0.0,), series=[
            series("speed", lambda interval: interval.examples_per_second)]),
    ]


def _interval_table(history: Sequence[Interval]) -> Markup:
    kept = thin([(float(k), interval.loss) for k, interval in enumerate(history)],
                _INTERVALS_LISTED)
    title = f"{quantities.count(len(history))} intervals"
    if len(kept) < len(history):
        title += f", {len(kept)} of them listed"
    columns = [Column(name, numeric=True) for name in (
        "step", "epoch", "loss", "accuracy", "validation loss", "validation accuracy",
        "learning rate", "examples/s")]
    rows = [_interval_row(history[int(k)]) for k, _ in kept]
    return tag("details", tag("summary", title), table(columns, rows), class_="aside")


def _interval_row(interval: Interval) -> list[Child]:
    return [
        quantities.count(interval.step), quantities.number(interval.epoch),
        quantities.number(interval.loss), quantities.percent(interval.accuracy),
        quantities.number(interval.validation_loss),
        quantities.percent(interval.validation_accuracy),
        quantities.number(interval.learning_rate),
        quantities.number(interval.examples_per_second),
    ]


def results(report: Report) -> Markup:
    """The confusion matrix beside the figures by class."""
    if report.evaluation is None:
        return tag("p", "This run evaluated nothing.", class_="none")
    return tag("div", confusion_table(report.evaluation.confusion, report.classes),
               class_table(report.evaluation, report.classes), class_="pair")


def worst(report: Report) -> Markup:
    """The worst misclassified examples."""
    if report.evaluation is None:
        return tag("p", "This run evaluated nothing.", class_="none")
    return mistake_gallery(report.evaluation, report.pixels, report.digits, report.classes)


def model(rows: Sequence[VariableRow]) -> Markup:
    """Variables under their scopes with each one's share of all numbers."""
    columns = [Column("variable"), Column("shape"), Column("dtype"),
               Column("numbers", numeric=True), Column("share", class_="share"),
               Column("trainable"), Column("collections")]
    total = sum(row.count for row in rows)
    body: list[Markup] = []
    for scope, group in groupby(rows, key=lambda row: row.name.rpartition("/")[0]):
        members = list(group)
        numbers = sum(row.count for row in members)
        body.append(tag("tr", tag("th", scope or "(no scope)", scope="rowgroup", colspan=3),
                        tag("td", quantities.count(numbers), class_="number"),
                        tag("td", _bar(numbers, total), class_="share"), tag("td", colspan=2),
                        class_="scope"))
        body += [cells(columns, [
            tag("code", row.name), " × ".join(map(str, row.shape)) or "scalar", str(row.dtype),
            quantities.count(row.count), _bar(row.count, total), "yes" if row.trainable else "no",
            ", ".join(row.collections),
        ]) for row in members]
    foot = [f"{len(rows)} variables", "", "", quantities.count(total), "",
            f"{quantities.count(sum(row.count for row in rows if row.trainable))} trainable", ""]
    return table(columns, body, foot=foot, class_="model")


def artefacts(report: Report, run_directory: Path) -> Markup:
    """What was written, how closely it agrees with the model, and every file's sha256."""
    if not report.comparisons:
        return tag("p", "This run wrote no artefacts.", class_="none")
    columns = [Column("artefact"), Column("agrees with the model"),
               Column("largest difference", numeric=True), Column("relative", numeric=True),
               Column("size", numeric=True), Column("path"), Column("kind")]
    rows = [[
        tag("b", found.name), *_parity(found.parity), quantities.size(found.size),
        tag("code", found.path_within(run_directory)),
        found.artifact.kind if found.artifact else "",
    ] for found in report.comparisons]
    return join([table(columns, rows), _file_table(report)])


def _parity(parity: Parity | None) -> list[Child]:
    if parity is None:
        return [tag("span", "not compared", class_="unknown"), "", ""]
    verdict = (tag("span", "✓ yes", class_="good") if parity.agrees
               else tag("span", "✗ no", class_="bad"))
    detail = tag("small", parity.detail) if parity.detail else None
    return [tag("span", verdict, detail, class_="verdict"),
            quantities.number(parity.max_absolute), quantities.number(parity.max_relative)]


def _file_table(report: Report) -> Markup | None:
    files = [file for artifact in report.artifacts for file in artifact.files]
    if not files:
        return None
    columns = [Column("file"), Column("bytes", numeric=True), Column("SHA-256", class_="hash")]
    rows = [[tag("code", str(file.path)), quantities.count(file.bytes), tag("code", file.sha256)]
            for file in files]
    return tag("details", tag("summary", f"{len(files)} files with their SHA-256"),
               table(columns, rows), open=len(files) <= _FILES_OPEN)


def times(durations: Mapping[str, float]) -> Markup:
    """Seconds by stage, in order, with a bar for each one's share."""
    total = sum(durations.values())
    columns = [Column("stage"), Column("time", numeric=True), Column("share", class_="share")]
    rows = [[stage, quantities.duration(seconds), _bar(seconds, total)]
            for stage, seconds in durations.items()]
    return table(columns, rows, foot=["all", quantities.duration(total), ""], class_="times")


def _bar(part: float, whole: float) -> Markup:
    share = part / whole if whole else 0.0
    return tag("span", tag("i", style=f"width:{100 * share:.2f}%"), class_="bar",
               title=quantities.percent(share, 1))


def environment(facts: Mapping[str, str]) -> Markup:
    """What the run ran on and with."""
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value))
                       for name, value in facts.items()), class_="environment")


def configuration(config_yaml: str) -> Markup:
    """The resolved configuration, its keys set off from their values."""
    lines = [_yaml_line(line) for line in config_yaml.rstrip("\n").split("\n")]
    return tag("details", tag("summary", "The resolved configuration as YAML"),
               tag("pre", tag("code", join(lines, "\n"))), class_="yaml")


def _yaml_line(line: str) -> Markup:
    key, colon, value = line.partition(":")
    if not colon or (value and not value.startswith(" ")) or key.lstrip().startswith(("#", '"')):
        return join([line])
    return join([tag("b", key + colon), value])
