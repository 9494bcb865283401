"""`optimizer=rmsprop`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pipeline.config.optimizers.row import Fraction, NotNegative, Optimizer, PositiveFloat, Slots
from pipeline.config.roles import Constant, Number

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class RMSProp(Optimizer):
    """Gradients divided by their running size, as TensorFlow 1 does it (Hinton, 2012)."""

    name: Literal["rmsprop"]
    decay: Annotated[Fraction, Constant] = 0.9
    epsilon: Annotated[PositiveFloat, Constant] = 1e-8  # TensorFlow: 1e-10
    initial_scale: Annotated[NotNegative, Constant] = 0.0  # TensorFlow: 1
    centered: bool = False  # by the variance, not the mean square
    momentum: Annotated[Fraction, Number] = 0.0
    nesterov: bool = False

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """optax's."""
        import optax

        return optax.rmsprop(
            schedule, self.decay, self.epsilon, self.initial_scale, centered=self.centered,
            momentum=self.momentum, nesterov=self.nesterov)

    def slots(self) -> Slots:
        """TensorFlow's momentum is of steps to take away, optax's of steps to add."""
        fields = {"mean_square": "nu", "momentum": "trace"}
        if self.centered:
            return Slots("rmsprop_centered", fields | {"mean_gradient": "mu"}, ("momentum",))
        return Slots("rmsprop", fields, ("momentum",))
