"""One run between two intervals: which examples come next, what the last interval did.

A session computes nothing by itself: `loop` and `together` give it the states that programs made.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from pipeline.config import Config
from pipeline.config.roles import state_recipe_of
from pipeline.data import BatchIndices, DataSets
from pipeline.model import Network, fitted, predict_logits, to_input
from pipeline.train.errors import TrainError
from pipeline.train.history import Interval
from pipeline.train.loss import cross_entropy
from pipeline.train.optimizer import build_optimizer
from pipeline.train.plan import Plan
from pipeline.train.snapshot import Snapshot, find_step, load_snapshot
from pipeline.train.state import TrainState, init_state
from pipeline.train.step import Metrics

log = logging.getLogger(__name__)


class Session:
    """The plan, the order of the examples, and the snapshot that moves forward."""

    def __init__(self, network: Network, data_sets: DataSets, config: Config) -> None:
        _require_fit(network, data_sets, config)
        self.plan = Plan.build(config.trainer, data_sets.train.num_examples)
        self.config = config
        self._network = network
        self._validation = data_sets.validation
        self._schedule = config.schedule.build(config.optimizer.learning_rate, self.plan.steps)
        self._batches = BatchIndices(
            data_sets.train.num_examples, np.random.RandomState(config.seed)
        )
        optimizer = build_optimizer(config.optimizer, self._schedule)
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
        self._batches.take(int(state.step), self.config.trainer.batch_size)
        self.snapshot.batches = self._batches.state()
        # Copies: intervals overwrite the state's buffers, so no two may be one, or the caller's.
        self.snapshot.state = jax.tree.map(jnp.copy, state)

    def resume(self, directory: Path) -> None:
        """Goes on from an orbax step, when there is one."""
        found = find_step(directory)
        if found is not None:
            self.snapshot = load_snapshot(found, like=self.snapshot)
            log.info("resuming at step %d from %s", self.step, found)

    def next_batches(self) -> NDArray[np.int32]:
        """The examples of the next interval, [steps, batch]; the same until `advance`."""
        steps = min(self.plan.interval, self.plan.steps - self.step)
        self._batches.restore(self.snapshot.batches)
        return self._batches.take(steps, self.config.trainer.batch_size)

    def advance(self, state: TrainState, metrics: Metrics, examples_per_second: float) -> Interval:
        """Takes the state after the batches of `next_batches`, and adds to the history."""
        self.snapshot.state, self.snapshot.batches = state, self._batches.state()
        interval = Interval(
            step=self.step,
            epoch=self.step * self.config.trainer.batch_size / self.plan.examples,
            learning_rate=float(_at(self._schedule, self.step - 1)),
            examples_per_second=examples_per_second,
            **{name: float(value) for name, value in metrics.items()},
            **self._validate(state),
        )
        self.snapshot.history.append(interval)
        self.snapshot.patience.take(interval, self.config.trainer.early_stopping)
        return interval

    def _validate(self, state: TrainState) -> dict[str, float]:
        intervals = len(self.snapshot.history) + 1
        last = self.step >= self.plan.steps
        due = intervals % self.config.trainer.evaluate_every == 0 or last
        if not due or not self._validation.num_examples:
            return {}
        logits = predict_logits(self._network, state.averaged, self._validation.pixels)
        hits = logits.argmax(axis=-1) == self._validation.digits
        loss = cross_entropy(jnp.asarray(logits), jnp.asarray(self._validation.digits))
        return {"validation_loss": float(loss), "validation_accuracy": float(hits.mean())}

    @property
    def is_patience_exhausted(self) -> bool:
        """Whether validation has not improved for so long that the run should stop."""
        return self.snapshot.patience.is_exhausted(self.config.trainer.early_stopping)

    def is_checkpoint_due(self) -> bool:
        """Whether a snapshot is to be kept of the state as it is now."""
        every = self.config.trainer.checkpoint_every
        return every is not None and len(self.snapshot.history) % every == 0


def _require_fit(network: Network, data_sets: DataSets, config: Config) -> None:
    """Refuses what would fail inside a compiled program, or silently never happen."""
    jax.eval_shape(lambda pixels: to_input(network, pixels), data_sets.train.pixels)
    if config.trainer.augmentation is not None and data_sets.train.pixels.ndim < 3:
        raise TrainError("trainer.augmentation: moves and turns images, and the data are features; "
                         "set it to null")
    if config.trainer.early_stopping is not None and not data_sets.validation.num_examples:
        raise TrainError(
            "trainer.early_stopping: looks at validation examples, and there are none; give "
            "dataset.validation_size, or set trainer.early_stopping to null"
        )


def _at(schedule: optax.Schedule, step: int) -> Any:
    return schedule(np.int32(step))


def _recipe(config: Config, data_sets: DataSets, plan: Plan) -> dict[str, Any]:
    """What both halves of an interrupted run must share; how long it trains may change."""
    schedule = state_recipe_of(config.schedule)
    if config.schedule.length(plan.steps) is not None:
        schedule["decay_steps"] = config.schedule.length(plan.steps)
    return {
        "dataset": data_sets.fingerprint,
        "model": state_recipe_of(fitted(config.model, data_sets.description)),
        "optimizer": state_recipe_of(config.optimizer),
        "schedule": schedule,
        "trainer": state_recipe_of(config.trainer),
        "seed": config.seed,
    }
