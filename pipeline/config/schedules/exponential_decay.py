"""`schedule=exponential_decay`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.config.roles import Number
from pipeline.config.schedules.row import Schedule

if TYPE_CHECKING:
    import jax
    import optax


@dataclass(kw_only=True)
class ExponentialDecay(Schedule):
    """TF1's: `learning_rate · decay_rate ** (step / decay_steps)`."""

    name: Literal["exponential_decay"]
    decay_steps: Annotated[int, Field(gt=0)]
    decay_rate: Annotated[float, Field(gt=0.0), Number] = 0.99
    staircase: bool = False              # decay in jumps: the exponent is rounded down

    def build(self, learning_rate: float, total_steps: int) -> optax.Schedule:
        """As `tf.train.exponential_decay`."""
        return exponential_decay(learning_rate, self.decay_steps, self.decay_rate, self.staircase)


def exponential_decay(
    learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False
) -> optax.Schedule:
    """TF1's `tf.train.exponential_decay` as a function of the step."""
    import jax.numpy as jnp

    def schedule(step: optax.ScalarOrSchedule) -> jax.Array:
        exponent = jnp.asarray(step, jnp.float32) / decay_steps
        return learning_rate * decay_rate ** (jnp.floor(exponent) if staircase else exponent)

    return schedule
