"""The flow: config → data → model → train → evaluate → persist → verify → report.

The only module that knows every stage. A run is a function of its configuration, and everything it
leaves lies in its own directory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from pipeline import data, evaluate, gate, model, persistence, train, verification
from pipeline.closing import RunResult, close
from pipeline.config import Config, ConfigError
from pipeline.config.gate import GateConfig
from pipeline.config.runtime import cache_directory
from pipeline.gate import ExitCode


def run(
    config: Config, directory: Path, observers: Sequence[train.Observer] = ()
) -> RunResult:
    """Runs `config.task` and leaves everything in `directory`.

    Args:
        config: of the run.
        directory: the run's own.
        observers: called after each interval of training; may end it.

    Raises:
        PipelineError: of the stage that failed; what was written before stays.
    """
    gate.check(config.gate)
    persistence.check_packages(config.persistence.values())
    result = RunResult(directory)
    with result.stage("data"):
        data_sets = data.load(
            config.dataset, cache_directory(config.runtime) / "datasets", config.seed
        )
    with result.stage("model"):
        network = model.build(config.model, num_classes=data.NUM_CLASSES)
    flow: dict[str, Callable[..., None]] = {
        "train": partial(_train, observers), "evaluate": _evaluate, "export": _export,
    }
    flow[config.task.name](config, network, data_sets, result)
    return result


def _train(
    observers: Sequence[train.Observer], config: Config, network: model.Network,
    data_sets: data.DataSets, result: RunResult,
) -> None:
    snapshots = result.directory / "orbax"
    resume, begin = _beginning(config, network, snapshots)
    saving = persistence.saving_while_training(
        config.persistence, network, config.optimizer, result.directory
    )
    with result.stage("train"), saving as savers:
        fitted = train.fit(
            network, data_sets, config, snapshots, [*savers, *observers], resume, begin
        )
    _after_training(config, network, data_sets, result, fitted)


def train_together(runs: Sequence[tuple[Config, Path]]) -> list[Callable[[], RunResult]]:
    """Trains runs that differ only in numbers as one program.

    Args:
        runs: configurations and directories; the configurations are pairwise such that
            `roles.may_train_together`.

    Returns:
        For each run what does the rest of it, as `run` would have.

    Raises:
        PipelineError: of the stage that failed.
    """
    shared, (first, _) = RunResult(Path()), runs[0]
    with shared.stage("data"):
        cache = cache_directory(first.runtime) / "datasets"
        data_sets = data.load(first.dataset, cache, first.seed)
    with ExitStack() as saving, shared.stage("train"):
        members = [_member(config, directory, saving) for config, directory in runs]
        fits = train.fit_together(members, data_sets)
    deliveries: list[Callable[[], RunResult]] = []
    for member, fitted, (_, directory) in zip(members, fits, runs, strict=True):
        share = {stage: seconds / len(runs) for stage, seconds in shared.durations.items()}
        result = RunResult(directory, shared.started, share)
        deliveries.append(partial(_deliver_member, member, data_sets, result, fitted))
    return deliveries


def _member(config: Config, directory: Path, saving: ExitStack) -> train.Member:
    gate.check(config.gate)
    persistence.check_packages(config.persistence.values())
    train.require_saveable(directory)
    network = model.build(config.model, num_classes=data.NUM_CLASSES)
    resume, begin = _beginning(config, network, directory / "orbax")
    observers = saving.enter_context(persistence.saving_while_training(
        config.persistence, network, config.optimizer, directory))
    return train.Member(network, config, directory / "orbax", observers, resume, begin)


def _deliver_member(
    member: train.Member, data_sets: data.DataSets, result: RunResult, fitted: train.FitResult
) -> RunResult:
    _after_training(member.config, member.network, data_sets, result, fitted)
    return result


def _after_training(
    config: Config, network: model.Network, data_sets: data.DataSets, result: RunResult,
    fitted: train.FitResult,
) -> None:
    result.fit = fitted
    if fitted.stop is train.Stop.INTERRUPTED:
        result.exit_code = ExitCode.RESUMABLE
        return
    if fitted.stop is train.Stop.PRUNED:   # nobody will use it, and nobody expects much of it
        config = replace(config, persistence={}, gate=GateConfig())
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
        logits = persistence.load_logits(
            _source(config), network, data_sets.test.pixels, config.model)
        result.evaluation = evaluate.score_logits(logits, data_sets.test.digits)
    close(config, network, data_sets, result)


def _export(
    config: Config, network: model.Network, data_sets: data.DataSets, result: RunResult
) -> None:
    with result.stage("restore"):
        found = persistence.find(_source(config))
        variables = persistence.load_variables(found.path, network)
    targets = persistence.written_from_variables(config.persistence)
    config = replace(config, persistence=targets)
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
    close(config, trained.network, data_sets, result)
    verification.require_parity(result.parities)
