"""How variables begin: TensorFlow's distributions, drawn with JAX's keys.

An initializer is called as `initializer(key, shape, dtype)`, so those of `jax.nn.initializers` and
flax fit as they are. The classes here follow TensorFlow's parameters and its rule for fans.

What is drawn is compiled once for each shape and dtype: compiling, not drawing, is what takes time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from pipeline.scopes.errors import ScopeError

Shape: TypeAlias = tuple[int, ...]
Initializer: TypeAlias = Callable[[Array, Shape, "np.dtype[np.generic]"], Array]

# The standard deviation of a unit normal cut at ±2, by which TensorFlow's variance scaling divides.
TRUNCATED_STDDEV = 0.87962566103423978


@dataclass(frozen=True)
class Zeros:
    """All zeros."""

    def __call__(self, key: Array, shape: Shape, dtype: np.dtype[np.generic]) -> Array:
        """Makes it."""
        return jnp.asarray(np.zeros(shape, dtype))


@dataclass(frozen=True)
class Ones:
    """All ones."""

    def __call__(self, key: Array, shape: Shape, dtype: np.dtype[np.generic]) -> Array:
        """Makes it."""
        return jnp.asarray(np.ones(shape, dtype))


@dataclass(frozen=True, eq=False)
class Constant:
    """`value` everywhere, or an array of values with as many elements as the variable."""

    value: ArrayLike = 0.0

    def __call__(self, key: Array, shape: Shape, dtype: np.dtype[np.generic]) -> Array:
        """Makes it; raises ScopeError where the number of elements differs."""
        value = np.asarray(self.value)
        if value.ndim and value.size != math.prod(shape):
            raise ScopeError(f"constant_initializer holds {value.size} values and the variable's "
                             f"shape {shape} needs {math.prod(shape)}")
        filled = value.reshape(shape) if value.ndim else np.full(shape, value)
        return jnp.asarray(filled.astype(dtype))


@dataclass(frozen=True)
class TruncatedNormal:
    """A normal distribution cut at two standard deviations; `stddev` is that before the cut."""

    mean: float = 0.0
    stddev: float = 1.0

    def __call__(self, key: Array, shape: Shape, dtype: np.dtype[np.generic]) -> Array:
        """Draws it."""
        drawn: Array = _truncated_normal(key, shape, _drawn(dtype), self.mean, self.stddev)
        return drawn.astype(dtype)


@dataclass(frozen=True)
class RandomNormal:
    """A normal distribution."""

    mean: float = 0.0
    stddev: float = 1.0

    def __call__(self, key: Array, shape: Shape, dtype: np.dtype[np.generic]) -> Array:
        """Draws it."""
        drawn: Array = _normal(key, shape, _drawn(dtype), self.mean, self.stddev)
        return drawn.astype(dtype)


@dataclass(frozen=True)
class RandomUniform:
    """Evenly between `minval` and `maxval`; integers when the variable holds integers."""

    minval: float = 0.0
    maxval: float = 1.0

    def __call__(self, key: Array, shape: Shape, dtype: np.dtype[np.generic]) -> Array:
        """Draws it."""
        if jnp.issubdtype(dtype, jnp.integer):
            return jax.random.randint(key, shape, int(self.minval), int(self.maxval), dtype)
        drawn: Array = _uniform(key, shape, _drawn(dtype), self.minval, self.maxval)
        return drawn.astype(dtype)


@dataclass(frozen=True)
class VarianceScaling:
    """Variance `scale / fan`: Glorot's, He's and LeCun's initializers are cases of it."""

    scale: float = 1.0
    mode: Literal["fan_in", "fan_out", "fan_avg"] = "fan_in"
    distribution: Literal["uniform", "truncated_normal", "untruncated_normal"] = "truncated_normal"

    def __call__(self, key: Array, shape: Shape, dtype: np.dtype[np.generic]) -> Array:
        """Draws it."""
        fan_in, fan_out = fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return RandomUniform(-limit, limit)(key, shape, dtype)
        if self.distribution == "truncated_normal":
            return TruncatedNormal(0.0, math.sqrt(variance) / TRUNCATED_STDDEV)(key, shape, dtype)
        return RandomNormal(0.0, math.sqrt(variance))(key, shape, dtype)


