"""Small TF1 graphs of ops that make no sense one by one: lists, variables, branches, keys.

A builder takes TensorFlow and the placeholder `x` [3, 2] and gives what to fetch.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

Build = Callable[[ModuleType, Any], list[Any]]


def tensor_arrays(tf: ModuleType, x: Any) -> list[Any]:
    raw = tf.raw_ops

    def array(size: int) -> tuple[Any, Any]:
        made = raw.TensorArrayV3(size=size, dtype=tf.float32, element_shape=[2],
                                 clear_after_read=False)
        return made.handle, made.flow

    handle, flow = array(3)
    flow = raw.TensorArrayWriteV3(handle=handle, index=0, value=x[0], flow_in=flow)
    flow = raw.TensorArrayScatterV3(handle=handle, indices=[2, 1], value=x[1:], flow_in=flow)
    other, begun = array(3)
    split = raw.TensorArraySplitV3(handle=other, value=tf.reshape(x, [6]), lengths=[2, 2, 2],
                                   flow_in=begun)
    joined = raw.TensorArrayConcatV3(handle=other, flow_in=split, dtype=tf.float32)
    with tf.control_dependencies(list(joined)):
        closed = raw.TensorArrayCloseV3(handle=other)
    with tf.control_dependencies([closed]):
        after = tf.identity(x)
    with tf.control_dependencies([flow, split]):
        return [raw.TensorArrayReadV3(handle=handle, index=1, flow_in=flow, dtype=tf.float32),
                raw.TensorArrayGatherV3(handle=handle, indices=[2, 0], flow_in=flow,
                                        dtype=tf.float32),
                raw.TensorArraySizeV3(handle=handle, flow_in=flow),
                *joined, after]


def tensor_lists(tf: ModuleType, x: Any) -> list[Any]:
    raw, kind = tf.raw_ops, tf.float32
    reserved = raw.TensorListReserve(element_shape=[2], num_elements=3, element_dtype=kind)
    items = raw.TensorListSetItem(input_handle=reserved, index=1, item=x[0])
    pushed = raw.TensorListPushBack(input_handle=raw.EmptyTensorList(
        element_shape=[2], max_num_elements=-1, element_dtype=kind), tensor=x[1])
    pushed = raw.TensorListPushBack(input_handle=pushed, tensor=x[2])
    popped, last = raw.TensorListPopBack(input_handle=pushed, element_shape=[2],
                                         element_dtype=kind)
    whole = raw.TensorListFromTensor(tensor=x, element_shape=[2])
    into = raw.TensorListScatterIntoExistingList(input_handle=whole, tensor=x[:1], indices=[2])
    scattered = raw.TensorListScatterV2(tensor=x, indices=[2, 0, 3], element_shape=[2],
                                        num_elements=-1)
    split = raw.TensorListSplit(tensor=x, element_shape=[1, 2], lengths=[1, 1, 1])
    smaller = raw.TensorListResize(input_handle=whole, size=2)

    def stack(each: Any) -> Any:
        return raw.TensorListStack(input_handle=each, element_shape=[2], element_dtype=kind)

    return [stack(items), stack(popped), last, stack(into), stack(scattered), stack(smaller),
            raw.TensorListGetItem(input_handle=items, index=1, element_shape=[2],
                                  element_dtype=kind),
            raw.TensorListGather(input_handle=whole, indices=[2, 0], element_shape=[2],
                                 element_dtype=kind),
            raw.TensorListLength(input_handle=pushed),
            raw.TensorListElementShape(input_handle=whole, shape_type=tf.int32),
            *raw.TensorListConcatV2(input_handle=split, element_shape=[1, 2],
                                    leading_dims=np.zeros(0, np.int64), element_dtype=kind)]


def resources(tf: ModuleType, x: Any) -> list[Any]:
    raw = tf.raw_ops
    handle = raw.VarHandleOp(dtype=tf.float32, shape=[3, 2], shared_name="held")
    before = raw.VarIsInitializedOp(resource=handle)
    with tf.control_dependencies([before]):
        assign = raw.AssignVariableOp(resource=handle, value=x * 2.0)
    with tf.control_dependencies([assign]):
        found = [raw.ResourceGather(resource=handle, indices=[2, 0], dtype=tf.float32),
                 raw.ResourceGatherNd(resource=handle, indices=[[1, 1], [0, 0]],
                                      dtype=tf.float32),
                 raw.VariableShape(input=handle), raw.ReadVariableOp(resource=handle,
                                                                     dtype=tf.float32)]
    with tf.control_dependencies(found):
        gone = raw.DestroyResourceOp(resource=handle)
    with tf.control_dependencies([gone]):
        return [*found, tf.identity(found[0])]


def references(tf: ModuleType, x: Any) -> list[Any]:
    raw = tf.raw_ops
    held = raw.VariableV2(shape=[3, 2], dtype=tf.float32, shared_name="ref")
    old = raw.Variable(shape=[3, 2], dtype=tf.float32, shared_name="old")
    with tf.control_dependencies([raw.Assign(ref=held, value=x), raw.Assign(ref=old, value=-x)]):
        _, on = raw.RefSwitch(data=held, pred=tf.constant(True))
        return [raw.RefIdentity(input=held), tf.identity(old), tf.identity(on),
                raw.IsVariableInitialized(ref=held)]


def watched(tf: ModuleType, x: Any) -> list[Any]:
    """What watches, orders or says nothing about values."""
    raw = tf.raw_ops
    checks = [raw.Assert(condition=tf.constant(True), data=[x]), raw.NoOp(), raw.ControlTrigger()]
    with tf.control_dependencies(checks):
        return [raw.Print(input=x, data=[x], message="", first_n=0),
                raw.Empty(shape=[2, 3], dtype=tf.float32, init=True)]


def keys(tf: ModuleType, x: Any) -> list[Any]:
    """Keys and counters, seen through what is drawn from them."""
    raw = tf.raw_ops
    algorithm = raw.StatelessRandomGetAlg()
    key, counter = raw.StatelessRandomGetKeyCounter(seed=[3, 4])
    other = raw.StatelessRandomGetKeyCounterAlg(seed=[5, 6])
    return [algorithm, other.alg,
            raw.StatelessRandomUniformV2(shape=[5], key=key, counter=counter, alg=algorithm,
                                         dtype=tf.float32),
            raw.StatelessRandomNormalV2(shape=[5], key=other.key, counter=other.counter,
                                        alg=other.alg, dtype=tf.float32)]


def stateful_branches(tf: ModuleType, x: Any) -> list[Any]:
    """A seeded draw makes If, Case, While and the call stateful."""
    def drawn(y: Any) -> Any:
        return y + tf.random.uniform([3, 2], seed=7)

    called = tf.function(lambda y: drawn(y) * 2.0)
    flag = tf.reduce_sum(x) > 100.0
    return [tf.cond(flag, lambda: drawn(x), lambda: x * 3.0),
            tf.switch_case(tf.cast(flag, tf.int32), [lambda: x - 1.0, lambda: drawn(x)]),
            tf.switch_case(tf.cast(flag, tf.int32), [lambda: x - 1.0, lambda: x + 1.0]),
            tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, tf.cond(
                flag, lambda: drawn(y), lambda: y * 2.0)), [0, x])[1],
            called(x)[:0], tf.function(lambda y: y * 5.0)(x)]


BUILDERS: list[Build] = [tensor_arrays, tensor_lists, resources, references, watched, keys,
                         stateful_branches]


def graph_of(tf: ModuleType, build: Build) -> tuple[Any, list[str]]:
    """The GraphDef and the names of what is fetched."""
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [3, 2], name="x")
        fetches = [each.name for each in build(tf, x)]
        return graph.as_graph_def(), fetches
