"""`schedule=polynomial`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.config.roles import Constant
from pipeline.config.schedules.row import Schedule

if TYPE_CHECKING:
    import jax
    import optax


@dataclass(kw_only=True)
class Polynomial(Schedule):
    """TF1's: down to the last rate, along a straight line where `power` is 1."""

    name: Literal["polynomial"]
    decay_steps: Annotated[int, Field(gt=0)] | None = None    # all steps when not given
    power: Annotated[float, Field(gt=0.0), Constant] = 1.0
    # last rate / first rate
    end_factor: Annotated[float, Field(ge=0.0, le=1.0), Constant] = 0.0

    def build(self, learning_rate: float, total_steps: int) -> optax.Schedule:
        """As `tf.train.polynomial_decay`, whose end_learning_rate is `end_factor` of the first."""
        import jax.numpy as jnp

        steps = self.decay_steps or total_steps

        def schedule(step: optax.ScalarOrSchedule) -> jax.Array:
            left = 1.0 - jnp.minimum(jnp.asarray(step, jnp.float32), steps) / steps
            return learning_rate * (self.end_factor + (1.0 - self.end_factor) * left**self.power)

        return schedule

    def length(self, total_steps: int) -> int | None:
        """All steps, unless it is said."""
        return total_steps if self.decay_steps is None else None
