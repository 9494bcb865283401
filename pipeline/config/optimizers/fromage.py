"""`optimizer=fromage`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.config.optimizers.row import NoSlots, Optimizer

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class Fromage(Optimizer):
    """Steps in the size of each variable (Bernstein et al., 2020)."""

    name: Literal["fromage"]

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """optax's."""
        import optax

        return optax.fromage(schedule)

    def slots(self) -> NoSlots:
        """TensorFlow 1 has no such optimizer."""
        return NoSlots()
