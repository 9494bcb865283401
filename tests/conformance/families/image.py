"""Convolutions, pools and resizing, with sizes known and unknown."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from case import BATCH, Arg, Case
from flax import linen
from jax import lax

RANDOM = np.random.default_rng(0)
IMAGE = Arg((BATCH, 7, 8, 4))
NHWC = ("NHWC", "HWIO", "NHWC")


def kernel(*shape: int, dtype: str = "float32") -> dict[str, Any]:
    return {"kernel": (RANDOM.normal(size=shape) / 3).astype(dtype)}


def conv(name: str, shape: tuple[int, ...], image: Arg = IMAGE, *, strides: Any = (1, 1),
         padding: Any = "SAME", numbers: Any = NHWC, tolerance: float = 1e-5,
         **params: Any) -> Case:
    """One convolution with a known kernel."""
    return Case("conv_general_dilated", name, lambda v, x: lax.conv_general_dilated(
        x, v["kernel"].astype(x.dtype), strides, padding, dimension_numbers=numbers, **params),
        (image,), kernel(*shape), tolerance=tolerance)


CONV = [
    *(conv(f"{padding} stride {stride} kernel {size}", (size, size, 4, 5), strides=(stride, stride),
           padding=padding)
      for padding in ("SAME", "VALID") for stride in (1, 2, 3) for size in (1, 2, 3)),
    conv("SAME_LOWER", (2, 2, 4, 5), padding="SAME_LOWER"),
    conv("explicit", (3, 3, 4, 5), padding=((1, 2), (0, 3))),
    conv("explicit as SAME", (3, 3, 4, 5), padding=((1, 1), (1, 1))),
    conv("negative padding", (2, 2, 4, 5), padding=((-1, 0), (1, -2))),
    conv("unequal strides", (3, 3, 4, 5), strides=(1, 2)),
    conv("tall kernel", (5, 1, 4, 3)),
    conv("dilated", (3, 3, 4, 5), rhs_dilation=(2, 2)),
    conv("dilated VALID", (3, 3, 4, 5), rhs_dilation=(2, 1), padding="VALID"),
    conv("dilated strided", (3, 3, 4, 5), rhs_dilation=(2, 2), strides=(2, 2)),
    conv("depthwise", (3, 3, 1, 4), feature_group_count=4),
    conv("depthwise multiplier", (3, 3, 1, 8), feature_group_count=4),
    conv("depthwise strided", (3, 3, 1, 4), feature_group_count=4, strides=(2, 2)),
    conv("depthwise unequal strides", (3, 3, 1, 4), feature_group_count=4, strides=(1, 2)),
    conv("depthwise dilated", (3, 3, 1, 4), feature_group_count=4, rhs_dilation=(2, 2)),
    conv("depthwise VALID", (3, 3, 1, 4), feature_group_count=4, padding="VALID"),
    conv("groups", (3, 3, 2, 6), feature_group_count=2),
    conv("groups strided", (3, 3, 2, 6), feature_group_count=2, strides=(2, 2)),
    conv("one channel", (3, 3, 1, 2), Arg((BATCH, 7, 8, 1))),
    conv("NCHW", (5, 4, 3, 3), Arg((BATCH, 4, 7, 8)), numbers=("NCHW", "OIHW", "NCHW")),
    conv("mixed layouts", (3, 3, 4, 5), numbers=("NHWC", "HWIO", "NCHW")),
    conv("1d", (3, 4, 5), Arg((BATCH, 9, 4)), strides=(1,), numbers=("NWC", "WIO", "NWC")),
    conv("1d strided", (3, 4, 5), Arg((BATCH, 9, 4)), strides=(2,), numbers=("NWC", "WIO", "NWC")),
    conv("1d causal", (3, 4, 5), Arg((BATCH, 9, 4)), strides=(1,), padding=((2, 0),),
         numbers=("NWC", "WIO", "NWC")),
    conv("1d dilated", (3, 4, 5), Arg((BATCH, 9, 4)), strides=(1,), rhs_dilation=(2,),
         numbers=("NWC", "WIO", "NWC")),
    conv("1d depthwise", (3, 1, 4), Arg((BATCH, 9, 4)), strides=(2,), feature_group_count=4,
         numbers=("NWC", "WIO", "NWC")),
    conv("3d", (3, 3, 3, 2, 3), Arg((BATCH, 4, 5, 6, 2)), strides=(1, 1, 1),
         numbers=("NDHWC", "DHWIO", "NDHWC")),
    conv("3d strided", (3, 2, 3, 2, 3), Arg((BATCH, 4, 5, 6, 2)), strides=(2, 1, 2),
         numbers=("NDHWC", "DHWIO", "NDHWC")),
    conv("3d dilated", (2, 2, 2, 2, 3), Arg((BATCH, 4, 5, 6, 2)), strides=(1, 1, 1),
         rhs_dilation=(1, 2, 1), numbers=("NDHWC", "DHWIO", "NDHWC")),
    conv("3d groups", (2, 2, 2, 1, 4), Arg((BATCH, 4, 5, 6, 2)), strides=(1, 1, 1),
         feature_group_count=2, numbers=("NDHWC", "DHWIO", "NDHWC")),
    conv("bfloat16", (3, 3, 4, 5), Arg((BATCH, 7, 8, 4), "bfloat16"), tolerance=2e-2),
    conv("float16", (3, 3, 4, 5), Arg((BATCH, 7, 8, 4), "float16"), tolerance=5e-3),
    conv("gaps", (3, 3, 4, 5), lhs_dilation=(2, 2), padding=((1, 1), (1, 2))),
    conv("gaps and strides", (3, 3, 4, 5), lhs_dilation=(2, 3), strides=(2, 1),
         padding=((0, 0), (0, 0))),
    conv("gaps depthwise", (3, 3, 1, 4), lhs_dilation=(2, 2), feature_group_count=4,
         padding=((0, 0), (2, 0))),
    Case("conv_general_dilated", "int32", lambda x: lax.conv_general_dilated(
        x, jnp.ones((3, 3, 2, 2), jnp.int32), (1, 1), "SAME", dimension_numbers=NHWC),
        (Arg((BATCH, 5, 5, 2), "int32", -100, 100),)),
    Case("conv_general_dilated", "kernel as input", lambda x, w: lax.conv_general_dilated(
        x, w, (1, 1), "SAME", dimension_numbers=NHWC), (IMAGE, Arg((3, 3, 4, 5)))),
    Case("conv_general_dilated", "bias and relu", lambda v, x: jax.nn.relu(
        lax.conv_general_dilated(x, v["kernel"], (2, 2), "SAME", dimension_numbers=NHWC)
        + jnp.arange(5.0)), (IMAGE,), kernel(3, 3, 4, 5)),
    *(Case("conv_general_dilated", f"transpose {padding} {stride} {size}",
           lambda v, x, s=stride, p=padding: lax.conv_transpose(x, v["kernel"], (s, s), p),
           (IMAGE,), kernel(size, size, 4, 3))
      for padding in ("SAME", "VALID") for stride in (1, 2, 3) for size in (2, 3, 4)),
    Case("conv_general_dilated", "transpose turned", lambda v, x: lax.conv_transpose(
        x, v["kernel"], (2, 2), "SAME", transpose_kernel=True), (IMAGE,), kernel(3, 3, 3, 4)),
    Case("conv_general_dilated", "transpose 1d", lambda v, x: lax.conv_transpose(
        x, v["kernel"], (2,), "SAME"), (Arg((BATCH, 5, 4)),), kernel(3, 4, 3)),
    Case("conv_general_dilated", "transpose dilated", lambda v, x: lax.conv_transpose(
        x, v["kernel"], (2, 2), "SAME", rhs_dilation=(2, 2)), (IMAGE,), kernel(2, 2, 4, 3)),
    Case("conv_general_dilated", "batch groups", lambda x: lax.conv_general_dilated(
        x, jnp.ones((3, 3, 4, 6)), (1, 1), "SAME", dimension_numbers=NHWC, batch_group_count=2),
        (Arg((2, 5, 5, 4)),), limitation="gradients of grouped convolutions"),
]


def unknown_size(name: str, fun: Any, variables: dict[str, Any], *, limitation: str | None = None,
                 channels: int = 4) -> Case:
    """Height and width are unknown too, and are the batch's size plus 6 when it runs."""
    return Case("conv_general_dilated", f"unknown size, {name}", fun,
                (Arg((1, BATCH, BATCH, channels)),), variables, batches=(7, 8, 9, 10),
                limitation=limitation)


