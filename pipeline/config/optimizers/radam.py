"""`optimizer=radam`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.config.optimizers.row import AdamLike, NoSlots

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class RAdam(AdamLike):
    """Adam, rectified while it has seen few gradients (Liu et al., 2020)."""

    name: Literal["radam"]

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """optax's."""
        import optax

        return optax.radam(schedule, self.beta1, self.beta2, self.epsilon)

    def slots(self) -> NoSlots:
        """TensorFlow 1 has no such optimizer."""
        return NoSlots()
