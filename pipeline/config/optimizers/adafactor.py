"""`optimizer=adafactor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.config.optimizers.row import Fraction, NoSlots, Optimizer
from pipeline.config.roles import Constant

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class Adafactor(Optimizer):
    """Mean squares by row and column: little memory (Shazeer and Stern, 2018)."""

    name: Literal["adafactor"]
    decay_rate: Annotated[Fraction, Constant] = 0.8
    multiply_by_parameter_scale: bool = True  # steps in each variable's own size
    min_dim_size_to_factor: Annotated[int, Field(gt=0)] = 128  # smaller sides are kept whole

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """optax's."""
        import optax

        return optax.adafactor(
            schedule, self.min_dim_size_to_factor, self.decay_rate,
            multiply_by_parameter_scale=self.multiply_by_parameter_scale)

    def slots(self) -> NoSlots:
        """TensorFlow 1 has no such optimizer."""
        return NoSlots()