UNKNOWN = [
    *(unknown_size(f"SAME stride {stride} kernel {size}", lambda v, x, s=stride: lax.conv(
        x.transpose(0, 3, 1, 2), v["kernel"], (s, s), "SAME"), kernel(5, 4, size, size))
      for stride in (1, 2) for size in (1, 2, 3)),
    *(unknown_size(f"VALID stride {stride}", lambda v, x, s=stride: lax.conv_general_dilated(
        x, v["kernel"], (s, s), "VALID", dimension_numbers=NHWC), kernel(3, 3, 4, 5))
      for stride in (1, 2, 3)),
    unknown_size("transpose", lambda v, x: lax.conv_transpose(x, v["kernel"], (2, 2), "SAME"),
                 kernel(3, 3, 4, 5)),
    unknown_size("mean", lambda x: x.mean((1, 2)), {}),
    unknown_size("max pool", lambda x: linen.max_pool(x, (2, 2), (2, 2), "SAME"), {}),
    unknown_size("max pool VALID", lambda x: linen.max_pool(x, (3, 3), (2, 2)), {}),
    unknown_size("avg pool", lambda x: linen.avg_pool(x, (2, 2), (2, 2)), {}),
    unknown_size("attention", lambda x: jax.nn.softmax(
        x.reshape(1, -1, 4) @ x.reshape(1, -1, 4).transpose(0, 2, 1)) @ x.reshape(1, -1, 4), {}),
]


