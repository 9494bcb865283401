"""Pictures: resizing, cropping, colour, patches. Arrays are [batch, height, width, channels].

A resize is a product with one known matrix per axis. Sources:
tensorflow/core/kernels/image/resize_*_op.cc, image_resizer_state.h, crop_and_resize_op.cc.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from pipeline.execution.errors import ExecutionError
from pipeline.execution.registry import Node, rule
from pipeline.execution.rules.indexing import positions
from pipeline.execution.rules.quantization import alone
from pipeline.execution.rules.reductions import extreme
from pipeline.execution.values import scalar, to_jax, vector

Matrix = np.ndarray[Any, np.dtype[np.float32]]
_CUBIC_STEPS = 1024   # resize_bicubic_op.cc looks its weights up in a table of so many steps


def _scale(size: int, wanted: int, align_corners: bool) -> np.float32:
    if align_corners and wanted > 1:
        return np.float32((size - 1) / (wanted - 1))
    return np.float32(size / wanted)


def _sources(node: Node, size: int, wanted: int) -> Matrix:
    """Where in the old picture each new pixel lies."""
    scale = _scale(size, wanted, node["align_corners"])
    places = np.arange(wanted, dtype=np.float32)
    if node["half_pixel_centers"]:
        return (places + np.float32(0.5)) * scale - np.float32(0.5)
    return places * scale


def _bilinear(node: Node, size: int, wanted: int) -> Matrix:
    source = _sources(node, size, wanted)
    low, share = np.floor(source).astype(int), source - np.floor(source)
    matrix, rows = np.zeros((wanted, size), np.float32), np.arange(wanted)
    np.add.at(matrix, (rows, np.clip(low, 0, size - 1)), 1 - share)
    np.add.at(matrix, (rows, np.minimum(np.maximum(np.ceil(source), 0), size - 1).astype(int)),
              share)
    return matrix


def _nearest(node: Node, size: int, wanted: int) -> Matrix:
    scale = _scale(size, wanted, node["align_corners"])
    places = np.arange(wanted, dtype=np.float32)
    if node["half_pixel_centers"]:
        source = np.floor((places + np.float32(0.5)) * scale)
    elif node["align_corners"]:
        source = np.floor(places * scale + np.float32(0.5))
    else:
        source = np.floor(places * scale)
    matrix = np.zeros((wanted, size), np.float32)
    matrix[np.arange(wanted), np.clip(source, 0, size - 1).astype(int)] = 1
    return matrix


def _bicubic(node: Node, size: int, wanted: int) -> Matrix:
    """Keys' kernel; the half pixel form leaves out what lies outside, the old one repeats edges."""
    half = node["half_pixel_centers"]
    a = -0.5 if half else -0.75
    source = _sources(node, size, wanted)
    low = np.floor(source).astype(int)
    step = np.rint((source - low) * _CUBIC_STEPS) / _CUBIC_STEPS
    near = [_cubic_near(step, a), _cubic_near(1 - step, a)]
    far = [_cubic_far(1 + step, a), _cubic_far(2 - step, a)]
    weights = np.stack([far[0], near[0], near[1], far[1]], 1)
    places = low[:, None] + np.arange(-1, 3)
    if half:
        weights = np.where((places >= 0) & (places < size), weights, 0)
        weights = weights / weights.sum(1, keepdims=True)
    matrix = np.zeros((wanted, size), np.float32)
    np.add.at(matrix, (np.arange(wanted)[:, None], np.clip(places, 0, size - 1)), weights)
    return matrix


def _cubic_near(x: Any, a: float) -> Any:
    return ((a + 2) * x - (a + 3)) * x * x + 1


def _cubic_far(x: Any, a: float) -> Any:
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a


def _area(node: Node, size: int, wanted: int) -> Matrix:
    """Each new pixel is the mean of the area it covers."""
    scale = _scale(size, wanted, node["align_corners"])
    begin = np.arange(wanted, dtype=np.float32)[:, None] * scale
    end = begin + scale
    edges = np.arange(size + 1)[None]
    covered = np.clip(np.minimum(end, edges[:, 1:]) - np.maximum(begin, edges[:, :-1]), 0, None)
    outside = np.maximum(end[:, 0] - size, 0)
    covered[:, -1] += outside   # beyond the edge the last pixel goes on
    return np.asarray(covered / scale, np.float32)


