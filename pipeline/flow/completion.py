"""What a run ends with: its record, what the gates say of it, its report."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jax
import yaml

from pipeline import data, evaluate, gate, graph, model, persistence, report, train
from pipeline.config.schema import RunConfig
from pipeline.flow.result import RunResult


def complete(
    config: RunConfig, network: model.Network, data_sets: data.DataSets, result: RunResult
) -> None:
    """Records the run, judges it, reports it."""
    context = result.context
    environment = report.describe_environment(
        config.seed, str(jax.devices()[0]), context.command)
    machine = train.describe_machine()
    record = gate.provenance(config, context.task, environment) | {"machine": machine}
    record |= _record(network, result)
    environment |= {name: str(machine[name]) for name in ("cores", "processor")}
    with result.stage("judge"):
        result.verdicts = _judge(config, record)
    result.exit_code = gate.exit_code(result.verdicts, config.gate.undecided)
    with result.stage("report"):
        content = _content(config, environment, record, data_sets, result)
        report.write_figures(content, result.directory)
    report.write_page(content, result.directory)   # when all it tells has taken its time
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


def _judge(config: RunConfig, record: gate.Record) -> list[gate.Verdict]:
    if config.gate.accept:
        gate.accept([record], config.gate)
    return [*gate.judge_run(record, config.gate),
            *gate.judge_against_baseline([record], config.gate)]


def _content(
    config: RunConfig, environment: dict[str, str], record: gate.Record, data_sets: data.DataSets,
    result: RunResult,
) -> report.Report:
    graphs = [made.path for made in result.artifacts if made.kind == "frozen_graph"]
    return report.Report(
        name=result.directory.name,
        started=result.context.clock.started,
        config_yaml=yaml.safe_dump(asdict(config), sort_keys=False),
        durations=result.durations,
        environment=environment,
        variables=[report.VariableRow(**row) for row in record["variables"]],
        history=result.fit.history if result.fit else (),
        evaluation=result.evaluation,
        pixels=data_sets.test.pixels,
        digits=data_sets.test.digits,
        classes=data_sets.description.classes,
        artifacts=result.artifacts,
        parities=result.parities,
        verdicts=result.verdicts,
        trend=_trend(config, record, result),
        graph_def=graph.load_graph(graphs[0]) if graphs else None,
        data=_describe(data_sets),
        stopped=result.fit.stop.value if result.fit else "",
        notes=config.notes,
    )


def _trend(config: RunConfig, record: gate.Record, result: RunResult) -> list[gate.Point]:
    if config.gate.trend is None:
        return []
    started = result.context.clock.started
    this = gate.trend_point(record["name"], started, result.exit_code, [record])
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
