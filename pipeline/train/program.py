"""An interval of training as one compiled program, for one run or for several at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import jax
from jax.typing import ArrayLike

from pipeline.config import Config
from pipeline.model import Network
from pipeline.train.numbers import Numbers, substitute
from pipeline.train.optimizer import build_optimizer
from pipeline.train.schedule import build_schedule
from pipeline.train.state import TrainState
from pipeline.train.step import Metrics, build_step, run_steps

Program: TypeAlias = Callable[
    [TrainState, Numbers, jax.Array, jax.Array, ArrayLike], tuple[TrainState, Metrics]
]


def build_program(network: Network, config: Config, total_steps: int) -> Program:
    """(state, numbers, pixels, digits, indices [steps, batch]) → the state after, mean metrics.

    The state is donated. What `numbers` holds is an argument of the program, the rest of the
    configuration a constant in it.
    """
    return jax.jit(_interval(network, config, total_steps), donate_argnums=0)


def build_joint_program(network: Network, config: Config, total_steps: int) -> Program:
    """The same for several runs: states, numbers and indices have a leading axis of runs."""
    interval = jax.vmap(_interval(network, config, total_steps), in_axes=(0, 0, None, None, 0))
    return jax.jit(interval, donate_argnums=0)


def _interval(network: Network, config: Config, total_steps: int) -> Program:
    def interval(
        state: TrainState, numbers: Numbers, pixels: jax.Array, digits: jax.Array,
        indices: ArrayLike,
    ) -> tuple[TrainState, Metrics]:
        current, penalised = substitute(config, network, numbers)
        schedule = build_schedule(
            current.schedule, current.optimizer.learning_rate, total_steps
        )
        optimizer = build_optimizer(current.optimizer, schedule)
        step = build_step(penalised, optimizer, current.trainer)
        return run_steps(step, state, pixels, digits, indices)

    return interval
