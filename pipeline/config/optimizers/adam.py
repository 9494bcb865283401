"""`optimizer=adam`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.config.optimizers.row import AdamLike, Slots

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class Adam(AdamLike):
    """Adam (Kingma and Ba, 2015)."""

    name: Literal["adam"]

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """optax's."""
        import optax

        return optax.adam(schedule, self.beta1, self.beta2, self.epsilon)

    def slots(self) -> Slots:
        """TensorFlow's."""
        return self.as_adam()
