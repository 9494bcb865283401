"""`optimizer=lars`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pipeline.config.optimizers.row import Fraction, NoSlots, NotNegative, Optimizer, PositiveFloat
from pipeline.config.roles import Constant, Number

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class Lars(Optimizer):
    """Momentum, each variable's step in the variable's own size (You et al., 2017)."""

    name: Literal["lars"]
    momentum: Annotated[Fraction, Number] = 0.9
    nesterov: bool = False
    weight_decay: Annotated[NotNegative, Number] = 0.0
    trust_coefficient: Annotated[PositiveFloat, Constant] = 1e-3

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """optax's."""
        import optax

        return optax.lars(schedule, self.weight_decay, trust_coefficient=self.trust_coefficient,
                          momentum=self.momentum, nesterov=self.nesterov)

    def slots(self) -> NoSlots:
        """TensorFlow 1 has no such optimizer."""
        return NoSlots()
