"""`optimizer=sign_sgd`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.config.optimizers.row import NoSlots, Optimizer

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class SignSGD(Optimizer):
    """The sign of the gradient alone (Bernstein et al., 2018)."""

    name: Literal["sign_sgd"]

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """optax's."""
        import optax

        return optax.sign_sgd(schedule)

    def slots(self) -> NoSlots:
        """TensorFlow 1 has no such optimizer."""
        return NoSlots()
