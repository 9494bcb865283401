"""`optimizer=lion`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pipeline.config.optimizers.row import Fraction, NoSlots, NotNegative, Optimizer
from pipeline.config.roles import Constant, Number

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class Lion(Optimizer):
    """The sign of an averaged gradient (Chen et al., 2023)."""

    name: Literal["lion"]
    beta1: Annotated[Fraction, Constant] = 0.9
    beta2: Annotated[Fraction, Constant] = 0.99
    weight_decay: Annotated[NotNegative, Number] = 1e-3

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """optax's."""
        import optax

        return optax.lion(schedule, self.beta1, self.beta2, weight_decay=self.weight_decay)

    def slots(self) -> NoSlots:
        """TensorFlow 1 has no such optimizer."""
        return NoSlots()
