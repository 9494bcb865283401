"""`optimizer=adan`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pipeline.config.optimizers.row import Fraction, NoSlots, NotNegative, Optimizer, PositiveFloat
from pipeline.config.roles import Constant, Number

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class Adan(Optimizer):
    """Adam with Nesterov's momentum of differences (Xie et al., 2022)."""

    name: Literal["adan"]
    beta1: Annotated[Fraction, Constant] = 0.98
    beta2: Annotated[Fraction, Constant] = 0.92
    beta3: Annotated[Fraction, Constant] = 0.99
    epsilon: Annotated[PositiveFloat, Constant] = 1e-8
    weight_decay: Annotated[NotNegative, Number] = 0.0

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """optax's."""
        import optax

        return optax.adan(schedule, self.beta1, self.beta2, self.beta3, self.epsilon,
                          weight_decay=self.weight_decay)

    def slots(self) -> NoSlots:
        """TensorFlow 1 has no such optimizer."""
        return NoSlots()
