"""`optimizer=nadam`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.config.optimizers.row import AdamLike, Slots

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class NAdam(AdamLike):
    """Adam with Nesterov's momentum (Dozat, 2016)."""

    name: Literal["nadam"]

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """optax's."""
        import optax

        return optax.nadam(schedule, self.beta1, self.beta2, self.epsilon)

    def slots(self) -> Slots:
        """TensorFlow's."""
        return self.as_adam()
