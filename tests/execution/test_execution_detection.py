"""Suppression of overlapping boxes, and connectionist temporal classification."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from call_judge import assert_calls_agree
from op_templates import Call, Known

RNG = np.random.default_rng(5)
BOXES = np.sort(RNG.random((12, 2, 2), np.float32), 1).reshape(12, 4)
SWAPPED = BOXES[:, [2, 3, 0, 1]]
TIED = np.repeat(BOXES[:4], 3, 0)
SCORES = RNG.random(12).astype(np.float32)
EQUAL = np.full(12, 0.5, np.float32)


def number(value: Any, dtype: Any = np.float32) -> Known:
    return Known(np.array(value, dtype))


def suppressions() -> list[Call]:
    made = []
    for boxes, scores in ((BOXES, SCORES), (SWAPPED, SCORES), (TIED, SCORES), (TIED, EQUAL)):
        for most, threshold, least in ((5, 0.3, 0.2), (20, 0.5, -1.0), (0, 0.5, 0.0)):
            size, limits = number(most, np.int32), [number(threshold), number(least)]
            made += [
                Call("NonMaxSuppression", [boxes, scores, size], {"iou_threshold": threshold}),
                Call("NonMaxSuppressionV2", [boxes, scores, size, limits[0]]),
                Call("NonMaxSuppressionV3", [boxes, scores, size, *limits]),
                Call("NonMaxSuppressionV4", [boxes, scores, size, *limits],
                     {"pad_to_max_output_size": True}, 2),
                *(Call("NonMaxSuppressionV5", [boxes, scores, size, *limits, number(sigma)],
                       {"pad_to_max_output_size": padded}, 3)
                  for sigma, padded in ((0.0, False), (0.4, True)))]
    overlaps = RNG.random((12, 12)).astype(np.float32)
    made.append(Call("NonMaxSuppressionWithOverlaps", [
        overlaps, SCORES, number(6, np.int32), number(0.6), number(0.1)]))
    pictures = np.stack([BOXES, TIED])
    for classes, padded, clipped in ((1, False, True), (3, True, False), (3, False, False)):
        made.append(Call("CombinedNonMaxSuppression", [
            np.repeat(pictures[:, :, None] * 1.2, classes if padded else 1, 2),
            RNG.random((2, 12, classes)).astype(np.float32), number(4, np.int32),
            number(7, np.int32), number(0.4), number(0.1)],
            {"pad_per_class": padded, "clip_boxes": clipped}, 4))
    return made


LOGITS = RNG.normal(size=(7, 3, 5)).astype(np.float32) * 2
LENGTHS = Known(np.array([7, 4, 6], np.int32))
LABELS = [Known(np.array([[0, 0], [0, 1], [0, 2], [1, 0], [2, 0], [2, 1]], np.int64)),
          Known(np.array([1, 1, 2, 3, 2, 1], np.int32))]
DECODERS = [
    *(Call("CTCGreedyDecoder", [LOGITS, LENGTHS], {"merge_repeated": merged, "blank_index": blank},
           4) for merged, blank in ((True, -1), (False, -1), (True, 0))),
    *(Call("CTCBeamSearchDecoder", [LOGITS, LENGTHS], {
        "beam_width": width, "top_paths": paths, "merge_repeated": merged}, 3 * paths + 1)
      for width, paths, merged in ((10, 1, False), (10, 3, False), (100, 2, True))),
]
LOSSES = [Call("CTCLoss", [LOGITS, *LABELS, LENGTHS], {
    "preprocess_collapse_repeated": collapsed, "ctc_merge_repeated": merged})
    for collapsed, merged in ((False, True), (True, True), (False, False))]
CALLS = [*suppressions(), *DECODERS, *LOSSES]


def test_boxes_that_overlap_are_left_out_alike(tf: ModuleType) -> None:
    assert_calls_agree(tf, suppressions(), gradient=False)


def test_paths_are_decoded_alike(tf: ModuleType) -> None:
    assert_calls_agree(tf, DECODERS, gradient=False)


def test_losses_and_their_gradients_agree(tf: ModuleType) -> None:
    assert_calls_agree(tf, LOSSES)
