"""`optimizer=sgd`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.config.optimizers.row import Optimizer, Slots

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class SGD(Optimizer):
    """Gradient descent."""

    name: Literal["sgd"]

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """optax's."""
        import optax

        return optax.sgd(schedule)

    def slots(self) -> Slots:
        """TensorFlow's."""
        return Slots("sgd")
