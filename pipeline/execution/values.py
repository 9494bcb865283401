"""Known and running values: NumPy arrays are known before the graph runs, JAX arrays are not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pipeline import budget, dtypes
from pipeline.execution.errors import ExecutionError, NeedsWide

_MAX_ELEMENTS = 1 << 31
_MAX_KNOWN = 1 << 27
_REPEATED_BYTES = 1 << 20   # from here on one value that is repeated is sent as one


class Dead:
    """The value of an output on the branch that is not taken."""


DEAD = Dead()


@jax.tree_util.register_static
@dataclass(frozen=True)
class Handle:
    """A variable itself, not what it holds.

    A TF1 variable (`is_ref`) is read by every op that wants a value; a resource only by
    `ReadVariableOp` and its kin.
    """

    name: str
    is_ref: bool


@dataclass(frozen=True)
class Key:
    """What a checkpoint holds under a name; stands for a value where a graph restores itself.

    `part` is "" or the slice of a partitioned variable: its full shape and `start,length` per axis.
    """

    name: str
    part: str


@jax.tree_util.register_static
class Known:
    """A NumPy array that crosses the border of a compiled function as a part of its signature."""

    def __init__(self, value: Any) -> None:
        self.value = np.asarray(value)

    def _key(self) -> tuple[Any, ...]:
        value = self.value
        content = tuple(value.ravel().tolist()) if value.dtype == object else value.tobytes()
        return value.shape, str(value.dtype), content

    def __hash__(self) -> int:
        return hash(self._key())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Known) and self._key() == other._key()


def is_static(value: Any) -> bool:
    """Whether a value is known before running."""
    return isinstance(value, (np.ndarray, np.generic))


def operands(*values: Any) -> tuple[Any, ...]:
    """The namespace to compute in, and the values in it: NumPy if all are known, else JAX."""
    if all(map(is_static, values)):
        return (np, *values)
    return (jnp, *map(to_jax, values))


def to_jax(value: Any) -> Any:
    """A JAX array of the value's dtype, 64-bit types narrowed unless `jax_enable_x64` is on.

    Raises:
        NeedsWide: values that do not fit into 32 bits.
    """
    if not isinstance(value, (np.ndarray, np.generic)):
        return value
    if value.dtype == np.object_:
        raise ExecutionError("a string takes part in a computation; strings are only carried")
    if not is_wide() and not fits_narrow(value):
        raise NeedsWide(f"values of {value.dtype} that do not fit into 32 bits; turn on "
                        "jax_enable_x64 to run this graph")
    if is_repeated(value) and value.nbytes > _REPEATED_BYTES:
        return jnp.broadcast_to(jnp.asarray(value.flat[0]), value.shape)
    return jnp.asarray(value)


def is_repeated(value: Any) -> bool:
    """Whether an array is one value that takes no memory for its shape."""
    return bool(value.ndim and value.size > 1 and not any(value.strides))


def is_wide() -> bool:
    """Whether JAX computes in 64 bits here."""
    return bool(jax.config.values["jax_enable_x64"])


def fits_narrow(value: Any) -> bool:
    """Whether an array of 64-bit numbers can be computed in 32: integers keep their value, floats
    stay finite and do not become 0."""
    if getattr(value, "dtype", None) not in (np.int64, np.uint64, np.float64) or not value.size:
        return True
    array = np.asarray(value)
    if is_repeated(array):
        array = array[(slice(0, 1),) * array.ndim]
    if array.dtype == np.float64:
        with np.errstate(all="ignore"):
            narrow = array.astype(np.float32)
        return bool(((np.isfinite(narrow) == np.isfinite(array))
                     & ((narrow == 0) == (array == 0))).all())
    limits = np.iinfo(np.int32 if array.dtype == np.int64 else np.uint32)
    return bool(array.min() >= limits.min and array.max() <= limits.max)


def widened(value: Any, number: int | None) -> Any:
    """An array in the DataType that a graph declares for it, all 64 bits of it."""
    if number is None:
        return value
    declared = dtypes.to_numpy(number)
    return value.astype(declared) if value.dtype != declared else value


def narrowed(value: Any) -> Any:
    """A wide array as JAX would hold it, or as NumPy does where 32 bits do not hold it."""
    if not hasattr(value, "dtype") or jax.dtypes.canonicalize_dtype(value.dtype) == value.dtype:
        return value
    array = np.asarray(value)
    return jnp.asarray(array) if fits_narrow(array) else array


def jax_dtype(number: int) -> np.dtype[Any]:
    """The dtype that JAX computes a DataType in, under the current `jax_enable_x64`."""
    return jax.dtypes.canonicalize_dtype(dtypes.to_numpy(number))


def cast(value: Any, number: int) -> Any:
    """A value in another DataType; known values keep all 64 bits.

    Integers of less than 32 bits take the low bits of 32-bit ones. Floats that no integer of 32 or
    64 bits holds become the least of them: what x86 does (cvttss2si), and so TensorFlow.
    """
    if isinstance(value, np.ndarray):
        return value.astype(dtypes.to_numpy(number))
    wanted = jax_dtype(number)
    if not (jnp.issubdtype(value.dtype, jnp.floating) and wanted.kind in "iu"):
        return value.astype(wanted)
    if wanted.kind == "u" and wanted.itemsize >= 4:
        signed = jnp.dtype(f"int{8 * wanted.itemsize}")
        return jnp.where(value < 0, value.astype(signed).astype(wanted), value.astype(wanted))
    wide = jnp.promote_types(wanted, jnp.int32) if wanted.itemsize < 4 else wanted
    bound = 2.0 ** (8 * wide.itemsize - 1)
    inside = (value >= -bound) & (value < bound)
    return jnp.where(inside, value.astype(wide), jnp.iinfo(wide).min).astype(wanted)


def entry(x: Any, position: Any, axis: int = 0) -> Any:
    """What lies at a running position of an axis; positions beyond it clamp.

    An empty axis has zeros: the body of a loop over nothing is traced all the same.
    """
    if not x.shape[axis]:
        return jnp.zeros((*x.shape[:axis], *x.shape[axis + 1:]), x.dtype)
    return jnp.take(x, position, axis, mode="clip")


def scalar(value: Any, *, legacy: bool = False) -> int:
    """A known scalar of integers as Python's; `legacy` takes a vector of one too.

    Raises:
        ExecutionError: it is no scalar.
    """
    if value.ndim and not (legacy and value.size == 1):
        raise ExecutionError(f"an argument must be a scalar, got shape {value.shape}")
    return int(value.reshape(()))


def vector(value: Any) -> tuple[int, ...]:
    """A known vector of integers as Python's.

    Raises:
        ExecutionError: it is no vector.
    """
    if value.ndim != 1:
        raise ExecutionError(f"an argument must be a vector, got shape {value.shape}")
    return tuple(int(number) for number in value)


def dimensions(value: Any) -> tuple[int, ...]:
    """A known vector that is a shape.

    Raises:
        ExecutionError: it is no vector, or a size in it is negative or absurd.
    """
    sizes = vector(value)
    check_size(sizes)
    return sizes


def check_size(sizes: Sequence[int], *, known: bool = False) -> None:
    """Refuses shapes that no array here may have.

    Args:
        sizes: of the array.
        known: it is made before running, when nothing that fuses it away has seen it yet.

    Raises:
        ExecutionError: a size is negative, or there are 2^31 elements or more (2^27 if known).
        MemoryBudgetError: the budget of memory has no room for what is known.
    """
    most = _MAX_KNOWN if known else _MAX_ELEMENTS
    if any(size < 0 for size in sizes) or math.prod(sizes) >= most:
        raise ExecutionError(f"shape {list(sizes)}; expected sizes from 0 and fewer than "
                             f"2^{most.bit_length() - 1} elements")
    if known:
        budget.current().require(8 * math.prod(sizes), f"shape {list(sizes)}")
