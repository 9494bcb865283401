"""`schedule=cosine`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.config.roles import Constant
from pipeline.config.schedules.row import Schedule

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class Cosine(Schedule):
    """Linear growth over `warmup_steps`, then half a cosine down to the last rate."""

    name: Literal["cosine"]
    decay_steps: Annotated[int, Field(gt=0)] | None = None    # all steps when not given
    warmup_steps: Annotated[int, Field(ge=0)] = 0             # steps of linear growth from 0
    # last rate / first rate
    end_factor: Annotated[float, Field(ge=0.0, le=1.0), Constant] = 0.0

    def build(self, learning_rate: float, total_steps: int) -> optax.Schedule:
        """At `end_factor · learning_rate` at `decay_steps`, by default the last step."""
        # Not optax.warmup_cosine_decay_schedule: it asks whether the learning rate is 0, which a
        # traced one cannot answer.
        import optax

        warmup = self.warmup_steps
        falling = optax.cosine_decay_schedule(
            learning_rate, max((self.decay_steps or total_steps) - warmup, 1),
            alpha=self.end_factor)
        rising = optax.linear_schedule(0.0, learning_rate, warmup)
        return optax.join_schedules([rising, falling], [warmup]) if warmup else falling

    def length(self, total_steps: int) -> int | None:
        """All steps, unless it is said."""
        return total_steps if self.decay_steps is None else None
