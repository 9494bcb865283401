"""`optimizer=momentum`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pipeline.config.optimizers.row import Fraction, Optimizer, Slots
from pipeline.config.roles import Number

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class Momentum(Optimizer):
    """Gradient descent on a decaying sum of gradients."""

    name: Literal["momentum"]
    momentum: Annotated[Fraction, Number] = 0.9
    nesterov: bool = False

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """optax's."""
        import optax

        return optax.sgd(schedule, self.momentum, self.nesterov)

    def slots(self) -> Slots:
        """TensorFlow's."""
        return Slots("momentum", {"momentum": "trace"})
