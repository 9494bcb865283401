"""The end of a run: its record, what the gates say of it, its report."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import jax
import yaml

from pipeline import data, evaluate, gate, graph, model, persistence, report, train, verification
from pipeline.config import Config
from pipeline.gate import ExitCode


@dataclass
class RunResult:
    """What a run did; a stage that did not take place left its field empty."""

    directory: Path
    started: datetime = field(default_factory=lambda: datetime.now().astimezone())
    durations: dict[str, float] = field(default_factory=dict)    # seconds by stage
    fit: train.FitResult | None = None
    evaluation: evaluate.Evaluation | None = None
    artifacts: list[persistence.Artifact] = field(default_factory=list)
    parities: list[verification.Parity] = field(default_factory=list)
    verdicts: list[gate.Verdict] = field(default_factory=list)
    exit_code: ExitCode = ExitCode.PASSED

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts the block's time under `name`."""
        begun = time.perf_counter()
        yield
        self.durations[name] = self.durations.get(name, 0.0) + time.perf_counter() - begun


def close(
    config: Config, network: model.Network, data_sets: data.DataSets, result: RunResult
) -> None:
    """Records the run, judges it, reports it."""
    environment = report.describe_environment(config.seed, str(jax.devices()[0]))
    record = gate.provenance(config, environment) | _record(network, result)
    with result.stage("judge"):
        result.verdicts = _judge(config, record)
    result.exit_code = gate.exit_code(result.verdicts, config.gate.undecided)
    with result.stage("report"):
        content = _content(config, environment, record, data_sets, result)
        report.write(content, result.directory)
    gate.save_record(record, result.directory)
    gate.save_verdicts(result.verdicts, result.directory)
    report.print_summary(content, result.directory)


def _record(network: model.Network, result: RunResult) -> dict[str, Any]:
    """The run's own part of metrics.json; `durations` goes on counting."""
    record: dict[str, Any] = {"name": result.directory.name, "durations": result.durations}
    if result.evaluation is not None:
        record |= evaluate.metrics_record(result.evaluation, "test")
    if result.fit is not None:
        record |= _history_record(result.fit)
    record["variables"] = [asdict(row) for row in _variable_rows(network)]
    record["artifacts"] = [_artifact_record(made, result.directory) for made in result.artifacts]
    record["parity"] = [asdict(parity) for parity in result.parities]
    return record


def _history_record(fitted: train.FitResult) -> dict[str, Any]:
    measured = [one for one in fitted.history if one.validation_loss is not None]
    last = {"validation_accuracy": measured[-1].validation_accuracy,
            "validation_loss": measured[-1].validation_loss} if measured else {}
    return {**last, "step": fitted.history[-1].step, "stopped": fitted.stop.name.lower(),
            "history": [asdict(interval) for interval in fitted.history]}


def _artifact_record(made: persistence.Artifact, directory: Path) -> dict[str, Any]:
    return {"target": made.target, "kind": made.kind, "path": str(made.path.relative_to(directory)),
            "bytes": sum(file.bytes for file in made.files)}


def _judge(config: Config, record: gate.Record) -> list[gate.Verdict]:
    if config.gate.accept:
        gate.accept([record], config.gate)
    return [*gate.judge_run(record, config.gate),
            *gate.judge_against_baseline([record], config.gate)]


def _content(
    config: Config, environment: dict[str, str], record: gate.Record, data_sets: data.DataSets,
    result: RunResult,
) -> report.Report:
    graphs = [made.path for made in result.artifacts if made.kind == "frozen_graph"]
    return report.Report(
        name=result.directory.name,
        started=result.started,
        config_yaml=yaml.safe_dump(asdict(config), sort_keys=False),
        durations=result.durations,
        environment=environment,
        variables=[report.VariableRow(**row) for row in record["variables"]],
        history=result.fit.history if result.fit else (),
        evaluation=result.evaluation,
        pixels=data_sets.test.pixels,
        digits=data_sets.test.digits,
        artifacts=result.artifacts,
        parities=result.parities,
        verdicts=result.verdicts,
        trend=_trend(config, record, result),
        graph_def=graph.load_graph(graphs[0]) if graphs else None,
        data=_describe(data_sets),
        stopped=result.fit.stop.value if result.fit else "",
        notes=config.notes,
    )


def _trend(config: Config, record: gate.Record, result: RunResult) -> list[gate.Point]:
    if config.gate.trend is None:
        return []
    this = gate.trend_point(record["name"], result.started, result.exit_code, [record])
    return gate.trend_with(Path(config.gate.trend), this)


def _describe(data_sets: data.DataSets) -> str:
    train, validation, test = (split.num_examples for split in data_sets)
    return f"{data_sets.name}: {train:,} + {validation:,} + {test:,} examples"


def _variable_rows(network: model.Network) -> list[report.VariableRow]:
    return [
        report.VariableRow(
            name=spec.name,
            shape=tuple(spec.shape),
            dtype=str(spec.dtype),
            count=math.prod(spec.shape),
            trainable=spec.trainable,
            collections=tuple(spec.collections),
        )
        for spec in network.specs.values()
    ]
