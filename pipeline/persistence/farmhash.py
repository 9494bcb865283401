"""FarmHash's 64-bit fingerprint, which TensorFlow identifies SavedModels by.

The function is farmhash's `Fingerprint64` (farmhashna::Hash64, https://github.com/google/farmhash);
`combine` is `FingerprintCat64` of tensorflow/core/platform/fingerprint.h. All arithmetic is modulo
2^64, all words are little-endian.
"""

from __future__ import annotations

_MASK = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
_MURMUR = 0xC6A4A7935BD1E995

_Pair = tuple[int, int]


def fingerprint(data: bytes) -> int:
    """The fingerprint of any bytes, below 2^64."""
    if len(data) <= 16:
        return _up_to_16(data)
    if len(data) <= 32:
        return _up_to_32(data)
    if len(data) <= 64:
        return _up_to_64(data)
    return _longer(data)


def combine(first: int, second: int) -> int:
    """One fingerprint of two, in this order."""
    result = first ^ _MURMUR ^ _mix(second * _MURMUR & _MASK) * _MURMUR & _MASK
    result = _mix(result * _MURMUR & _MASK) * _MURMUR & _MASK
    return _mix(result)


def _word(data: bytes, at: int, size: int = 8) -> int:
    return int.from_bytes(data[at:at + size], "little")


def _rotate(value: int, by: int) -> int:
    value &= _MASK
    return (value >> by | value << 64 - by) & _MASK


def _mix(value: int) -> int:
    return value ^ value >> 47


def _pair(u: int, v: int, multiplier: int) -> int:
    a = _mix(((u ^ v) & _MASK) * multiplier & _MASK)
    return _mix(((v & _MASK) ^ a) * multiplier & _MASK) * multiplier & _MASK


def _up_to_16(data: bytes) -> int:
    size = len(data)
    multiplier = _K2 + size * 2
    if size >= 8:
        a, b = _word(data, 0) + _K2, _word(data, size - 8)
        return _pair(_rotate(b, 37) * multiplier + a, (_rotate(a, 25) + b) * multiplier,
                     multiplier)
    if size >= 4:
        return _pair(size + (_word(data, 0, 4) << 3), _word(data, size - 4, 4), multiplier)
    if size:
        y = data[0] + (data[size >> 1] << 8)
        z = size + (data[-1] << 2)
        return _mix((y * _K2 ^ z * _K0) & _MASK) * _K2 & _MASK
    return _K2


def _up_to_32(data: bytes) -> int:
    size = len(data)
    multiplier = _K2 + size * 2
    a, b = _word(data, 0) * _K1, _word(data, 8)
    c, d = _word(data, size - 8) * multiplier, _word(data, size - 16) * _K2
    return _pair(_rotate(a + b, 43) + _rotate(c, 30) + d, a + _rotate(b + _K2, 18) + c, multiplier)


def _up_to_64(data: bytes) -> int:
    size = len(data)
    multiplier = _K2 + size * 2
    a, b = _word(data, 0) * _K2, _word(data, 8)
    c, d = _word(data, size - 8) * multiplier, _word(data, size - 16) * _K2
    y = _rotate(a + b, 43) + _rotate(c, 30) + d
    z = _pair(y, a + _rotate(b + _K2, 18) + c, multiplier)
    e, f = _word(data, 16) * multiplier, _word(data, 24)
    g = (y + _word(data, size - 32)) * multiplier
    h = (z + _word(data, size - 24)) * multiplier
    return _pair(_rotate(e + f, 43) + _rotate(g, 30) + h, e + _rotate(f + a, 18) + g, multiplier)


def _weak(data: bytes, at: int, a: int, b: int) -> _Pair:
    w, x, y, z = (_word(data, at + offset) for offset in (0, 8, 16, 24))
    a = (a + w) & _MASK
    b = _rotate(b + a + z, 21)
    c = a
    a = (a + x + y) & _MASK
    return (a + z) & _MASK, (b + _rotate(a, 44) + c) & _MASK


def _longer(data: bytes) -> int:
    size, last = len(data), len(data) - 64
    x, y = 81, 81 * _K1 + 113 & _MASK
    z = _mix(y * _K2 + 113 & _MASK) * _K2 & _MASK
    v: _Pair = (0, 0)
    w: _Pair = (0, 0)
    x = x * _K2 + _word(data, 0) & _MASK
    for at in range(0, (size - 1) // 64 * 64, 64):
        x, y, z, v, w = _round(data, at, (x, y, z), v, w, _K1, 1)
    multiplier = _K1 + ((z & 0xFF) << 1)
    first = w[0] + ((size - 1) & 63)
    v = (v[0] + first & _MASK, v[1])
    w = (first + v[0] & _MASK, w[1])
    x, y, z, v, w = _round(data, last, (x, y, z), v, w, multiplier, 9)
    return _pair(_pair(v[0], w[0], multiplier) + _mix(y) * _K0 + z,
                 _pair(v[1], w[1], multiplier) + x, multiplier)


def _round(
    data: bytes, at: int, state: tuple[int, int, int], v: _Pair, w: _Pair, multiplier: int,
    weight: int,
) -> tuple[int, int, int, _Pair, _Pair]:
    """64 bytes into the state; x and z change places."""
    x, y, z = state
    x = _rotate(x + y + v[0] + _word(data, at + 8), 37) * multiplier & _MASK
    y = _rotate(y + v[1] + _word(data, at + 48), 42) * multiplier & _MASK
    x ^= w[1] * weight & _MASK
    y = y + v[0] * weight + _word(data, at + 40) & _MASK
    z = _rotate(z + w[0], 33) * multiplier & _MASK
    v = _weak(data, at, v[1] * multiplier & _MASK, x + w[0] & _MASK)
    w = _weak(data, at + 32, z + w[1] & _MASK, y + _word(data, at + 16) & _MASK)
    return z, y, x, v, w