def _resized(x: Any, rows: Matrix, columns: Matrix) -> Any:
    x = to_jax(x)
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32)) if jnp.issubdtype(
        x.dtype, jnp.floating) else x.astype(jnp.float32)
    high = lax.Precision.HIGHEST
    return jnp.einsum("oh,pw,bhwc->bopc", rows, columns, wide, precision=high)


_KERNELS: dict[str, Callable[[Node, int, int], Matrix]] = {
    "ResizeBilinear": _bilinear, "ResizeNearestNeighbor": _nearest, "ResizeBicubic": _bicubic,
}


def _matrices(node: Node, op: str, shape: tuple[int, ...], size: Any) -> tuple[Matrix, Matrix]:
    kernel = _KERNELS[op]
    wanted = vector(size)
    if min(wanted) < 1 or min(shape[1:3]) < 1:
        raise ExecutionError(f"resizes {shape[1:3]} to {wanted}")
    return kernel(node, shape[1], wanted[0]), kernel(node, shape[2], wanted[1])


@rule("ResizeBilinear", "ResizeBicubic", static=(1,), attrs="align_corners half_pixel_centers")
def _resize(node: Node, x: Any, size: Any) -> Any:
    """Always float32, as TensorFlow's kernels give."""
    return _resized(x, *_matrices(node, node.op, x.shape, size)).astype(jnp.float32)


@rule("ResizeNearestNeighbor", static=(1,), attrs="align_corners half_pixel_centers")
def _resize_nearest(node: Node, x: Any, size: Any) -> Any:
    rows, columns = _matrices(node, node.op, x.shape, size)
    return jnp.take(jnp.take(to_jax(x), rows.argmax(1), 1), columns.argmax(1), 2)


@rule("ResizeArea", static=(1,), attrs="align_corners")
def _resize_area(node: Node, x: Any, size: Any) -> Any:
    wanted = vector(size)
    return _resized(x, _area(node, x.shape[1], wanted[0]), _area(node, x.shape[2], wanted[1]))


@rule("ResizeBilinearGrad", "ResizeBicubicGrad", attrs="align_corners half_pixel_centers")
def _resize_grad(node: Node, gradient: Any, original: Any) -> Any:
    rows, columns = _matrices(node, node.op.removesuffix("Grad"), original.shape,
                              np.array(gradient.shape[1:3]))
    return _resized(gradient, rows.T, columns.T).astype(original.dtype)


@rule("ResizeNearestNeighborGrad", static=(1,), attrs="align_corners half_pixel_centers")
def _resize_nearest_grad(node: Node, gradient: Any, size: Any) -> Any:
    gradient = to_jax(gradient)
    shape = (gradient.shape[0], *vector(size), gradient.shape[3])
    rows, columns = _matrices(node, "ResizeNearestNeighbor", shape, np.array(gradient.shape[1:3]))
    place = jnp.zeros(shape, gradient.dtype).at[:, rows.argmax(1)[:, None], columns.argmax(1)]
    return place.add(gradient)


@rule("CropAndResize", static=(3,), attrs="method extrapolation_value")
def _crop_and_resize(node: Node, images: Any, boxes: Any, owners: Any, size: Any) -> Any:
    """Boxes [n, (y1, x1, y2, x2)] in [0, 1]; what lies outside has `extrapolation_value`."""
    images, boxes = to_jax(images).astype(jnp.float32), to_jax(boxes)
    (owners,) = positions(owners[:, None], images.shape[:1])
    height, width = vector(size)

    def places(begin: Any, end: Any, wanted: int, whole: int) -> Any:
        if wanted == 1:
            return (begin + end)[None] * (0.5 * (whole - 1))
        step = (end - begin) * (whole - 1) / (wanted - 1)
        return begin * (whole - 1) + alone(jnp.arange(wanted) * step)

    def crop(box: Any, owner: Any) -> Any:
        rows = places(box[0], box[2], height, images.shape[1])
        columns = places(box[1], box[3], width, images.shape[2])
        sampled = _sample(images, owner, rows, columns, node["method"])
        inside = _within(rows, images.shape[1])[:, None] & _within(columns, images.shape[2])
        return jnp.where(inside[..., None], sampled, node["extrapolation_value"])

    return jax.vmap(crop)(boxes, owners)


def _within(place: Any, size: int) -> Any:
    return (place >= 0) & (place <= size - 1)


