"""An interval of training as one compiled program, for one run or for several at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeAlias

import jax
from jax.typing import ArrayLike

from pipeline.config import Config
from pipeline.model import Network
from pipeline.train.numbers import Numbers, substitute
from pipeline.train.optimizer import build_optimizer
from pipeline.train.state import TrainState
from pipeline.train.step import Metrics, build_step, run_steps

log = logging.getLogger(__name__)

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


class Compiled:
    """A program that is compiled before it is called, so that the time for it is known by itself.

    `seconds` is what that took so far: tracing, lowering and XLA, or reading from JAX's cache.
    """

    def __init__(self, program: Any) -> None:
        self._program = program
        self._compiled: dict[Any, Any] = {}
        self.seconds = 0.0

    def prepare(self, *arguments: Any) -> Callable[..., tuple[TrainState, Metrics]]:
        """The program compiled for arguments of these types; the last interval may be shorter."""
        types = tuple(jax.typeof(leaf) for leaf in jax.tree.leaves(arguments))
        if types not in self._compiled:
            began = time.perf_counter()
            self._compiled[types] = self._lower(*arguments).compile()
            took = time.perf_counter() - began
            log.info("compiled an interval of training in %.1f s", took)
            self.seconds += took
        compiled: Callable[..., tuple[TrainState, Metrics]] = self._compiled[types]
        return compiled

    def _lower(self, *arguments: Any) -> Any:
        return self._program.lower(*arguments)


def _interval(network: Network, config: Config, total_steps: int) -> Program:
    def interval(
        state: TrainState, numbers: Numbers, pixels: jax.Array, digits: jax.Array,
        indices: ArrayLike,
    ) -> tuple[TrainState, Metrics]:
        current, penalised = substitute(config, network, numbers)
        schedule = current.schedule.build(current.optimizer.learning_rate, total_steps)
        optimizer = build_optimizer(current.optimizer, schedule)
        step = build_step(penalised, optimizer, current.trainer)
        return run_steps(step, state, pixels, digits, indices)

    return interval
