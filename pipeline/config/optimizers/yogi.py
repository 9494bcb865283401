"""`optimizer=yogi`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pipeline.config.optimizers.row import AdamLike, NoSlots, PositiveFloat
from pipeline.config.roles import Constant

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class Yogi(AdamLike):
    """Adam whose mean square grows additively (Zaheer et al., 2018)."""

    name: Literal["yogi"]
    epsilon: Annotated[PositiveFloat, Constant] = 1e-3

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """optax's."""
        import optax

        return optax.yogi(schedule, self.beta1, self.beta2, self.epsilon)

    def slots(self) -> NoSlots:
        """TensorFlow 1 has no such optimizer."""
        return NoSlots()
