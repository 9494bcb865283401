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
    """The least and the greatest of the three stay, whatever they are (adjust_hue_op.cc)."""
    x = to_jax(x)
    least, most = x.min(-1), x.max(-1)
    red, green, blue = (x[..., place] for place in range(3))
    middle = red + green + blue - least - most
    middle = jnp.where(most == least, least, jnp.clip(middle, least, most))
    sector = jnp.where(
        red < green, jnp.where(blue < red, 1, jnp.where(blue > green, 3, 2)),
        jnp.where(blue < green, 0, jnp.where(blue > red, 4, 5)))
    spread = most - least
    ratio = (middle - least) / jnp.where(spread == 0, 1, spread)
    hue = sector + jnp.where(sector % 2 == 0, ratio, 1 - ratio)
    hue = jnp.where(spread == 0, 0, hue) + to_jax(delta).astype(x.dtype) * 6
    hue = hue % 6
    sector = jnp.minimum(jnp.floor(hue), 5)
    ratio = hue - sector
    ratio = jnp.where(sector % 2 == 0, ratio, 1 - ratio)
    middle = least + ratio * spread
    orders = [(most, middle, least), (middle, most, least), (least, most, middle),
              (least, middle, most), (middle, least, most), (most, least, middle)]
    return jnp.stack([jnp.select([sector == place for place in range(6)],
                                 [order[channel] for order in orders])
                      for channel in range(3)], -1).astype(x.dtype)


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
