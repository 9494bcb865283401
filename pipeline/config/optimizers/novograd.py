"""`optimizer=novograd`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pipeline.config.optimizers.row import AdamLike, Fraction, NoSlots, NotNegative, PositiveFloat
from pipeline.config.roles import Constant, Number

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class NovoGrad(AdamLike):
    """Adam whose mean square is one number a variable (Ginsburg et al., 2019)."""

    name: Literal["novograd"]
    beta2: Annotated[Fraction, Constant] = 0.25
    epsilon: Annotated[PositiveFloat, Constant] = 1e-6
    weight_decay: Annotated[NotNegative, Number] = 0.0

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """optax's."""
        import optax

        return optax.novograd(schedule, self.beta1, self.beta2, self.epsilon,
                              weight_decay=self.weight_decay)

    def slots(self) -> NoSlots:
        """TensorFlow 1 has no such optimizer."""
        return NoSlots()
