"""`optimizer=adadelta`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pipeline.config.optimizers.row import Fraction, Optimizer, PositiveFloat, Slots
from pipeline.config.roles import Constant

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class Adadelta(Optimizer):
    """Steps in the size of the last steps (Zeiler, 2012)."""

    name: Literal["adadelta"]
    rho: Annotated[Fraction, Constant] = 0.9  # TensorFlow: 0.95
    epsilon: Annotated[PositiveFloat, Constant] = 1e-6  # TensorFlow: 1e-8

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """optax's."""
        import optax

        return optax.adadelta(schedule, self.rho, self.epsilon)

    def slots(self) -> Slots:
        """TensorFlow's."""
        return Slots("adadelta", {"accum": "e_g", "accum_update": "e_x"})
