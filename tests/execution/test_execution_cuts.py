"""What follows from constants is known; what cannot run is offered a cut, by name."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from execution_judge import assert_agrees, ours

from pipeline import execution

X = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)


def loop(tf: ModuleType) -> Any:
    return tf.while_loop(lambda i, n: i < 3, lambda i, n: (i + 1, n * 2), [0, 1])[1]


SIZES: dict[str, Callable[[ModuleType], Any]] = {
    "sparse to dense": lambda tf: tf.sparse_to_dense([0, 1], [2], [3, 8]),
    "top k": lambda tf: tf.nn.top_k(tf.constant([3, 8, 2]), 2)[0],
    "cumsum": lambda tf: tf.cumsum(tf.constant([3, 5])),
    "one hot": lambda tf: tf.one_hot(1, 2, on_value=24, off_value=1, dtype=tf.int32),
    "matmul": lambda tf: tf.matmul([[1, 1]], [[1, 4], [2, 4]])[0],
    "loop": lambda tf: tf.stack([loop(tf), 3]),
    "bincount": lambda tf: tf.math.bincount(tf.constant([0, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1])),
    "einsum": lambda tf: tf.einsum("i,ij->j", tf.constant([1, 1]), tf.constant([[1, 4], [2, 4]])),
    "sort": lambda tf: tf.sort(tf.constant([8, 3])),
    "segment sum": lambda tf: tf.math.segment_sum(tf.constant([1, 2, 8]), tf.constant([0, 0, 1])),
}


@pytest.mark.parametrize("name", SIZES)
def test_size_that_follows_from_constants_is_known(tf1_graph: ModuleType, name: str) -> None:
    x = tf1_graph.placeholder(tf1_graph.float32, X.shape, name="x")
    tf1_graph.reshape(x, SIZES[name](tf1_graph), name="y")
    assert_agrees(tf1_graph, tf1_graph.get_default_graph().as_graph_def(), ["y"], {"x": X})


def jpeg(tf: ModuleType) -> Any:
    contents = tf.placeholder(tf.string, [], name="contents")
    return tf.cast(tf.image.decode_jpeg(contents, channels=3), tf.float32)


def batch_of_jpegs(tf: ModuleType) -> Any:
    contents = tf.placeholder(tf.string, [None], name="contents")
    return tf.map_fn(lambda each: tf.cast(tf.image.decode_jpeg(each, channels=3), tf.float32),
                     contents, tf.float32)


def queue(tf: ModuleType) -> Any:
    return tf.FIFOQueue(4, [tf.float32], shapes=[[6]]).dequeue_many(2)


def iterator(tf: ModuleType) -> Any:
    data = tf.data.Dataset.from_tensor_slices((np.zeros([4, 3], np.float32), [1, 2, 3, 4]))
    return tf.data.make_one_shot_iterator(data).get_next()[0]


def example(tf: ModuleType) -> Any:
    serialized = tf.placeholder(tf.string, [None], name="serialized")
    return tf.io.parse_example(serialized, {"a": tf.io.FixedLenFeature([5], tf.float32)})["a"]


@pytest.mark.parametrize(("build", "point"), [
    (jpeg, "DecodeJpeg:0 uint8[?, ?, 3]"),
    (batch_of_jpegs, "map/TensorArrayV2Stack/TensorListStack:0 float"),
    (queue, "fifo_queue_DequeueMany:0 float"),
    (iterator, "IteratorGetNext:0 float[3]"),
    (example, "ParseExample/ParseExampleV2:0 float"),
])
def test_refusal_names_the_tensor_to_feed_and_the_call(
    tf1_graph: ModuleType, build: Callable[[ModuleType], Any], point: str
) -> None:
    tf1_graph.enable_control_flow_v2()
    x = tf1_graph.placeholder(tf1_graph.float32, [], name="x")
    tf1_graph.multiply(build(tf1_graph), x, name="y")
    tf1_graph.disable_control_flow_v2()
    graph_def = ours(tf1_graph.get_default_graph().as_graph_def())
    with pytest.raises(execution.ExecutionError) as refusal:
        execution.function(graph_def, ["x"], ["y"])
    name = point.split()[0]
    assert f"\n  {point}" in str(refusal.value)
    assert f"graph.function(['x:0', '{name}'], ['y:0'])" in str(refusal.value)
    assert "placeholder" not in str(refusal.value)
    assert "\0" not in str(refusal.value)
    assert point in str(execution.describe(graph_def))
    assert execution.function(graph_def, ["x:0", name], ["y:0"]).inputs == ("x:0", name)


def test_no_cut_is_offered_where_only_a_placeholder_is_missing(tf1_graph: ModuleType) -> None:
    tf1_graph.identity(tf1_graph.placeholder(tf1_graph.float32, [], name="x"), name="y")
    with pytest.raises(execution.ExecutionError, match="must feed") as refusal:
        execution.function(ours(tf1_graph.get_default_graph().as_graph_def()), [], ["y"])
    assert "instead" not in str(refusal.value)
