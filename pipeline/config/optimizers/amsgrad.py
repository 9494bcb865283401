"""`optimizer=amsgrad`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.config.optimizers.row import AdamLike, NoSlots

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class AMSGrad(AdamLike):
    """Adam whose mean square never falls (Reddi et al., 2018)."""

    name: Literal["amsgrad"]

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """optax's."""
        import optax

        return optax.amsgrad(schedule, self.beta1, self.beta2, self.epsilon)

    def slots(self) -> NoSlots:
        """TensorFlow 1 has no such optimizer."""
        return NoSlots()
