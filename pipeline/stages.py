"""The flow: config → data → model → train → evaluate → persist → verify → report.

The only module that knows every stage. A run is a function of its configuration, and everything it
leaves lies in its own directory.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import jax
import yaml

from pipeline import data, evaluate, gate, graph, model, persistence, report, train, verification
from pipeline.config import Config, ConfigError
from pipeline.config.runtime import cache_directory
from pipeline.gate import ExitCode

log = logging.getLogger(__name__)


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


def run(config: Config, directory: Path) -> RunResult:
    """Runs `config.task` and leaves everything in `directory`.

    Raises:
        PipelineError: of the stage that failed; what was written before stays.
    """
    gate.check(config.gate)
    result = RunResult(directory)
    with result.stage("data"):
        data_sets = data.load(
            config.dataset, cache_directory(config.runtime) / "datasets", config.seed
        )
    with result.stage("model"):
        network = model.build(config.model, num_classes=data.NUM_CLASSES)
    flow = {"train": _train, "evaluate": _evaluate, "export": _export}[config.task.name]
    flow(config, network, data_sets, result)
    return result


def _train(
    config: Config, network: model.Network, data_sets: data.DataSets, result: RunResult
) -> None:
    snapshots = result.directory / "orbax"
    resume, begin = _beginning(config, network, snapshots)
    saving = persistence.saving_while_training(
        config.persistence, network, config.optimizer, result.directory
    )
    with result.stage("train"), saving as observers:
        fitted = train.fit(network, data_sets, config, snapshots, observers, resume, begin)
    result.fit = fitted
    if fitted.stop is train.Stop.INTERRUPTED:
        result.exit_code = ExitCode.RESUMABLE
        log.info("resume with the same command and hydra.run.dir=%s restore=auto", result.directory)
        return
    with result.stage("evaluate"):
        result.evaluation = evaluate.evaluate(network, fitted.variables, data_sets.test)
    step = int(fitted.snapshot.state.step)
    trained = persistence.Trained(network, fitted.variables, step, fitted.snapshot)
    _deliver(config, trained, data_sets, result)


def _beginning(
    config: Config, network: model.Network, snapshots: Path
) -> tuple[Path | None, Callable[[train.TrainState], train.TrainState] | None]:
    """The orbax step to resume from, or what to make of the fresh state; often neither."""
    if config.restore is not None and config.warm_start is not None:
        raise ConfigError("restore, warm_start: a run begins from one of them; set one to null")
    if config.warm_start is not None:
        return None, persistence.begin_with(Path(config.warm_start), network)
    if config.restore == "auto":
        return snapshots, None
    if config.restore is not None:
        found = persistence.find(Path(config.restore))
        if found.kind == "orbax":
            return found.path, None
        return None, persistence.continue_from(found.path, network, config.optimizer)
    return None, None


def _evaluate(
    config: Config, network: model.Network, data_sets: data.DataSets, result: RunResult
) -> None:
    with result.stage("evaluate"):
        logits = persistence.load_logits(_source(config), network, data_sets.test.pixels)
        result.evaluation = evaluate.score_logits(logits, data_sets.test.digits)
    _report(config, network, data_sets, result)


def _export(
    config: Config, network: model.Network, data_sets: data.DataSets, result: RunResult
) -> None:
    with result.stage("restore"):
        found = persistence.find(_source(config))
        variables = persistence.load_variables(found.path, network)
    _deliver(config, persistence.Trained(network, variables, found.step), data_sets, result)


def _source(config: Config) -> Path:
    if config.restore is None:
        raise ConfigError(
            f"restore: task={config.task.name} needs it; give a run directory, an orbax step, a "
            "checkpoint prefix or a frozen graph"
        )
    return Path(config.restore)


def _deliver(
    config: Config, trained: persistence.Trained, data_sets: data.DataSets, result: RunResult
) -> None:
    """Persist, verify, report; an artefact that disagrees then fails the run."""
    with result.stage("persist"):
        result.artifacts = persistence.persist(config.persistence, trained, result.directory)
    with result.stage("verify"):
        result.parities = verification.verify(
            trained, config.persistence, result.artifacts, data_sets.test.pixels,
            config.verification,
        )
    _report(config, trained.network, data_sets, result)
    verification.require_parity(result.parities)


def _report(
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
        for path in gate.accept([record], config.gate):
            log.info("%s: written anew from this run", path)
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
    return [*gate.load_trend(Path(config.gate.trend)), this]


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
