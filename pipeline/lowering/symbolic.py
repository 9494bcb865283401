"""Dimensions that are known only when a graph runs: their names, and what goes wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend.core import InconclusiveDimensionOperation

from pipeline.lowering import sources
from pipeline.lowering.errors import LoweringError

_spec: Callable[..., jax.ShapeDtypeStruct] = jax.ShapeDtypeStruct   # it has no types of its own

BATCH = "batch"    # the symbol of a leading dimension that is not known
_TRIED = 8         # in place of every unknown size, to see whether numbers would do
_COMPARED = re.compile(r"comparison '([^']+)' (<=|>=|<|>|==) '([^']+)'")
_TURNED = {"<": ">=", ">": "<=", "<=": "<=", ">=": ">=", "==": "=="}


def is_array(leaf: Any) -> bool:
    """Whether something has a shape and a type, as arrays and their descriptions have."""
    return hasattr(leaf, "shape") and hasattr(leaf, "dtype")


def symbolic_inputs(
    inputs: Mapping[str, jax.ShapeDtypeStruct], constraints: Sequence[str] = ()
) -> list[jax.ShapeDtypeStruct]:
    """The inputs' shapes with `None` and names turned into symbolic dimensions of one scope.

    Raises:
        LoweringError: a shape or a constraint is not of the form that is asked for.
    """
    if not isinstance(inputs, Mapping):
        raise LoweringError(f"inputs: {inputs!r}; expected shape and dtype by name, such as "
                            "{'input': jax.ShapeDtypeStruct((None, 784), jnp.float32)}")
    scope = _scope(constraints)
    specs = []
    for name, spec in inputs.items():
        if not is_array(spec):
            raise LoweringError(f"input {name}: {spec!r}; expected shape and dtype, such as "
                                "jax.ShapeDtypeStruct((None, 784), jnp.float32)")
        words = []
        for axis, size in enumerate(spec.shape):
            if size is None and axis == 0:
                words.append(BATCH)
            elif isinstance(size, (int, np.integer, str)):
                words.append(str(size))
            else:
                raise LoweringError(f"input {name}: dimension {axis} of {spec.shape} is {size!r}; "
                                    "expected a number, a name, or None for the leading batch")
        shape = jax.export.symbolic_shape(", ".join(words), scope=scope) if words else ()
        specs.append(_spec(shape, spec.dtype))
    return specs


def _scope(constraints: Sequence[str]) -> jax.export.SymbolicScope:
    if isinstance(constraints, str):
        raise LoweringError(f"constraints: the string {constraints!r}; expected several, "
                            f"[{constraints!r}]")
    try:
        return jax.export.SymbolicScope(tuple(constraints))
    except Exception as error:
        raise LoweringError(f"constraints {list(constraints)!r}: {error}; expected such as "
                            "'t <= 64', 't >= 2' or 'mod(t, 4) == 0'") from None


def explained(
    error: Exception, specs: Sequence[jax.ShapeDtypeStruct],
    trace: Callable[[Sequence[jax.ShapeDtypeStruct]], object],
) -> Exception:
    """What a function raised while it was traced, told as what it is.

    Args:
        error: that it raised.
        specs: the inputs, with symbolic dimensions.
        trace: traces the function with other shapes of the inputs.

    Returns:
        The error itself where the function raises with numbers for all sizes as well.
    """
    if all(isinstance(size, int) for spec in specs for size in spec.shape):
        return error
    place = sources.of_error(error)
    at = f"; at {place}" if place else ""
    if isinstance(error, InconclusiveDimensionOperation) or "_DimExpr" in str(error):
        return LoweringError(
            "the function's Python depends on the size of a dimension that is not known; give "
            f"that input a fixed shape{_advice(str(error))}: {error}{at}")
    fixed = [_spec(tuple(size if isinstance(size, int) else _TRIED for size in spec.shape),
                   spec.dtype) for spec in specs]
    try:
        trace(fixed)
    except Exception:    # whatever it is, the sizes are not the reason
        return error
    return LoweringError(
        "the function cannot be traced with dimensions of unknown size, and can with fixed ones; "
        f"give its inputs fixed shapes, numbers in place of None and of names: "
        f"{type(error).__name__}: {error}{at}")


def _advice(message: str) -> str:
    """The constraint that would answer a comparison."""
    found = _COMPARED.search(message)
    if found is None:
        return ""
    left, order, right = _with_a_name_alone(*found.groups())
    return (", or say what holds of it as a constraint, such as freeze(…, "
            f'constraints=["{left} {order} {right}"])')


def _with_a_name_alone(left: str, order: str, right: str) -> tuple[str, str, str]:
    """The likely side of a comparison: `- t + 64 < 0` is to be answered by `t <= 64`."""
    bound = re.fullmatch(r"- (\w+) \+ (\d+)", left)
    if bound and right == "0":
        return bound[1], "<=", bound[2]
    bound = re.fullmatch(r"(\w+) - (\d+)", left)
    if bound and right == "0":
        return bound[1], ">=", bound[2]
    return left, _TURNED[order], right
