"""TensorFlow's random stream: Philox 4×32-10 and how its words become numbers.

Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011); the mapping to floats is that
of tensorflow/core/lib/random/random_distributions.h. With the same seeds a graph's first run in a
TensorFlow session on a CPU and a call here draw the same numbers.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_CUT = 2.0                 # random_distributions.h, TruncatedNormalDistribution
_BLOCKS_PER_NUMBER = 64    # random_op_cpu.h: 256 words are set aside for each number
_DRAWN = 6                 # candidates per number wanted: too few once in 10^12 groups
_SCRAMBLE = (0x3EC8F720, 0x02461E29)   # stateless_random_ops.cc, GenerateKey


def seeded(seed: int, seed2: int) -> tuple[Any, Any]:
    """Key [2] and the first counter [4] of a stateful op's two seeds."""
    first, second = seed % 2**64, seed2 % 2**64
    key = np.array([first % 2**32, first >> 32], np.uint32)
    return key, np.array([0, 0, second % 2**32, second >> 32], np.uint32)


def words_of(key: Any, counter: Any) -> tuple[Any, Any]:
    """Key [2] and counter [4] in words, of uint64 ones, which JAX may not have, or of words."""
    return _as_words(key), _as_words(counter)


def _as_words(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.view(np.uint32)
    wide = value.dtype.itemsize == 8
    return jnp.concatenate([_words(each) for each in value]) if wide else value


def full_range(key: Any, counter: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Integers of all bits."""
    count = math.prod(shape)
    if np.dtype(dtype).itemsize == 8:
        pairs = bits(key, counter, 2 * count).reshape(-1, 2).astype(jnp.uint64)
        return (pairs[:, 0] | (pairs[:, 1] << 32)).astype(dtype).reshape(shape)
    return bits(key, counter, count).astype(dtype).reshape(shape)


def stateless(seed: Any) -> tuple[Any, Any]:
    """Key [2] and the first counter [4] of a stateless op's seed [2], of 32 or 64 bits."""
    words = jnp.concatenate([_words(seed[0]), _words(seed[1])])
    mixed = _block(jnp.array(_SCRAMBLE, jnp.uint32), words[None])[0]
    return mixed[:2], jnp.concatenate([jnp.zeros(2, jnp.uint32), mixed[2:]])


def bits(key: Any, counter: Any, count: int) -> Any:
    """The first `count` words of a stream, uint32 [count]."""
    blocks = math.ceil(count / 4)
    if blocks >= 2**32:
        raise ValueError(f"{count} random words; expected fewer than 2^34")
    key, counter = jnp.asarray(key), jnp.asarray(counter)
    low = jnp.arange(blocks, dtype=jnp.uint32) + counter[0]
    carry = (low < counter[0]).astype(jnp.uint32)
    middle = counter[1] + carry
    rest = [jnp.broadcast_to(counter[place], (blocks,)) for place in (2, 3)]
    return _block(key, jnp.stack([low, middle, *rest], 1)).reshape(-1)[:count]


def uniform(key: Any, counter: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Numbers in [0, 1): 23 random bits for float32, 52 for float64, 10 and 7 for the halves."""
    count = math.prod(shape)
    if dtype == np.float64:
        words = bits(key, counter, 2 * count).reshape(-1, 2).astype(jnp.uint64)
        mantissa = ((words[:, 0] & 0xFFFFF) << 32) | words[:, 1]
        return (mantissa.astype(jnp.float64) * 2.0**-52).reshape(shape)
    width = {"float32": 23, "float16": 10, "bfloat16": 7}[np.dtype(dtype).name]
    words = bits(key, counter, count) & ((1 << width) - 1)
    return (words.astype(jnp.float32) * 2.0**-width).astype(dtype).reshape(shape)


def normal(key: Any, counter: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Standard normal numbers, by Box and Muller from pairs of words; computed in float32.

    float64 takes pairs of 64-bit uniforms.
    """
    count = math.prod(shape)
    pairs = math.ceil(count / 2)
    if dtype == np.float64:
        flat = uniform(key, counter, (2 * pairs,), dtype)
        radius, angle = flat[::2], flat[1::2]
    else:
        words = bits(key, counter, 2 * pairs) & ((1 << 23) - 1)
        flat = words.astype(jnp.float32) * np.float32(2.0**-23)
        radius, angle = flat[::2], flat[1::2]
    radius = jnp.sqrt(-2 * jnp.log(jnp.maximum(radius, jnp.asarray(1e-7, radius.dtype))))
    angle = angle * (2 * np.pi)
    both = jnp.stack([jnp.sin(angle) * radius, jnp.cos(angle) * radius], 1)
    return both.reshape(-1)[:count].astype(dtype).reshape(shape)


def truncated_normal(key: Any, counter: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Normal numbers within two standard deviations.

    They come in groups; each draws from its own part of the stream until it has enough.
    """
    count = math.prod(shape)
    double = dtype == np.float64
    group = 2 if double else 4
    groups = math.ceil(count / group)
    if groups * _BLOCKS_PER_NUMBER * group >= 2**32:
        raise ValueError(f"{count} truncated normal numbers; expected fewer than 2^26")
    begin = jnp.arange(groups, dtype=jnp.uint32) * (_BLOCKS_PER_NUMBER * group)

    def draw(begin: Any) -> Any:
        low = counter[0] + begin
        start = jnp.stack([low, counter[1] + (low < begin), counter[2], counter[3]])
        numbers = normal(key, start, (_DRAWN * group,), np.float64 if double else np.float32)
        order = jnp.argsort(jnp.abs(numbers) >= _CUT, stable=True)[:group]
        return numbers[order]

    counter = jnp.asarray(counter)
    return jax.vmap(draw)(begin).reshape(-1)[:count].astype(dtype).reshape(shape)


def integers(key: Any, counter: Any, shape: tuple[int, ...], low: Any, high: Any) -> Any:
    """Integers in [low, high): words modulo the width of the range."""
    words = full_range(key, counter, shape, f"uint{low.dtype.itemsize * 8}")
    width = (high - low).astype(words.dtype)
    return low + (words % width).astype(low.dtype)


def _words(number: Any) -> Any:
    """A seed's low and high 32 bits; the sign fills the high ones of a short seed."""
    number = jnp.asarray(number)
    if number.dtype.itemsize == 8:
        wide = number.astype(jnp.uint64)
        return jnp.stack([wide & 0xFFFFFFFF, wide >> 32]).astype(jnp.uint32)
    return jnp.stack([number.astype(jnp.uint32), (number >> 31).astype(jnp.uint32)])


def _block(key: Any, counters: Any) -> Any:
    """Ten rounds over counters [n, 4]."""
    c0, c1, c2, c3 = (counters[:, place] for place in range(4))
    k0, k1 = key[0], key[1]
    for _ in range(_ROUNDS):
        high0, low0 = _multiply(_MULTIPLIERS[0], c0)
        high1, low1 = _multiply(_MULTIPLIERS[1], c2)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = k0 + np.uint32(_WEYL[0]), k1 + np.uint32(_WEYL[1])
    return jnp.stack([c0, c1, c2, c3], 1)


def _multiply(factor: int, x: Any) -> tuple[Any, Any]:
    """High and low words of a 32 × 32 bit product, without 64-bit numbers."""
    f_low, f_high = np.uint32(factor & 0xFFFF), np.uint32(factor >> 16)
    x_low, x_high = x & 0xFFFF, x >> 16
    low = f_low * x_low
    middle = f_high * x_low + (low >> 16)
    cross = f_low * x_high + (middle & 0xFFFF)
    return f_high * x_high + (middle >> 16) + (cross >> 16), np.uint32(factor) * x
