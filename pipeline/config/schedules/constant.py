"""`schedule=constant`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.config.schedules.row import Schedule

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class Constant(Schedule):
    """The same learning rate at each step."""

    name: Literal["constant"]

    def build(self, learning_rate: float, total_steps: int) -> optax.Schedule:
        """optax's."""
        import optax

        return optax.constant_schedule(learning_rate)
