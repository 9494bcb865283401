"""Non-maximum suppression: the best boxes, those that overlap a better one left out.

How many are kept depends on the scores, so these must be known; where the result is filled up to
a size they may be computed. Source: tensorflow/core/kernels/image/non_max_suppression_op.cc.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline.execution.registry import Node, rule
from pipeline.execution.values import scalar

_Overlap = Callable[[int, int], Any]


def _overlaps(boxes: Any) -> _Overlap:
    """Intersection over union of two boxes [y1, x1, y2, x2], whose corners may be swapped."""
    low, high = np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])
    areas = np.prod(high - low, -1)

    def overlap(first: int, second: int) -> Any:
        if areas[first] <= 0 or areas[second] <= 0:
            return boxes.dtype.type(0)
        shared = np.prod(np.maximum(np.minimum(high[first], high[second]) - np.maximum(
            low[first], low[second]), 0))
        return shared / (areas[first] + areas[second] - shared)

    return overlap


def _kept(
    scores: Any, most: int, threshold: Any, least: Any, overlap: _Overlap, sigma: float = 0.0
) -> tuple[list[int], list[Any]]:
    """The boxes kept, best first, and their scores; with `sigma` overlapping lowers a score."""
    pending = [(scores[place], place, 0) for place in range(len(scores)) if scores[place] > least]
    found: list[int] = []
    values: list[Any] = []
    factor = scores.dtype.type(-0.5 / sigma if sigma > 0 else 0)
    while pending and len(found) < most:
        score, place, begin = max(pending, key=lambda each: (each[0], -each[1]))
        pending.remove((score, place, begin))
        lowered, hard = score, False
        for other in reversed(found[begin:]):
            shared = overlap(place, other)
            if shared > threshold and sigma <= 0:
                hard = True
                break
            if sigma > 0:
                lowered = lowered * np.exp(factor * shared * shared)
            if lowered <= least:
                break
        if hard:
            continue
        if lowered == score:
            found.append(place)
            values.append(score)
        elif lowered > least:
            pending.append((lowered, place, len(found)))
    return found, values


def _places(found: list[int]) -> Any:
    return np.array(found, np.int32)


@rule("NonMaxSuppression", static=(0, 1, 2), attrs="iou_threshold", folds=True)
def _suppress_v1(node: Node, boxes: Any, scores: Any, most: Any) -> Any:
    return _places(_kept(scores, scalar(most), np.float32(node["iou_threshold"]), -np.inf,
                         _overlaps(boxes))[0])


@rule("NonMaxSuppressionV2", static=(0, 1, 2, 3), folds=True)
def _suppress_v2(node: Node, boxes: Any, scores: Any, most: Any, threshold: Any) -> Any:
    return _places(_kept(scores, scalar(most), threshold, -np.inf, _overlaps(boxes))[0])


@rule("NonMaxSuppressionV3", static=(0, 1, 2, 3, 4), folds=True)
def _suppress_v3(
    node: Node, boxes: Any, scores: Any, most: Any, threshold: Any, least: Any
) -> Any:
    return _places(_kept(scores, scalar(most), threshold, least, _overlaps(boxes))[0])


@rule("NonMaxSuppressionWithOverlaps", static=(0, 1, 2, 3, 4), folds=True)
def _suppress_overlaps(
    node: Node, overlaps: Any, scores: Any, most: Any, threshold: Any, least: Any
) -> Any:
    return _places(_kept(scores, scalar(most), threshold, least,
                         lambda first, second: overlaps[first, second])[0])


@rule("NonMaxSuppressionV5", static=(0, 1, 2, 3, 4, 5), attrs="pad_to_max_output_size", folds=True)
def _suppress_v5(
    node: Node, boxes: Any, scores: Any, most: Any, threshold: Any, least: Any, sigma: Any
) -> Any:
    """Also the scores of those kept, and how many they are."""
    found, values = _kept(scores, scalar(most), threshold, least, _overlaps(boxes), float(sigma))
    count = len(found)
    if node["pad_to_max_output_size"]:
        found += [0] * (scalar(most) - count)
        values += [0] * (scalar(most) - count)
    return _places(found), np.array(values, scores.dtype), np.int32(count)


@rule("CombinedNonMaxSuppression", static=(0, 1, 2, 3, 4, 5), attrs="pad_per_class clip_boxes",
      folds=True)
def _suppress_combined(
    node: Node, boxes: Any, scores: Any, most: Any, total: Any, threshold: Any, least: Any
) -> Any:
    """Per picture and class, then the best of all classes; zeros fill up what is missing."""
    per_class, classes = scalar(most), scores.shape[2]
    size = min(scalar(total), per_class * classes) if node["pad_per_class"] else scalar(total)
    found = [np.zeros((len(boxes), size, 4), np.float32), np.zeros((len(boxes), size), np.float32),
             np.zeros((len(boxes), size), np.float32), np.zeros(len(boxes), np.int32)]
    for picture, (places, values) in enumerate(zip(boxes, scores, strict=True)):
        kept = []
        for each in range(classes):
            own = places[:, min(each, places.shape[1] - 1)]
            chosen, best = _kept(values[:, each], per_class, threshold, least, _overlaps(own))
            kept += [(score, each, own[place])
                     for place, score in zip(chosen, best, strict=True)]
        kept.sort(key=lambda each: -each[0])
        kept = kept[:size]
        for place, (score, each, box) in enumerate(kept):
            found[0][picture, place] = np.clip(box, 0, 1) if node["clip_boxes"] else box
            found[1][picture, place], found[2][picture, place] = score, each
        found[3][picture] = len(kept)
    return found
