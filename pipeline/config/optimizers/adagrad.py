"""`optimizer=adagrad`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pipeline.config.optimizers.row import NotNegative, Optimizer, Slots
from pipeline.config.roles import Constant

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class Adagrad(Optimizer):
    """Gradients divided by the root of the sum of their squares (Duchi et al., 2011)."""

    name: Literal["adagrad"]
    initial_accumulator: Annotated[NotNegative, Constant] = 0.1
    epsilon: Annotated[NotNegative, Constant] = 1e-7  # TensorFlow: 0

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """optax's."""
        import optax

        return optax.adagrad(schedule, self.initial_accumulator, self.epsilon)

    def slots(self) -> Slots:
        """TensorFlow's."""
        return Slots("adagrad", {"accumulator": "sum_of_squares"})
