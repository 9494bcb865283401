"""What every optimizer is made of: options, optax transformation, TensorFlow's names.

A row is one file beside this one and one line in the package's table. It imports optax only when it
builds: configurations are checked before JAX is.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import Field

from pipeline.config.roles import Constant, Number

if TYPE_CHECKING:
    import optax

PositiveFloat: TypeAlias = Annotated[float, Field(gt=0.0)]
NotNegative: TypeAlias = Annotated[float, Field(ge=0.0)]
Fraction: TypeAlias = Annotated[float, Field(ge=0.0, lt=1.0)]


@dataclass(frozen=True)
class Slots:
    """The optimizer's state under TensorFlow's names, as `checkpoint.optimizer_slots` has them.

    `negated` are the slots in which TensorFlow keeps the negative of what optax does; `powers` are
    TensorFlow's counters and the number of which each is a power.
    """

    optimizer: str                              # TensorFlow's, as `optimizer_slots` takes it
    fields: Mapping[str, str] = field(default_factory=dict)   # TensorFlow's slot → optax's field
    negated: tuple[str, ...] = ()
    powers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class NoSlots:
    """TensorFlow 1 has no such optimizer: a checkpoint has no names for its state."""


@dataclass(kw_only=True)
class Optimizer:
    """What all optimizers take; a row adds `name`, its tag and that of its file in `conf/`."""

    learning_rate: Annotated[PositiveFloat, Number]
  # of the whole gradient, before the optimizer
    clip_norm: Annotated[PositiveFloat | None, Number] = None

    def __init_subclass__(cls) -> None:
        """Refuses a row that is not whole when it is imported, not after a training."""
        lacking = {"build", "slots"} - vars(cls).keys()
        if lacking and "name" in inspect.get_annotations(cls):
            raise TypeError(f"{cls.__name__}: an optimizer needs its own {sorted(lacking)}")

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """The optax transformation, its learning rate driven by `schedule`."""
        raise NotImplementedError

    def slots(self) -> Slots | NoSlots:
        """What TensorFlow 1 calls the state."""
        raise NotImplementedError


@dataclass(kw_only=True)
class AdamLike(Optimizer):
    """Averages of the gradient and of its square."""

    beta1: Annotated[Fraction, Constant] = 0.9
    beta2: Annotated[Fraction, Constant] = 0.999
    epsilon: Annotated[PositiveFloat, Constant] = 1e-8

    def as_adam(self) -> Slots:
        """For those whose state is Adam's: m and v before bias correction, and the powers."""
        return Slots("adam", {"m": "mu", "v": "nu"},
                     powers={"beta1_power": self.beta1, "beta2_power": self.beta2})
