"""Training and all that follows it: data → model → train → evaluate → persist → verify → report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from pipeline import data, evaluate, gate, model, persistence, train
from pipeline.config import Config, ConfigError
from pipeline.config.gate import GateConfig
from pipeline.config.runtime import cache_directory
from pipeline.context import Context
from pipeline.flow.delivery import begin, deliver, keep_description
from pipeline.flow.result import RunResult
from pipeline.gate import ExitCode


def train_run(config: Config, context: Context) -> RunResult:
    """Trains, and leaves everything in the run's directory.

    Args:
        config: of the run.
        context: its observers are called after each interval of training; one may end it.

    Raises:
        PipelineError: of the stage that failed; what was written before stays.
    """
    persistence.check_packages(config.persistence.values())
    network, data_sets, result = begin(config, context)
    snapshots = context.directory / "orbax"
    resume, first = _beginning(config, network, snapshots)
    saving = persistence.saving_while_training(
        config.persistence, network, config.optimizer, context.directory
    )
    with result.stage("train"), saving as savers:
        fitted = train.fit(
            network, data_sets, config, snapshots, [*savers, *context.observers], resume, first
        )
    _after_training(config, network, data_sets, result, fitted)
    return result


def train_together(runs: Sequence[tuple[Config, Context]]) -> list[Callable[[], RunResult]]:
    """Trains runs that differ only in numbers as one program.

    Args:
        runs: the configurations are pairwise such that `roles.may_train_together`.

    Returns:
        For each run what does the rest of it, as `run` would have.

    Raises:
        PipelineError: of the stage that failed.
    """
    first = runs[0][0]
    shared = RunResult(Context(Path(), clock=runs[0][1].clock))
    with shared.stage("data"):
        cache = cache_directory(first.runtime) / "datasets"
        data_sets = data.load(first.dataset, cache, first.seed)
    with ExitStack() as saving, shared.stage("train"):
        members = [_member(config, data_sets, context.directory, saving)
                   for config, context in runs]
        fits = train.fit_together(members, data_sets)
    deliveries: list[Callable[[], RunResult]] = []
    for member, fitted, (_, context) in zip(members, fits, runs, strict=True):
        share = {stage: seconds / len(runs) for stage, seconds in shared.durations.items()}
        deliveries.append(partial(_deliver_member, member, data_sets, context, share, fitted))
    return deliveries


def _member(
    config: Config, data_sets: data.DataSets, directory: Path, saving: ExitStack
) -> train.Member:
    gate.check(config.gate)
    persistence.check_packages(config.persistence.values())
    train.require_saveable(directory)
    network = model.build(config.model, data_sets.description)
    keep_description(config.dataset, data_sets, directory)
    resume, begin = _beginning(config, network, directory / "orbax")
    observers = saving.enter_context(persistence.saving_while_training(
        config.persistence, network, config.optimizer, directory))
    return train.Member(network, config, directory / "orbax", observers, resume, begin)


def _deliver_member(
    member: train.Member, data_sets: data.DataSets, context: Context, share: dict[str, float],
    fitted: train.FitResult,
) -> RunResult:
    """Of what was done for all, each run's durations have its share."""
    clock = context.clock.having_taken(sum(share.values()))
    result = RunResult(replace(context, clock=clock), share)
    _after_training(member.config, member.network, data_sets, result, fitted)
    return result


def _after_training(
    config: Config, network: model.Network, data_sets: data.DataSets, result: RunResult,
    fitted: train.FitResult,
) -> None:
    result.fit = fitted
    result.count_compiling(fitted.compile_seconds)
    if fitted.stop is train.Stop.INTERRUPTED:
        result.exit_code = ExitCode.RESUMABLE
        return
    if fitted.stop is train.Stop.PRUNED:   # nobody will use it, and nobody expects much of it
        config = replace(config, persistence={}, gate=GateConfig())
    with result.stage("evaluate"):
        result.evaluation = evaluate.evaluate(network, fitted.variables, data_sets.test)
    step = int(fitted.snapshot.state.step)
    trained = persistence.Trained(network, fitted.variables, step, fitted.snapshot)
    deliver(config, config.persistence, config.verification, trained, data_sets, result)


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
