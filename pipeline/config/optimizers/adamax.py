"""`optimizer=adamax`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.config.optimizers.row import AdamLike, Slots

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class AdaMax(AdamLike):
    """Adam by the largest gradient, not the mean square (Kingma and Ba, 2015)."""

    name: Literal["adamax"]

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """optax's."""
        import optax

        return optax.adamax(schedule, self.beta1, self.beta2, self.epsilon)

    def slots(self) -> Slots:
        """TensorFlow's."""
        return Slots("adamax", {"m": "mu", "v": "nu"}, powers={"beta1_power": self.beta1})
