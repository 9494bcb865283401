"""Training from the first step to the last: intervals, validation, saving, stopping.

`fit` is the effectful shell; what is learned happens in `step`. If reading the code, go from
`fit` to `Session.advance` and `program`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import jax

from pipeline.config import Config
from pipeline.data import DataSets
from pipeline.model import Network
from pipeline.signals import watch_for_interruption
from pipeline.train.history import Interval
from pipeline.train.numbers import collect
from pipeline.train.program import Compiled, build_program
from pipeline.train.progress import show_progress
from pipeline.train.result import FitResult, Stop
from pipeline.train.session import Session
from pipeline.train.snapshot import save_snapshot
from pipeline.train.state import TrainState

log = logging.getLogger(__name__)


class Observer(Protocol):
    """Is told of every interval, with the state at its end; must not keep the state's buffers."""

    def __call__(self, interval: Interval, state: TrainState) -> Stop | None:
        """Called after each interval; may ask to stop, and says why."""


def fit(
    network: Network,
    data_sets: DataSets,
    config: Config,
    snapshots: Path,
    observers: Sequence[Observer] = (),
    resume: Path | None = None,
    begin: Callable[[TrainState], TrainState] | None = None,
) -> FitResult:
    """Trains until all steps are done, validation stops improving, or SIGTERM arrives.

    Args:
        network: the model.
        data_sets: what to train and validate on.
        config: the whole run's.
        snapshots: directory of orbax steps, written when asked to stop and every
            `trainer.checkpoint_every` intervals.
        observers: called after each interval.
        resume: an orbax directory to go on from, at its newest step, if it has one; or one step's
            directory.
        begin: makes the fresh state into another one to begin with: restored values, for instance.
            The data stream is wound forward to the state's step.

    Raises:
        TrainError: the plan is impossible, or the step to resume from is of another recipe.
    """
    session = Session(network, data_sets, config)
    if begin is not None:
        session.begin_with(begin(session.snapshot.state))
    if resume is not None:
        session.resume(resume)
    program = Compiled(build_program(network, config, session.plan.steps))
    run_interval = _build_interval(session, network, data_sets, program)
    early = config.trainer.early_stopping
    stop = Stop.EARLY if session.snapshot.patience.is_exhausted(early) else Stop.FINISHED
    with watch_for_interruption() as interruption, show_progress(session.plan) as progress:
        while stop is Stop.FINISHED and session.step < session.plan.steps:
            interval = run_interval()
            progress(interval)
            asked = [observer(interval, session.snapshot.state) for observer in observers]
            if session.is_patience_exhausted:
                stop = Stop.EARLY
            stop = next(filter(None, asked), stop)
            if interruption.requested:
                stop = Stop.INTERRUPTED
            if stop is Stop.INTERRUPTED or session.is_checkpoint_due():
                save_snapshot(snapshots, session.snapshot, keep=config.trainer.keep_checkpoints)
    log.info("stopped at step %d: %s", session.step, stop.value)
    return FitResult(session.snapshot, stop, program.seconds)


def _build_interval(
    session: Session, network: Network, data_sets: DataSets, program: Compiled
) -> Callable[[], Interval]:
    """What trains a session for one interval: the compiled program with the data on the device."""
    numbers = collect(session.config, network)
    pixels = jax.device_put(data_sets.train.pixels)
    digits = jax.device_put(data_sets.train.digits)

    def run_interval() -> Interval:
        batches = session.next_batches()
        arguments = session.snapshot.state, numbers, pixels, digits, batches
        compiled = program.prepare(*arguments)
        started = time.perf_counter()
        state, metrics = compiled(*arguments)
        jax.block_until_ready(metrics)
        seconds = time.perf_counter() - started
        return session.advance(state, metrics, batches.size / seconds)

    return run_interval
