"""Fourier transforms over the last one, two or three axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from pipeline.execution.registry import Node, rule
from pipeline.execution.values import dimensions, jax_dtype, to_jax

for _rank, _suffix in ((1, ""), (2, "2D"), (3, "3D")):
    _axes = tuple(range(-_rank, 0))
    for _name, _transform in (("FFT", jnp.fft.fftn), ("IFFT", jnp.fft.ifftn)):
        def _complex(
            node: Node, x: Any, axes: tuple[int, ...] = _axes,
            transform: Callable[..., Any] = _transform,
        ) -> Any:
            x = to_jax(x)
            return transform(x, axes=axes).astype(x.dtype)
        rule(_name + _suffix, *([f"Batch{_name}{_suffix}"] if _rank < 3 else []))(_complex)

    def _real(node: Node, x: Any, length: Any, axes: tuple[int, ...] = _axes) -> Any:
        """Real to half of the spectrum; the array is cut or filled to `length` first."""
        found = jnp.fft.rfftn(to_jax(x), dimensions(length), axes)
        return found.astype(jax_dtype(node["Tcomplex"]))

    def _inverse(node: Node, x: Any, length: Any, axes: tuple[int, ...] = _axes) -> Any:
        found = jnp.fft.irfftn(to_jax(x), dimensions(length), axes)
        return found.astype(jax_dtype(node["Treal"]))

    rule(f"RFFT{_suffix}", static=(1,), attrs="Tcomplex")(_real)
    rule(f"IRFFT{_suffix}", static=(1,), attrs="Treal")(_inverse)