def _sample(images: Any, owner: Any, rows: Any, columns: Any, method: str) -> Any:
    """One of the pictures at the crossings of rows and columns between its pixels."""
    def at(row: Any, column: Any) -> Any:
        row = jnp.clip(row, 0, images.shape[1] - 1).astype(jnp.int32)
        column = jnp.clip(column, 0, images.shape[2] - 1).astype(jnp.int32)
        return images.at[owner, row[:, None], column].get(mode="fill")

    if method == "nearest":
        return at(jnp.floor(rows + 0.5), jnp.floor(columns + 0.5))
    top, left = jnp.floor(rows), jnp.floor(columns)
    down, across = (rows - top)[:, None, None], (columns - left)[None, :, None]
    above = at(top, left) * (1 - across) + at(top, jnp.ceil(columns)) * across
    below = at(jnp.ceil(rows), left) * (1 - across) + at(jnp.ceil(rows),
                                                         jnp.ceil(columns)) * across
    return above * (1 - down) + below * down


@rule("ExtractImagePatches", attrs="ksizes strides rates padding")
def _extract_patches(node: Node, x: Any) -> Any:
    """Each window's pixels in the last axis, row by row."""
    x = to_jax(x)
    shifted = _shifted(x, node["ksizes"][1:3], node["strides"][1:3], node["rates"][1:3],
                       node["padding"], 0)
    return jnp.concatenate(shifted, -1)


@rule("Dilation2D", attrs="strides rates padding")
def _dilation(node: Node, x: Any, filters: Any) -> Any:
    """The largest of picture plus filter over each window, what lies outside left out."""
    x, filters = to_jax(x), to_jax(filters)
    where = (filters.shape[:2], node["strides"][1:3], node["rates"][1:3], node["padding"])
    inside = _shifted(jnp.ones((1, *x.shape[1:3], 1), bool), *where, False)
    least = extreme(x.dtype, low=True)
    flat = filters.reshape(-1, filters.shape[2])
    sums = [jnp.where(kept, each + row, least)
            for kept, each, row in zip(inside, _shifted(x, *where, 0), flat, strict=True)]
    return jnp.max(jnp.stack(sums), 0)


def _shifted(
    x: Any, window: Any, strides: Any, rates: Any, padding: str, fill: Any
) -> list[Any]:
    """For each element of the window, the pixel it lies on at every position of the window."""
    spans = [(size - 1) * rate + 1 for size, rate in zip(window, rates, strict=True)]
    pads = lax.padtype_to_pads(x.shape[1:3], spans, strides, padding)
    padded = jnp.pad(x, [(0, 0), *pads, (0, 0)], constant_values=fill)
    found = []
    for row in range(window[0]):
        for column in range(window[1]):
            begin = (row * rates[0], column * rates[1])
            rows, columns = (
                slice(first, size - span + first + 1, step) for first, size, span, step
                in zip(begin, padded.shape[1:3], spans, strides, strict=True))
            found.append(padded[:, rows, columns])
    return found


@rule("NonMaxSuppressionV4", static=(2,), attrs="pad_to_max_output_size")
def _non_max_suppression(
    node: Node, boxes: Any, scores: Any, most: Any, overlap: Any, least: Any
) -> Any:
    """Positions of the boxes kept, best first, filled up with 0, and how many there are."""
    if not node["pad_to_max_output_size"]:
        raise ExecutionError("how many boxes are kept depends on their scores; expected "
                             "pad_to_max_output_size")
    boxes, scores, overlap, least = map(to_jax, (boxes, scores, overlap, least))
    low, high = jnp.minimum(boxes[:, :2], boxes[:, 2:]), jnp.maximum(boxes[:, :2], boxes[:, 2:])
    shared = jnp.prod(jnp.maximum(jnp.minimum(high[:, None], high) -
                                  jnp.maximum(low[:, None], low), 0), -1)
    areas = jnp.prod(high - low, -1)
    union = areas[:, None] + areas - shared
    clash = jnp.where((areas[:, None] > 0) & (areas > 0), shared / union, 0) > overlap

    def choose(left: Any, _: Any) -> Any:
        best = jnp.argmax(left)
        valid = left[best] > -jnp.inf
        left = jnp.where(clash[best] & valid, -jnp.inf, left).at[best].set(-jnp.inf)
        return left, (jnp.where(valid, best, 0).astype(jnp.int32), valid)

    begin = jnp.where(scores > least, scores, -jnp.inf)
    _, (found, valid) = lax.scan(choose, begin, length=scalar(most))
    return found, valid.sum().astype(jnp.int32)