def pool(primitive: str, name: str, fun: Any, shape: tuple[Any, ...] = (BATCH, 7, 8, 3),
         dtype: str = "float32", **more: Any) -> Case:
    return Case(primitive, name, fun, (Arg(shape, dtype),), **more)


def window(reducer: Any, start: Any, size: Any, strides: Any, padding: Any = "VALID",
           **params: Any) -> Any:
    return lambda x: lax.reduce_window(x, np.asarray(start, x.dtype), reducer, size, strides,
                                       padding, **params)


INF = np.inf
POOL = [
    *(pool("reduce_window_max", f"{padding} {size} {stride}",
           lambda x, p=padding, n=size, s=stride: linen.max_pool(x, (n, n), (s, s), p))
      for padding in ("SAME", "VALID") for size, stride in ((2, 2), (3, 1), (3, 2))),
    *(pool("reduce_window_sum", f"average {padding} {size} {stride} {count}",
           lambda x, p=padding, n=size, s=stride, c=count: linen.avg_pool(
               x, (n, n), (s, s), p, count_include_pad=c))
      for padding in ("SAME", "VALID") for size, stride in ((2, 2), (3, 2))
      for count in (True, False)),
    *(pool("reduce_window_min", padding, window(lax.min, INF, (1, 2, 2, 1), (1, 2, 2, 1), padding))
      for padding in ("SAME", "VALID")),
    pool("reduce_window_min", "int32", window(lax.min, 2 ** 31 - 1, (1, 2, 2, 1), (1, 2, 2, 1)),
         dtype="int32"),
    pool("reduce_window", "own function", window(lambda x, y: x + 2 * y, 1, (1, 2, 2, 1),
                                                 (1, 1, 1, 1))),
    pool("reduce_window", "other start", window(lax.max, 0.5, (1, 2, 2, 1), (1, 2, 2, 1), "SAME")),
    pool("reduce_window_max", "explicit padding", lambda x: linen.max_pool(
        x, (3, 3), (2, 2), ((1, 0), (2, 1)))),
    pool("reduce_window_sum", "explicit padding", lambda x: linen.avg_pool(
        x, (3, 3), (2, 2), ((1, 0), (2, 1)))),
    pool("reduce_window_sum", "explicit padding not counted", lambda x: linen.avg_pool(
        x, (3, 3), (2, 2), ((1, 0), (2, 1)), count_include_pad=False)),
    pool("reduce_window_max", "unequal", lambda x: linen.max_pool(x, (2, 3), (1, 2))),
    pool("reduce_window_max", "1d", lambda x: linen.max_pool(x, (3,), (2,)), (BATCH, 9, 4)),
    pool("reduce_window_sum", "1d", lambda x: linen.avg_pool(x, (3,), (2,), "SAME"), (BATCH, 9, 4)),
    pool("reduce_window_max", "3d", lambda x: linen.max_pool(x, (2, 2, 2), (2, 2, 2), "SAME"),
         (BATCH, 4, 5, 6, 2)),
    pool("reduce_window_sum", "3d", lambda x: linen.avg_pool(x, (2, 2, 2), (2, 2, 2)),
         (BATCH, 4, 5, 6, 2)),
    pool("reduce_window_max", "NCHW", window(lax.max, -INF, (1, 1, 2, 2), (1, 1, 2, 2)),
         (BATCH, 3, 7, 8)),
    pool("reduce_window_sum", "NCHW", window(lax.add, 0, (1, 1, 2, 2), (1, 1, 2, 2), "SAME"),
         (BATCH, 3, 7, 8)),
    pool("reduce_window_max", "over channels", window(lax.max, -INF, (1, 1, 1, 3), (1, 1, 1, 1),
                                                      "SAME")),
    pool("reduce_window_sum", "over channels", window(lax.add, 0, (1, 1, 1, 3), (1, 1, 1, 1),
                                                      "SAME")),
    pool("reduce_window_sum", "over the batch", window(lax.add, 0, (3, 1), (1, 1), "SAME"),
         (BATCH, 3)),
    pool("reduce_window_max", "dilated", window(lax.max, -INF, (1, 2, 2, 1), (1, 1, 1, 1),
                                                window_dilation=(1, 2, 3, 1))),
    pool("reduce_window_sum", "with gaps", window(lax.add, 0, (1, 2, 2, 1), (1, 1, 1, 1),
                                                  base_dilation=(1, 2, 2, 1))),
    pool("reduce_window_max", "with gaps", window(lax.max, -INF, (1, 2, 2, 1), (1, 1, 1, 1),
                                                  base_dilation=(1, 2, 2, 1))),
    pool("reduce_window_max", "int32", window(lax.max, -2 ** 31, (1, 2, 2, 1), (1, 2, 2, 1)),
         dtype="int32"),
    pool("reduce_window_sum", "int32", window(lax.add, 0, (1, 2, 2, 1), (1, 2, 2, 1), "SAME"),
         dtype="int32"),
    pool("reduce_window_max", "bfloat16", lambda x: linen.max_pool(x, (2, 2), (2, 2)),
         dtype="bfloat16"),
    pool("reduce_window_sum", "float16", lambda x: linen.avg_pool(x, (2, 2), (2, 2)),
         dtype="float16", tolerance=5e-3),
    pool("reduce_window_sum", "large and dilated", window(
        lax.add, 0, (1, 20, 20, 1), (1, 1, 1, 1), window_dilation=(1, 2, 2, 1)),
        (BATCH, 50, 50, 1), limitation="dilated windows of more than 256 elements"),
]

RESIZE = [
    *(Case("jax.image.resize", f"{method} {size}", lambda x, m=method, n=size: jax.image.resize(
        x, (x.shape[0], n, n + 1, x.shape[3]), m), (Arg((BATCH, 6, 6, 3)),))
      for method in ("nearest", "bilinear", "bicubic", "lanczos3") for size in (3, 11)),
    Case("jax.image.resize", "upsample", lambda x: jnp.repeat(jnp.repeat(x, 2, 1), 2, 2), (IMAGE,)),
    Case("jax.image.scale_and_translate", "bilinear", lambda x: jax.vmap(
        lambda i: jax.image.scale_and_translate(
            i, (5, 5, 4), (0, 1), jnp.array([1.5, 0.7]), jnp.array([0.2, -0.3]), "bilinear"))(x),
        (IMAGE,), tolerance=1e-4),
    Case("map_coordinates", "linear", lambda x, r, c: jax.scipy.ndimage.map_coordinates(
        x, [r, c], order=1, mode="nearest"), (Arg((6, 6)), Arg((BATCH,), low=-1, high=7),
                                              Arg((BATCH,), low=-1, high=7))),
]

CASES = [*CONV, *UNKNOWN, *POOL, *RESIZE]
