"""Initializers, regularizers and activations by the names that configuration gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from jax import Array

from pipeline import scopes
from pipeline.config import ConfigError
from pipeline.config.model import InitializerConfig, RegularizerConfig
from pipeline.scopes import initializers

INITIALIZERS: dict[str, Callable[..., initializers.Initializer]] = {
    "constant": initializers.Constant,
    "zeros": initializers.Zeros,
    "ones": initializers.Ones,
    "truncated_normal": initializers.TruncatedNormal,
    "random_normal": initializers.RandomNormal,
    "random_uniform": initializers.RandomUniform,
    "glorot_uniform": initializers.glorot_uniform_initializer,
    "glorot_normal": initializers.glorot_normal_initializer,
    "he_uniform": initializers.he_uniform,
    "he_normal": initializers.he_normal,
    "orthogonal": initializers.Orthogonal,
}
_PARAMETERS: dict[str, tuple[str, ...]] = {
    "constant": ("value",),
    "truncated_normal": ("mean", "stddev"),
    "random_normal": ("mean", "stddev"),
    "random_uniform": ("minval", "maxval"),
    "orthogonal": ("gain",),
}
ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda x: x,
    "relu": jax.nn.relu,
    "relu6": jax.nn.relu6,
    "leaky_relu": jax.nn.leaky_relu,
    "elu": jax.nn.elu,
    "selu": jax.nn.selu,
    "gelu": jax.nn.gelu,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jax.numpy.tanh,
    "softplus": jax.nn.softplus,
    "softsign": jax.nn.soft_sign,
    "swish": jax.nn.swish,
}


def initializer(config: InitializerConfig | None) -> initializers.Initializer | None:
    """The initializer that a configuration describes; None for None.

    Raises:
        ConfigError: a parameter that its kind does not have.
    """
    if config is None:
        return None
    given = {k: v for k, v in vars(config).items() if k != "kind" and v is not None}
    allowed = _PARAMETERS.get(config.kind, ())
    wrong = sorted(set(given) - set(allowed))
    if wrong:
        raise ConfigError(f"initializer kind={config.kind} has no {', '.join(wrong)}; "
                          f"it takes {', '.join(allowed) or 'no parameters'}; remove the others")
    return INITIALIZERS[config.kind](**given)


def regularizer(config: RegularizerConfig | None) -> Callable[[Array], Any] | None:
    """The regularizer that a configuration describes; None for None."""
    if config is None:
        return None
    if config.kind == "l1":
        return scopes.l1_regularizer(config.scale)
    return scopes.l2_regularizer(config.scale) if config.kind == "l2" else scopes.no_regularizer
