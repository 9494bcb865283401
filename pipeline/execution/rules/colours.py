"""Colours of pictures whose last axis is red, green, blue."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from pipeline.execution.registry import Node, rule
from pipeline.execution.values import to_jax


@rule("AdjustContrastv2")
def _adjust_contrast(node: Node, x: Any, factor: Any) -> Any:
    """Away from each channel's mean over the picture."""
    x = to_jax(x)
    mean = x.mean((-3, -2), keepdims=True)
    return ((x - mean) * factor + mean).astype(x.dtype)


@rule("RGBToHSV")
def _rgb_to_hsv(node: Node, x: Any) -> Any:
    return rgb_to_hsv(to_jax(x))


@rule("HSVToRGB")
def _hsv_to_rgb(node: Node, x: Any) -> Any:
    return hsv_to_rgb(to_jax(x))


@rule("AdjustHue")
def _adjust_hue(node: Node, x: Any, delta: Any) -> Any:
    hsv = rgb_to_hsv(to_jax(x))
    hue = (hsv[..., :1] + to_jax(delta).astype(hsv.dtype)) % 1
    return hsv_to_rgb(jnp.concatenate([hue, hsv[..., 1:]], -1))


@rule("AdjustSaturation")
def _adjust_saturation(node: Node, x: Any, scale: Any) -> Any:
    hsv = rgb_to_hsv(to_jax(x))
    saturation = jnp.clip(hsv[..., 1:2] * to_jax(scale).astype(hsv.dtype), 0, 1)
    return hsv_to_rgb(jnp.concatenate([hsv[..., :1], saturation, hsv[..., 2:]], -1))


def rgb_to_hsv(x: Any) -> Any:
    """Hue, saturation and value in [0, 1] of colours in [0, 1]."""
    red, green, blue = (x[..., place] for place in range(3))
    value = x.max(-1)
    spread = value - x.min(-1)
    safe = jnp.where(spread > 0, spread, 1)
    hue = jnp.where(value == red, (green - blue) / safe,
                    jnp.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe))
    hue = jnp.where(spread > 0, (hue / 6) % 1, 0)
    saturation = jnp.where(value > 0, spread / jnp.where(value > 0, value, 1), 0)
    return jnp.stack([hue, saturation, value], -1)


def hsv_to_rgb(x: Any) -> Any:
    """The inverse of `rgb_to_hsv`."""
    hue, saturation, value = (x[..., place] for place in range(3))
    ramps = jnp.stack([jnp.clip(jnp.abs(hue * 6 - 3) - 1, 0, 1),
                       jnp.clip(2 - jnp.abs(hue * 6 - 2), 0, 1),
                       jnp.clip(2 - jnp.abs(hue * 6 - 4), 0, 1)], -1)
    return ((ramps - 1) * saturation[..., None] + 1) * value[..., None]
