"""8-bit numbers that stand for floats: in and out, and what TensorFlow 1 computes with them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from execution_judge import assert_agrees, ours

RNG = np.random.default_rng(7)
X = RNG.uniform(-3, 3, (4, 6)).astype(np.float32)
RANGES = [(-2.0, 3.0), (0.0, 2.0), (-3.0, -1.0), (-1.0, 1.0), (0.0, 0.001)]


def test_numbers_are_quantized_and_read_back_alike(tf: ModuleType) -> None:
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, X.shape, name="x")
        names = []
        for kind in (tf.quint8, tf.qint8):
            for low, high in RANGES:
                for mode, rounds in (("MIN_COMBINED", "HALF_AWAY_FROM_ZERO"),
                                     ("MIN_FIRST", "HALF_AWAY_FROM_ZERO"),
                                     ("SCALED", "HALF_TO_EVEN"), ("SCALED", "HALF_AWAY_FROM_ZERO")):
                    found = tf.raw_ops.QuantizeV2(input=x, min_range=low, max_range=high, T=kind,
                                                  mode=mode, round_mode=rounds)
                    back = tf.raw_ops.Dequantize(input=found[0], min_range=found[1],
                                                 max_range=found[2], mode=mode)
                    names += [each.name for each in (back, found[1], found[2])]
    assert_agrees(tf.compat.v1, ours(graph.as_graph_def()), names, {"x": X})


def pipeline_of(tf: ModuleType, x: Any) -> list[Any]:
    """What the graph transform tool made of a small network."""
    raw = tf.raw_ops

    def quantized(value: Any, low: float, high: float) -> Any:
        return raw.QuantizeV2(input=value, min_range=low, max_range=high, T=tf.quint8,
                              mode="MIN_FIRST")

    pictures = quantized(x, -3.0, 3.0)
    filters = quantized(tf.constant(RNG.uniform(-1, 1, (3, 3, 2, 4)), tf.float32), -1.0, 1.0)
    wide = raw.QuantizedConv2D(
        input=pictures[0], filter=filters[0], min_input=pictures[1], max_input=pictures[2],
        min_filter=filters[1], max_filter=filters[2], strides=[1, 1, 1, 1], padding="SAME")
    small = raw.QuantizeDownAndShrinkRange(input=wide[0], input_min=wide[1], input_max=wide[2],
                                           out_type=tf.quint8)
    positive = raw.QuantizedRelu(features=small[0], min_features=small[1], max_features=small[2])
    pooled = raw.QuantizedMaxPool(input=positive[0], min_input=positive[1], max_input=positive[2],
                                  ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")
    flat = raw.QuantizedReshape(tensor=pooled[0], shape=[2, -1], input_min=pooled[1],
                                input_max=pooled[2])
    weights = quantized(tf.constant(RNG.uniform(-1, 1, (16, 3)), tf.float32), -1.0, 1.0)
    product = raw.QuantizedMatMul(a=flat[0], b=weights[0], min_a=flat[1], max_a=flat[2],
                                  min_b=weights[1], max_b=weights[2])
    used = raw.RequantizationRange(input=product[0], input_min=product[1], input_max=product[2])
    narrow = raw.Requantize(input=product[0], input_min=product[1], input_max=product[2],
                            requested_output_min=used[0], requested_output_max=used[1],
                            out_type=tf.quint8)
    return [raw.Dequantize(input=each[0], min_range=each[1], max_range=each[2], mode="MIN_FIRST")
            for each in (pooled, narrow)]


def test_a_quantized_network_agrees_to_a_step(tf: ModuleType) -> None:
    pictures = RNG.uniform(-3, 3, (2, 4, 4, 2)).astype(np.float32)
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, pictures.shape, name="x")
        names = [each.name for each in pipeline_of(tf, x)]
    assert_agrees(tf.compat.v1, ours(graph.as_graph_def()), names, {"x": pictures},
                  tolerance=0.005)
