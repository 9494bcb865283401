"""TensorFlow's arguments that mean nothing here: refused with the reason, never ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.scopes.errors import ScopeTypeError

_INSTEAD = {
    "partitioner": "a variable is one whole array; place it on several devices with jax.sharding",
    "caching_device": "JAX places arrays itself; use jax.device_put",
    "constraint": "project the values in the training step, after the optimizer",
    "validate_shape": "a variable's shape is always fixed",
    "use_resource": "there is one kind of variable",
    "synchronization": "values are arrays; average them over devices in the training step",
    "aggregation": "values are arrays; average them over devices in the training step",
}


def refuse(function: str, given: Mapping[str, Any]) -> None:
    """Refuses what was given beyond the arguments that a function has; None counts as not given.

    Raises:
        ScopeTypeError: names the argument and what to do instead.
    """
    for name, value in given.items():
        if name not in _INSTEAD:
            raise ScopeTypeError(f"{function}() has no argument {name!r}")
        if value is not None:
            raise ScopeTypeError(f"{function}({name}=…) is not supported: {_INSTEAD[name]}")
