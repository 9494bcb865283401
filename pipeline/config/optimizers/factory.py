"""`optimizer=factory optimizer.factory=package.module.function`: anybody's optimizer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pipeline.config.consent import CodeName, function_wanted, load_named
from pipeline.config.errors import ConfigError
from pipeline.config.optimizers.row import NoSlots, Optimizer

if TYPE_CHECKING:
    import optax


@dataclass(kw_only=True)
class Factory(Optimizer):
    """A function that makes an optax transformation, called with (schedule, **arguments)."""

    name: Literal["factory"]
    factory: CodeName
    arguments: dict[str, Any] = field(default_factory=dict)

    def build(self, schedule: optax.Schedule) -> optax.GradientTransformation:
        """What the function returns.

        Raises:
            ConfigError: there is no such function, it refuses its arguments, or what it makes is
                not an optax transformation.
        """
        import optax

        key = f"optimizer.factory={self.factory}"
        make = load_named(self.factory, "optimizer.factory", [function_wanted])
        try:
            made = make(schedule, **self.arguments)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{key}: refuses optimizer.arguments={self.arguments}: {error}; it "
                              "is called with (schedule, **arguments)") from error
        if not isinstance(made, optax.GradientTransformation):
            raise ConfigError(f"{key}: returned a {type(made).__name__}; expected an optax "
                              "GradientTransformation")
        return made

    def slots(self) -> NoSlots:
        """Nothing is known of it."""
        return NoSlots()
