"""Everything that training carries from one step to the next."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import optax

from pipeline.config.schema import EmaConfig
from pipeline.model import Network, Variables


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class TrainState:
    """A pytree; `step` counts the updates done."""

    step: jax.Array                # int32 []
    params: Variables              # trainable variables by name
    statistics: Variables          # the others: moving means and variances
    opt_state: optax.OptState
    ema: Variables                 # shadows of params; empty when EMA is off
    key: jax.Array                 # the run's random key; a step folds its number into it

    @property
    def variables(self) -> Variables:
        """All variables of the model as they are trained."""
        return {**self.params, **self.statistics}

    @property
    def averaged(self) -> Variables:
        """The variables to evaluate and persist: EMA shadows where there are any."""
        return {**self.params, **self.ema, **self.statistics}


def init_state(
    network: Network,
    optimizer: optax.GradientTransformation,
    ema: EmaConfig | None,
    seed: int,
) -> TrainState:
    """The state before the first step: a function of the seed alone."""
    variables = network.init(seed)
    params = {name: value for name, value in variables.items() if network.specs[name].trainable}
    statistics = {name: value for name, value in variables.items() if name not in params}
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        params=params,
        statistics=statistics,
        opt_state=optimizer.init(params),
        # A copy: the state is donated to each interval, and one buffer can't be donated twice.
        ema={name: jnp.array(value, copy=True) for name, value in params.items()} if ema else {},
        key=jax.random.key(seed),
    )
