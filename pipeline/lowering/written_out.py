"""Primitives that somebody has a Python function for: what is traced in their place.

- random ones: what the key's implementation does with the numbers that a key is made of
- what moves keys (`select_n`, `gather`, …): the same of their numbers, with one more dimension
- those of other libraries (Equinox's): the function that runs them outside of `jit`
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr

from pipeline.lowering.registry import RULES

_spec: Callable[..., jax.ShapeDtypeStruct] = jax.ShapeDtypeStruct   # it has no types of its own

# what makes random numbers: the method of the key's implementation that does
_RANDOM = {"random_seed": "seed", "random_bits": "random_bits", "random_split": "split",
           "random_fold_in": "fold_in"}
# their bodies are programs, in which keys are written out as well
_WITH_BODIES = ("scan", "while", "cond")


def is_key(atom: Any) -> bool:
    """Whether an array is of typed random keys."""
    return hasattr(getattr(atom.aval, "dtype", None), "_impl")


def written_out(eqn: Any, known: Sequence[Any]) -> ClosedJaxpr | None:
    """What an equation does, by other primitives; None where it is one to lower as it is.

    Keys come in and go out as the numbers that they are made of. `known` has the inputs that are
    constants, and None for others.
    """
    name = eqn.primitive.name
    if name in RULES and not any(map(is_key, (*eqn.invars, *eqn.outvars))):
        return None
    if name in _RANDOM:
        return _of_key_numbers(eqn)
    if name in _WITH_BODIES:
        return None
    function = _function(eqn)
    if function is None:
        return None if _is_of_jax(eqn.primitive) else _by_a_library(eqn, known)
    return jax.make_jaxpr(partial(function, **eqn.params))(*map(_plain_spec, eqn.invars))


def _plain_spec(atom: Any) -> jax.ShapeDtypeStruct:
    aval = atom.aval
    if is_key(atom):
        return _spec((*aval.shape, *aval.dtype._impl.key_shape), np.uint32)
    return _spec(aval.shape, aval.dtype)


def _function(eqn: Any) -> Callable[..., Any] | None:
    """The Python function of a primitive, of arrays without keys."""
    name, primitive = eqn.primitive.name, eqn.primitive
    if name == "ragged_dot_general":
        return getattr(jax._src.lax.lax, "_ragged_dot_general_impl", None)
    if name == "random_gamma":
        return partial(_with_keys, primitive.impl, [is_key(atom) for atom in eqn.invars],
                       next(atom.aval.dtype for atom in eqn.invars if is_key(atom)))
    if any(map(is_key, (*eqn.invars, *eqn.outvars))):
        return partial(_on_numbers, eqn)
    return None


def _is_of_jax(primitive: Any) -> bool:
    function = getattr(primitive.impl, "func", primitive.impl)    # of a partial one
    home = getattr(function, "__module__", None) or ""
    return f"{home}.".startswith(("jax.", "jaxlib."))


def _by_a_library(eqn: Any, known: Sequence[Any]) -> ClosedJaxpr | None:
    """What a library's own function does; it may want to see inputs that are constants."""
    def function(*arrays: Any) -> Any:
        given = [array if value is None else value
                 for array, value in zip(arrays, known, strict=True)]
        return eqn.primitive.impl(*given, **eqn.params)

    try:
        return jax.make_jaxpr(function)(*map(_plain_spec, eqn.invars))
    except Exception:    # whatever it raises: it is no function for tracing
        return None


def _with_keys(
    function: Callable[..., Any], keys: list[bool], dtype: Any, *arrays: Any, **params: Any
) -> Any:
    """The function of typed keys, given their numbers."""
    typed = [jax.random.wrap_key_data(array, impl=dtype._impl.name) if key else array
             for array, key in zip(arrays, keys, strict=True)]
    return function(*typed, **params)


def _on_numbers(eqn: Any, *arrays: Any, **params: Any) -> Any:
    """A primitive that moves keys, mapped over the numbers of each."""
    def moved(*parts: Any) -> Any:
        return eqn.primitive.bind(*parts, **params)

    axes = [-1 if is_key(atom) else None for atom in eqn.invars]
    return jax.vmap(moved, in_axes=axes, out_axes=-1)(*arrays)


def _of_key_numbers(eqn: Any) -> ClosedJaxpr:
    """What a random primitive does with the numbers that its keys are made of."""
    made, taken = eqn.outvars[0].aval, [atom.aval for atom in eqn.invars]
    impl = made.dtype._impl if eqn.primitive.name != "random_bits" else taken[0].dtype._impl
    method, params = getattr(impl, _RANDOM[eqn.primitive.name]), eqn.params
    batch = np.broadcast_shapes(*(aval.shape for aval in taken)) if len(taken) > 1 else \
        taken[0].shape

    def one(*arrays: Any) -> Any:
        if "bit_width" in params:
            return method(*arrays, params["bit_width"], params["shape"])
        return method(*arrays, params["shape"]) if "shape" in params else method(*arrays)

    mapped = one
    for _ in batch:
        mapped = jax.vmap(mapped)

    def whole(*arrays: Any) -> Any:
        own = [impl.key_shape if is_key(atom) else () for atom in eqn.invars]
        return mapped(*(jnp.broadcast_to(array, (*batch, *shape))
                        for array, shape in zip(arrays, own, strict=True)))

    return jax.make_jaxpr(whole)(*map(_plain_spec, eqn.invars))
