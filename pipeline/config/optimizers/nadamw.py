"""`optimizer=nadamw`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pipeline.config.optimizers.row import AdamLike, NotNegative, Slots
from pipeline.config.roles import Number

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class NAdamW(AdamLike):
    """NAdam with decay of the weights apart from the gradient."""

    name: Literal["nadamw"]
    weight_decay: Annotated[NotNegative, Number] = 1e-4

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """optax's."""
        import optax

        return optax.nadamw(schedule, self.beta1, self.beta2, self.epsilon,
                            weight_decay=self.weight_decay)

    def slots(self) -> Slots:
        """TensorFlow's."""
        return self.as_adam()
