"""FarmHash's 64-bit fingerprint, by which TensorFlow puts strings into buckets.

Source: tensorflow/core/platform/fingerprint.h says Fingerprint64 is farmhash's, whose algorithm
(farmhashna::Hash64) is written down in its own words here; arithmetic is modulo 2^64.
"""

from __future__ import annotations

_MASK = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
_SEED = 81


def fingerprint(text: bytes) -> int:
    """The fingerprint of some bytes, in [0, 2^64)."""
    size = len(text)
    if size <= 16:
        return _short(text)
    if size <= 32:
        return _mixed(*_outer(text), _K2 + 2 * size)
    return _middle(text) if size <= 64 else _long(text)


def _at(text: bytes, place: int, width: int = 8) -> int:
    return int.from_bytes(text[place:place + width], "little")


def _turned(value: int, bits: int) -> int:
    value &= _MASK
    return (value >> bits | value << (64 - bits)) & _MASK


def _folded(value: int) -> int:
    value &= _MASK
    return value ^ value >> 47


def _mixed(first: int, second: int, factor: int) -> int:
    a = _folded((first ^ second) * factor)
    return _folded((second ^ a) * factor) * factor & _MASK


def _short(text: bytes) -> int:
    size = len(text)
    factor = _K2 + 2 * size
    if size >= 8:
        a, b = _at(text, 0) + _K2, _at(text, size - 8)
        return _mixed(_turned(b, 37) * factor + a & _MASK, (_turned(a, 25) + b) * factor & _MASK,
                      factor)
    if size >= 4:
        return _mixed(size + (_at(text, 0, 4) << 3), _at(text, size - 4, 4), factor)
    if size:
        low = text[0] + (text[size >> 1] << 8)
        return _folded(low * _K2 ^ (size + (text[-1] << 2)) * _K0) * _K2 & _MASK
    return _K2


def _outer(text: bytes, first: int = _K1) -> tuple[int, int]:
    """What the first and the last 16 bytes say."""
    size = len(text)
    factor = _K2 + 2 * size
    a, b = _at(text, 0) * first, _at(text, 8)
    c, d = _at(text, size - 8) * factor, _at(text, size - 16) * _K2
    return (_turned(a + b, 43) + _turned(c, 30) + d & _MASK, a + _turned(b + _K2, 18) + c & _MASK)


def _middle(text: bytes) -> int:
    size = len(text)
    factor = _K2 + 2 * size
    y, other = _outer(text, _K2)
    z = _mixed(y, other, factor)
    e, f = _at(text, 16) * factor, _at(text, 24)
    g, h = (y + _at(text, size - 32)) * factor, (z + _at(text, size - 24)) * factor
    return _mixed(_turned(e + f, 43) + _turned(g, 30) + h & _MASK,
                  e + _turned(f + _at(text, 0) * _K2, 18) + g & _MASK, factor)


def _pair(text: bytes, place: int, a: int, b: int) -> tuple[int, int]:
    w, x, y, z = (_at(text, place + 8 * step) for step in range(4))
    a += w
    b = _turned(b + a + z, 21)
    begun, a = a, a + x + y
    return a + z & _MASK, b + _turned(a, 44) + begun & _MASK


def _long(text: bytes) -> int:
    x, y = _SEED, _SEED * _K1 + 113 & _MASK
    z = _folded(y * _K2 + 113) * _K2 & _MASK
    v, w = (0, 0), (0, 0)
    x = x * _K2 + _at(text, 0) & _MASK
    rest = (len(text) - 1) % 64
    for place in range(0, len(text) - 1 - rest, 64):
        x = _turned(x + y + v[0] + _at(text, place + 8), 37) * _K1 & _MASK
        y = _turned(y + v[1] + _at(text, place + 48), 42) * _K1 & _MASK
        x ^= w[1]
        y = y + v[0] + _at(text, place + 40) & _MASK
        z = _turned(z + w[0], 33) * _K1 & _MASK
        v = _pair(text, place, v[1] * _K1, x + w[0])
        w = _pair(text, place + 32, z + w[1], y + _at(text, place + 16))
        x, z = z, x
    factor, place = _K1 + ((z & 255) << 1), len(text) - 64
    w = (w[0] + rest, w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    x = _turned(x + y + v[0] + _at(text, place + 8), 37) * factor & _MASK
    y = _turned(y + v[1] + _at(text, place + 48), 42) * factor & _MASK
    x ^= w[1] * 9 & _MASK
    y = y + v[0] * 9 + _at(text, place + 40) & _MASK
    z = _turned(z + w[0], 33) * factor & _MASK
    v = _pair(text, place, v[1] * factor, x + w[0])
    w = _pair(text, place + 32, z + w[1], y + _at(text, place + 16))
    x, z = z, x
    return _mixed(_mixed(v[0], w[0], factor) + _folded(y) * _K0 + z & _MASK,
                  _mixed(v[1], w[1], factor) + x & _MASK, factor)
