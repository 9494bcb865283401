"""Several runs trained as one compiled program, each with its own session, history and end.

Every run is a lane: a place on the leading axis of states, numbers and batches. The numbers that
differ between the runs are arguments of the program; all else must be equal.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pipeline.config import Config
from pipeline.config.roles import Role, numbers_of
from pipeline.data import DataSets
from pipeline.model import Network
from pipeline.signals import watch_for_interruption
from pipeline.train.errors import TrainError
from pipeline.train.history import Interval
from pipeline.train.loop import Observer
from pipeline.train.numbers import Numbers, collect
from pipeline.train.program import Compiled, build_joint_program
from pipeline.train.progress import show_progress
from pipeline.train.result import FitResult, Stop
from pipeline.train.session import Session
from pipeline.train.snapshot import save_snapshot
from pipeline.train.state import TrainState
from pipeline.train.step import Metrics

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Member:
    """One of the runs: its network differs from the others' at most in its regularizers' scales."""

    network: Network
    config: Config
    snapshots: Path                # directory of its orbax steps
    observers: Sequence[Observer] = ()
    resume: Path | None = None     # as `fit` takes it
    begin: Callable[[TrainState], TrainState] | None = None


def fit_together(members: Sequence[Member], data_sets: DataSets) -> list[FitResult]:
    """Trains all runs at the same time; what `fit` would do to each, in one program.

    A run that stops early keeps the state it stopped with; its lane computes on unheeded.

    Raises:
        TrainError: the runs were interrupted at different steps.
    """
    # One network for everything but penalties, so that validation is compiled once.
    first = members[0].network
    sessions = [Session(first, data_sets, member.config) for member in members]
    for member, session in zip(members, sessions, strict=True):
        if member.begin is not None:
            session.begin_with(member.begin(session.snapshot.state))
        if member.resume is not None:
            session.resume(member.resume)
    lanes = Lanes(members, sessions, data_sets)
    stops = [Stop.EARLY if session.is_patience_exhausted else Stop.FINISHED
             for session in sessions]
    with watch_for_interruption() as interruption, show_progress(sessions[0].plan) as progress:
        while Stop.FINISHED in stops and lanes.step < sessions[0].plan.steps:
            running = [k for k, stop in enumerate(stops) if stop is Stop.FINISHED]
            progress(_mean(lanes.run_interval(running)))
            for k in running:
                stops[k] = _stop(members[k], sessions[k], interruption.requested)
    log.info("%d runs trained together to step %d", len(members), lanes.step)
    each = lanes.program.seconds / len(members)
    return [FitResult(session.snapshot, stop, each)
            for session, stop in zip(sessions, stops, strict=True)]


def _stop(member: Member, session: Session, interrupted: bool) -> Stop:
    interval, state = session.snapshot.history[-1], session.snapshot.state
    asked = [observer(interval, state) for observer in member.observers]
    stop = Stop.EARLY if session.is_patience_exhausted else Stop.FINISHED
    stop = next(filter(None, asked), stop)
    if interrupted:
        stop = Stop.INTERRUPTED
    if stop is Stop.INTERRUPTED or session.is_checkpoint_due():
        save_snapshot(
            member.snapshots, session.snapshot, keep=member.config.trainer.keep_checkpoints
        )
    return stop


class Lanes:
    """The compiled program, the data on the device, and the states of all runs, stacked."""

    def __init__(
        self, members: Sequence[Member], sessions: Sequence[Session], data_sets: DataSets
    ) -> None:
        steps = {session.step for session in sessions}
        if len(steps) > 1:
            raise TrainError(f"these runs stand at the steps {sorted(steps)} and cannot be trained "
                             "together; resume them with sweep.strategy=process")
        self.step = steps.pop()
        self._sessions = sessions
        self._numbers: Numbers = _stack(_numbers(members))
        self.program = Compiled(build_joint_program(
            members[0].network, members[0].config, sessions[0].plan.steps
        ))
        self._states: TrainState = _stack([session.snapshot.state for session in sessions])
        self._pixels = jax.device_put(data_sets.train.pixels)
        self._digits = jax.device_put(data_sets.train.digits)

    def run_interval(self, running: Sequence[int]) -> list[Interval]:
        """Trains all lanes for one interval; the sessions of the `running` ones advance."""
        own = {k: self._sessions[k].next_batches() for k in running}
        some = own[running[0]]
        batches = np.stack([own.get(k, some) for k in range(len(self._sessions))])
        arguments = self._states, self._numbers, self._pixels, self._digits, batches
        compiled = self.program.prepare(*arguments)
        started = time.perf_counter()
        self._states, metrics = compiled(*arguments)
        jax.block_until_ready(metrics)
        speed = some.size / (time.perf_counter() - started)
        self.step += len(some)
        intervals = []
        for k in running:
            state, means = _lane((self._states, metrics), k)
            intervals.append(self._sessions[k].advance(state, means, speed))
        return intervals


def _numbers(members: Sequence[Member]) -> list[Numbers]:
    """Of those numbers that could be constants, only the ones in which the runs differ."""
    everything = [numbers_of(member.config, Role.CONSTANT) for member in members]
    varied = {name for name in everything[0] if len({one[name] for one in everything}) > 1}
    return [collect(member.config, member.network, varied) for member in members]


def _stack(trees: Sequence[Any]) -> Any:
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


@jax.jit
def _lane(stacked: tuple[TrainState, Metrics], lane: int) -> tuple[TrainState, Metrics]:
    one: tuple[TrainState, Metrics] = jax.tree.map(lambda leaf: leaf[lane], stacked)
    return one


def _mean(intervals: Sequence[Interval]) -> Interval:
    """The means over all runs, for the progress bar; the speed is theirs together."""
    first = intervals[0]
    means: dict[str, Any] = {
        name: float(np.mean([getattr(one, name) for one in intervals]))
        for name in ("loss", "accuracy", "learning_rate", "validation_loss", "validation_accuracy")
        if getattr(first, name) is not None
    }
    speed = sum(interval.examples_per_second for interval in intervals)
    return replace(first, examples_per_second=speed, **means)
