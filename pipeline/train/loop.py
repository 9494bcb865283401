"""Training from the first step to the last: intervals, validation, saving, stopping.

`fit` is the effectful shell; what is learned happens in `step`. If reading the code, go from
`fit` to `Session.run_interval`.
"""

from __future__ import annotations

import enum
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import optax

from pipeline.config import Config
from pipeline.data import BatchIndices, DataSets
from pipeline.model import Network, Variables, predict_logits
from pipeline.train.history import Interval
from pipeline.train.interruption import watch_for_interruption
from pipeline.train.loss import cross_entropy
from pipeline.train.optimizer import build_optimizer
from pipeline.train.plan import Plan
from pipeline.train.progress import show_progress
from pipeline.train.schedule import build_schedule
from pipeline.train.snapshot import Snapshot, find_step, load_snapshot, save_snapshot
from pipeline.train.state import TrainState, init_state
from pipeline.train.step import build_interval, build_step

log = logging.getLogger(__name__)


class Stop(enum.Enum):
    """Why training ended."""

    FINISHED = "all steps done"
    EARLY = "the validation metric stopped improving"
    INTERRUPTED = "asked to stop; can be resumed"


class Observer(Protocol):
    """Is told of every interval, with the state at its end; must not keep the state's buffers."""

    def __call__(self, interval: Interval, state: TrainState) -> None:
        """Called after each interval."""


@dataclass(frozen=True)
class FitResult:
    """A trained model, and all that is needed to train it further."""

    snapshot: Snapshot
    stop: Stop

    @property
    def variables(self) -> Variables:
        """What to evaluate and persist: EMA shadows where the run keeps them."""
        return self.snapshot.state.averaged

    @property
    def history(self) -> list[Interval]:
        """One entry an interval, those before a resume included."""
        return self.snapshot.history


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
    stop = Stop.FINISHED
    with watch_for_interruption() as interruption, show_progress(session.plan) as progress:
        while stop is Stop.FINISHED and session.step < session.plan.steps:
            interval = session.run_interval()
            progress(interval)
            for observer in observers:
                observer(interval, session.snapshot.state)
            if session.snapshot.patience.exhausted(interval, config.trainer.early_stopping):
                stop = Stop.EARLY
            if interruption.requested:
                stop = Stop.INTERRUPTED
            if stop is Stop.INTERRUPTED or session.is_checkpoint_due():
                save_snapshot(snapshots, session.snapshot, keep=config.trainer.keep_checkpoints)
    log.info("stopped at step %d: %s", session.step, stop.value)
    return FitResult(session.snapshot, stop)


class Session:
    """The compiled interval, the data on the device, and the snapshot that moves forward."""

    def __init__(self, network: Network, data_sets: DataSets, config: Config) -> None:
        self.plan = Plan.build(config.trainer, data_sets.train.num_examples)
        self._network = network
        self._validation = data_sets.validation
        self._trainer = config.trainer
        self._schedule = build_schedule(
            config.schedule, config.optimizer.learning_rate, self.plan.steps
        )
        optimizer = build_optimizer(config.optimizer, self._schedule)
        self._interval = build_interval(build_step(network, optimizer, config.trainer))
        self._pixels = jax.device_put(data_sets.train.pixels)
        self._digits = jax.device_put(data_sets.train.digits)
        self._batches = BatchIndices(
            data_sets.train.num_examples, np.random.RandomState(config.seed)
        )
        self.snapshot = Snapshot(
            state=init_state(network, optimizer, config.trainer.ema, config.seed),
            batches=self._batches.state(),
            recipe=_recipe(config, data_sets, self.plan),
        )

    @property
    def step(self) -> int:
        """Updates done."""
        return int(self.snapshot.state.step)

    def begin_with(self, state: TrainState) -> None:
        """Takes another state to begin with, and the data where that state's run would have it."""
        self._batches.take(int(state.step), self._trainer.batch_size)
        self.snapshot.batches = self._batches.state()
        # Copies: intervals overwrite the state's buffers, so no two may be one, or the caller's.
        self.snapshot.state = jax.tree.map(jnp.copy, state)

    def resume(self, directory: Path) -> None:
        """Goes on from an orbax step, when there is one."""
        found = find_step(directory)
        if found is not None:
            self.snapshot = load_snapshot(found, like=self.snapshot)
            log.info("resuming at step %d from %s", self.step, found)

    def run_interval(self) -> Interval:
        """Trains for one interval and appends what it did to the history."""
        started = time.perf_counter()
        steps = min(self.plan.interval, self.plan.steps - self.step)
        self._batches.restore(self.snapshot.batches)
        indices = self._batches.take(steps, self._trainer.batch_size)
        state, metrics = self._interval(
            self.snapshot.state, self._pixels, self._digits, indices
        )
        means = {name: float(value) for name, value in metrics.items()}
        seconds = time.perf_counter() - started
        self.snapshot.state, self.snapshot.batches = state, self._batches.state()
        interval = Interval(
            step=self.step,
            epoch=self.step * self._trainer.batch_size / self.plan.examples,
            learning_rate=float(_at(self._schedule, self.step - 1)),
            examples_per_second=steps * self._trainer.batch_size / seconds,
            **means,
            **self._validate(state),
        )
        self.snapshot.history.append(interval)
        return interval

    def _validate(self, state: TrainState) -> dict[str, float]:
        intervals = len(self.snapshot.history) + 1
        last = self.step >= self.plan.steps
        due = intervals % self._trainer.evaluate_every == 0 or last
        if not due or not self._validation.num_examples:
            return {}
        logits = predict_logits(self._network, state.averaged, self._validation.pixels)
        hits = logits.argmax(axis=-1) == self._validation.digits
        loss = cross_entropy(jnp.asarray(logits), jnp.asarray(self._validation.digits))
        return {"validation_loss": float(loss), "validation_accuracy": float(hits.mean())}

    def is_checkpoint_due(self) -> bool:
        """Whether a snapshot is to be kept of the state as it is now."""
        every = self._trainer.checkpoint_every
        return every is not None and len(self.snapshot.history) % every == 0


def _at(schedule: optax.Schedule, step: int) -> Any:
    return schedule(np.int32(step))


def _recipe(config: Config, data_sets: DataSets, plan: Plan) -> dict[str, Any]:
    """What both halves of an interrupted run must share; how long it trains may change."""
    trainer = asdict(config.trainer)
    for free in ("epochs", "steps", "checkpoint_every", "keep_checkpoints", "early_stopping"):
        del trainer[free]
    schedule = asdict(config.schedule)
    if config.schedule.name == "cosine" and config.schedule.decay_steps is None:
        schedule["decay_steps"] = plan.steps
    return {
        "dataset": data_sets.fingerprint,
        "model": asdict(config.model),
        "optimizer": asdict(config.optimizer),
        "schedule": schedule,
        "trainer": trainer,
        "seed": config.seed,
    }
