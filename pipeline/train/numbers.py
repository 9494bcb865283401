"""The numbers of a recipe that a compiled program takes as arguments instead of constants.

Runs that differ in nothing else share one program: the second one compiles nothing, and many can be
trained at once. An argument is rounded to float32 before anything is computed from it, a constant
after: `1 - 0.999` differs by 5e-5 of itself. So only numbers for which that makes no difference are
always arguments (`roles.Number`), and the others (`roles.Constant`) where runs that differ in them
are trained together.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import jax

from pipeline.config import Config
from pipeline.config.roles import Role, numbers_of
from pipeline.model import Network
from pipeline.scopes.regularizers import L1, L2


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Numbers:
    """A pytree of scalars."""

    settings: dict[str, Any]       # by dotted configuration key
    penalties: dict[str, Any]      # by variable: the scale of its l1 or l2 regularizer


@dataclass(frozen=True)
class _Scaled:
    """A regularizer of scale 1 and the scale, which may be traced."""

    unit: L1 | L2
    scale: Any

    def __call__(self, weights: jax.Array) -> jax.Array:
        scaled: jax.Array = self.unit(weights) * self.scale
        return scaled


def collect(config: Config, network: Network, together: Collection[str] = ()) -> Numbers:
    """The numbers of one run; of those that are constants otherwise, the ones `together` names."""
    found = numbers_of(config, Role.NUMBER)
    found |= {name: value for name, value in numbers_of(config, Role.CONSTANT).items()
              if name in together}
    penalties = {
        name: spec.regularizer.scale for name, spec in network.specs.items()
        if isinstance(spec.regularizer, L1 | L2)
    }
    return Numbers(found, penalties)


def substitute(config: Config, network: Network, numbers: Numbers) -> tuple[Config, Network]:
    """The same recipe with other numbers, which may be traced."""
    for name, value in numbers.settings.items():
        config = _replaced(config, name.split("."), value)
    specs = dict(network.specs)
    for name, scale in numbers.penalties.items():
        regularizer = specs[name].regularizer
        assert isinstance(regularizer, L1 | L2), "collect looked for these"
        specs[name] = replace(specs[name], regularizer=_Scaled(type(regularizer)(1.0), scale))
    return config, replace(network, specs=specs)


def _replaced(config: Any, path: list[str], value: Any) -> Any:
    head, *rest = path
    inner = _replaced(getattr(config, head), rest, value) if rest else value
    return replace(config, **{head: inner})
