"""Integers that are ordered, widened and shifted, at the ends of each type."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from case import BATCH, Arg, Case
from jax import lax

TYPES = ("bool", "int8", "int16", "int32", "uint8", "uint16", "uint32")
SIGNED = TYPES[1:4]
UNSIGNED = TYPES[4:]


def ends(dtype: str) -> Arg:
    """The least, the largest and what lies around the middle, where the sign would be."""
    if dtype == "bool":
        return Arg((BATCH, 6), dtype)
    info = np.iinfo(dtype)
    low, high = int(info.min), int(info.max)
    middle = (high + low + 1) // 2
    values = (high, low, middle, middle - 1, middle + 1, high - 1, low + 1, 3, high)
    return Arg((BATCH, 6), dtype, values=values)


def shifted(shift: Any, by: int) -> Any:
    return lambda x: shift(x, jnp.full_like(x, by))


def halves(x: Any) -> Any:
    return lax.mulhi(x, x[:, ::-1])


def ordered(name: str, fun: Any, types: tuple[str, ...] = TYPES) -> list[Case]:
    primitive, _, rest = name.partition(" ")
    return [Case(primitive, f"{rest or 'ends'} of {dtype}", fun, (ends(dtype),),
                 batches=(3, 1) if rest == "run" else (3, 1, 0)) for dtype in types]


CASES = [
    *ordered("sort", lambda x: jnp.sort(x, axis=-1)),
    *ordered("sort descending", lambda x: jnp.sort(x, axis=-1, descending=True)),
    *ordered("sort places", lambda x: jnp.argsort(x, axis=-1)),
    *ordered("sort two keys", lambda x: lax.sort((x, x[:, ::-1]), num_keys=2)),
    *ordered("top_k", lambda x: lax.top_k(x, 4), tuple(t for t in TYPES if t != "uint32")),
    *ordered("reduce_max", lambda x: x.max(1)),
    *ordered("reduce_min", lambda x: x.min(1)),
    *ordered("argmax", lambda x: jnp.argmax(x, 1)),
    *ordered("cummax", lambda x: lax.cummax(x, 1), TYPES[1:]),
    *ordered("scatter-max", lambda x: x.at[:, 1].max(x[:, 2])),
    *ordered("searchsorted known", lambda x: jnp.searchsorted(
        jnp.asarray(sorted({0, 1, np.iinfo(x.dtype).max if x.dtype != bool else 1}), x.dtype), x)),
    *ordered("searchsorted run", lambda x: jnp.searchsorted(jnp.sort(x[0]), x)),
    *ordered("shift_left", shifted(lax.shift_left, 3), TYPES[1:]),
    *ordered("shift_right_logical", shifted(lax.shift_right_logical, 3), TYPES[1:]),
    *ordered("shift_right_arithmetic", shifted(lax.shift_right_arithmetic, 3), TYPES[1:]),
    *ordered("shift_right_arithmetic beyond",
             shifted(lax.shift_right_arithmetic, 40), TYPES[1:]),
    *ordered("convert_element_type wider", lambda x: [
        x.astype(jnp.int32), x.astype(jnp.uint32), x.astype(jnp.float32)]),
    *ordered("convert_element_type narrower", lambda x: [x.astype(jnp.int8), x.astype(jnp.uint8)]),
    *ordered("reduce_and", lambda x: lax.reduce_and(x, (1,))),
    *ordered("reduce_or", lambda x: lax.reduce_or(x, (1,))),
    *ordered("reduce_xor", lambda x: lax.reduce_xor(x, (1,))),
    *ordered("dot_general", lambda x: x @ x.T, TYPES[1:]),
    *ordered("reduce_sum", lambda x: x.sum(1)),
    *ordered("cumsum", lambda x: jnp.cumsum(x, axis=1)),
    *(Case("convert_element_type", f"float beyond {dtype}", lambda x, dtype=dtype: x.astype(dtype),
           (Arg((BATCH, 5), values=(-300.7, 70000.2, -1.5, 254.9, 3.0)),))
      for dtype in (*SIGNED[:2], *UNSIGNED)),
    *(Case("permutation", str(size), lambda x, size=size: x[:, jax.random.permutation(
        jax.random.key(1), size)], (Arg((BATCH, size)),)) for size in (4, 9)),
    Case("permutation", "choice", lambda seed: jax.random.choice(
        jax.random.key(seed), 9, (4,), replace=False), (Arg((), "int32", 0, 99),)),
]
if hasattr(lax, "mulhi"):
    CASES += ordered("mulhi", halves, TYPES[1:])