@dataclass(frozen=True)
class Orthogonal:
    """Orthonormal rows or columns of the [∏ leading axes, last axis] matrix, times `gain`."""

    gain: float = 1.0

    def __call__(self, key: Array, shape: Shape, dtype: np.dtype[np.generic]) -> Array:
        """Draws it; raises ScopeError for fewer than two axes."""
        if len(shape) < 2:
            raise ScopeError(f"orthogonal_initializer needs two or more axes; shape is {shape}")
        rows = math.prod(shape[:-1])
        matrix = jax.random.orthogonal(key, rows, dtype=_drawn(dtype), m=shape[-1])
        return (self.gain * matrix.reshape(shape)).astype(dtype)


@partial(jax.jit, static_argnums=(1, 2))
def _truncated_normal(key: Array, shape: Shape, dtype: np.dtype[np.generic], mean: ArrayLike,
                      stddev: ArrayLike) -> Array:
    return jax.random.truncated_normal(key, -2.0, 2.0, shape, dtype) * stddev + mean


@partial(jax.jit, static_argnums=(1, 2))
def _normal(key: Array, shape: Shape, dtype: np.dtype[np.generic], mean: ArrayLike,
            stddev: ArrayLike) -> Array:
    return jax.random.normal(key, shape, dtype) * stddev + mean


@partial(jax.jit, static_argnums=(1, 2))
def _uniform(key: Array, shape: Shape, dtype: np.dtype[np.generic], minval: ArrayLike,
             maxval: ArrayLike) -> Array:
    return jax.random.uniform(key, shape, dtype, minval, maxval)


def fans(shape: Shape) -> tuple[float, float]:
    """(fan in, fan out) of weights [..receptive field, in, out]; a vector's are both its length."""
    if len(shape) == 0:
        return 1.0, 1.0
    if len(shape) == 1:
        return float(shape[0]), float(shape[0])
    field = math.prod(shape[:-2])
    return float(field * shape[-2]), float(field * shape[-1])


def glorot_uniform_initializer() -> VarianceScaling:
    """Uniform within ±√(6 / (fan in + fan out)): TensorFlow's default for floating point."""
    return VarianceScaling(1.0, "fan_avg", "uniform")


def glorot_normal_initializer() -> VarianceScaling:
    """Truncated normal of variance 2 / (fan in + fan out)."""
    return VarianceScaling(1.0, "fan_avg", "truncated_normal")


def he_uniform() -> VarianceScaling:
    """Uniform within ±√(6 / fan in)."""
    return VarianceScaling(2.0, "fan_in", "uniform")


def he_normal() -> VarianceScaling:
    """Truncated normal of variance 2 / fan in."""
    return VarianceScaling(2.0, "fan_in", "truncated_normal")


def xavier_initializer(uniform: bool = True) -> VarianceScaling:
    """Glorot's initializer under the name that tf.contrib.layers gave it."""
    return glorot_uniform_initializer() if uniform else glorot_normal_initializer()


def default(name: str, dtype: np.dtype[np.generic]) -> Initializer:
    """What a variable without an initializer gets: Glorot's for floats, zeros for the rest.

    Raises:
        ScopeError: complex numbers, for which TensorFlow has no default either (A11).
    """
    if jnp.issubdtype(dtype, jnp.floating):
        return glorot_uniform_initializer()
    if jnp.issubdtype(dtype, jnp.complexfloating):
        raise ScopeError(f"An initializer for variable {name} of {dtype} is required")
    return Zeros()


# The names that TensorFlow 1 programs know them by.
zeros_initializer = Zeros
ones_initializer = Ones
constant_initializer = Constant
truncated_normal_initializer = TruncatedNormal
random_normal_initializer = RandomNormal
random_uniform_initializer = RandomUniform
variance_scaling_initializer = VarianceScaling
orthogonal_initializer = Orthogonal


def _drawn(dtype: np.dtype[np.generic]) -> np.dtype[np.generic]:
    """The type to draw in: half precision is drawn in single, then rounded."""
    if not jnp.issubdtype(dtype, jnp.floating):
        raise ScopeError(f"a random initializer cannot fill a variable of {dtype}; give zeros, "
                         "ones or a constant")
    return np.dtype(dtype) if np.dtype(dtype).itemsize > 2 else np.dtype(np.float32)
