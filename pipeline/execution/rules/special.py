"""Special functions. JAX lacks Bessel's K: K_v(x) e^x is the integral over t > 0 of
exp(-x (cosh t - 1)) cosh(v t), for which the trapezoidal rule converges fast.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy import special

from pipeline.execution.registry import Node, rule
from pipeline.execution.values import to_jax


def _bessel_k_scaled(order: int, x: Any) -> Any:
    """K_0 or K_1 times e^x; NaN below 0."""
    step, count = 0.08, 400
    small = jnp.clip(x, jnp.finfo(x.dtype).tiny, None)

    def add(place: Any, total: Any) -> Any:
        t = place * step
        weight = jnp.where(place == 0, step / 2, step).astype(x.dtype)
        half = jnp.sinh(t / 2).astype(x.dtype)
        return total + weight * jnp.exp(-2 * small * half * half) * jnp.cosh(
            order * t).astype(x.dtype)

    found = lax.fori_loop(0, count, add, jnp.zeros_like(x))
    return jnp.where(x < 0, jnp.nan, jnp.where(x == 0, jnp.inf, found))


def _with_slope(value: Callable[[Any], Any], slope: Callable[[Any], Any]) -> Callable[[Any], Any]:
    function = jax.custom_jvp(value)

    @function.defjvp
    def _moved(primals: Any, tangents: Any) -> Any:
        return function(primals[0]), slope(primals[0]) * tangents[0]

    return function


_k0e: Callable[[Any], Any] = _with_slope(
    lambda x: _bessel_k_scaled(0, x), lambda x: _k0e(x) - _k1e(x))
_k1e: Callable[[Any], Any] = _with_slope(
    lambda x: _bessel_k_scaled(1, x), lambda x: _k1e(x) * (1 - 1 / x) - _k0e(x))

_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "BesselK0e": _k0e, "BesselK1e": _k1e,
    "BesselK0": lambda x: _k0e(x) * jnp.exp(-x), "BesselK1": lambda x: _k1e(x) * jnp.exp(-x),
    "Dawsn": special.dawsn, "Expint": special.expi,
    "FresnelCos": lambda x: special.fresnel(x)[1], "FresnelSin": lambda x: special.fresnel(x)[0],
    "Spence": _with_slope(special.spence, lambda x: jnp.where(
        x == 1, -1, jnp.log(x) / jnp.where(x == 1, 1, 1 - x))),
}


@rule(*_FUNCTIONS)
def _special(node: Node, x: Any) -> Any:
    x = to_jax(x)
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    return _FUNCTIONS[node.op](wide).astype(x.dtype)
