"""Loops, arrays and recurrent networks to take gradients of, built by `compat.v1`.

Each is a function of the module and of x [3, 4] that gives one tensor.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

X = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32) / 3
W = np.random.default_rng(1).standard_normal((4, 4)).astype(np.float32) / 2
KERNEL = np.random.default_rng(2).standard_normal((8, 16)).astype(np.float32) / 2


def counted(tf: ModuleType, x: Any) -> Any:
    return tf.while_loop(lambda i, y: i < 4, lambda i, y: (i + 1, tf.tanh(tf.matmul(y, W)) + x),
                         [0, x])[1]


def upwards_in_twos(tf: ModuleType, x: Any) -> Any:
    def body(i: Any, y: Any) -> Any:
        return i + 2, tf.sin(y) * tf.cast(i, y.dtype)
    return tf.while_loop(lambda i, y: i <= 9, body, [1, x])[1]


def two_results(tf: ModuleType, x: Any) -> Any:
    _, y, z = tf.while_loop(lambda i, y, z: i < 3, lambda i, y, z: (i + 1, y * z, tf.exp(-z) + y),
                            [0, x, x * 2.0])
    return y + z


def nested(tf: ModuleType, x: Any) -> Any:
    def outer(i: Any, y: Any) -> Any:
        inner = tf.while_loop(lambda j, z: j < 2,
                              lambda j, z: (j + 1, tf.tanh(tf.matmul(z, W)) + y * 0.5), [0, y])
        return i + 1, inner[1] + x
    return tf.while_loop(lambda i, y: i < 3, outer, [0, x])[1]


def nested_ragged(tf: ModuleType, x: Any) -> Any:
    def outer(i: Any, y: Any) -> Any:
        inner = tf.while_loop(lambda j, z: j < i, lambda j, z: (j + 1, tf.sin(z) + x * 0.5), [0, y])
        return i + 1, inner[1] * 1.1
    return tf.while_loop(lambda i, y: i < 4, outer, [0, x])[1]


def nested_thrice(tf: ModuleType, x: Any) -> Any:
    def level(depth: int, y: Any) -> Any:
        if depth == 0:
            return tf.tanh(y * x)
        return tf.while_loop(lambda i, z: i < 2, lambda i, z: (i + 1, level(depth - 1, z) + y),
                             [0, y])[1]
    return level(3, x)


def one_after_another(tf: ModuleType, x: Any) -> Any:
    return counted(tf, tf.nn.softplus(counted(tf, x)))


def mapped(tf: ModuleType, x: Any) -> Any:
    return tf.map_fn(lambda row: tf.nn.softmax(row) * tf.reduce_sum(x), x)


def folded(tf: ModuleType, x: Any) -> Any:
    return tf.foldl(lambda before, row: tf.tanh(before * 0.5 + row * before), x)


def scanned(tf: ModuleType, x: Any) -> Any:
    return tf.scan(lambda before, row: tf.sigmoid(before) * row, x)


def scanned_backwards(tf: ModuleType, x: Any) -> Any:
    return tf.scan(lambda before, row: tf.sigmoid(before) * row, x, reverse=True)


def array(tf: ModuleType, x: Any) -> Any:
    rows = tf.TensorArray(tf.float32, 3, clear_after_read=False).unstack(x)
    return rows.read(0) * rows.read(2) + tf.reduce_sum(rows.stack()) * rows.read(0)


def array_written_in_loop(tf: ModuleType, x: Any) -> Any:
    def body(i: Any, y: Any, rows: Any) -> Any:
        return i + 1, tf.sin(y) + x[0], rows.write(i, y * x[1])
    rows = tf.TensorArray(tf.float32, 5)
    return tf.while_loop(lambda i, y, rows: i < 5, body, [0, x[2], rows])[2].stack()


def array_read_twice(tf: ModuleType, x: Any) -> Any:
    rows = tf.TensorArray(tf.float32, 3, clear_after_read=False).unstack(x)
    return tf.while_loop(lambda i, y: i < 3,
                         lambda i, y: (i + 1, y * rows.read(i) + rows.read(2 - i)), [0, x[0]])[1]


def lstm(tf: ModuleType, x: Any, kernel: Any = KERNEL) -> Any:
    """A dynamic_rnn's loop as TensorFlow 1 writes it: time first, lengths select."""
    steps = tf.stack([x, x * 2.0, tf.sin(x), x + 1.0, -x])
    taken = tf.TensorArray(tf.float32, 5).unstack(steps)
    given = tf.TensorArray(tf.float32, 5)
    lengths = tf.constant([5, 2, 3])

    def body(time: Any, given: Any, c: Any, h: Any) -> Any:
        gates = tf.matmul(tf.concat([taken.read(time), h], 1), kernel)
        i, j, f, o = tf.split(gates, 4, 1)
        new_c = c * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
        new_h = tf.tanh(new_c) * tf.sigmoid(o)
        going = tf.tile((time < lengths)[:, None], [1, 4])
        output = tf.where(going, new_h, tf.zeros_like(new_h))
        return (time + 1, given.write(time, output), tf.where(going, new_c, c),
                tf.where(going, new_h, h))
    zeros = tf.zeros([3, 4])
    _, given, _, h = tf.while_loop(lambda time, *_: time < 5, body, [0, given, zeros, zeros])
    return tf.transpose(given.stack(), [1, 0, 2]) + h[:, None]


def with_branch(tf: ModuleType, x: Any) -> Any:
    """Which branch is taken is known: it depends on the round."""
    def body(i: Any, y: Any) -> Any:
        return i + 1, tf.cond(i < 2, lambda: tf.tanh(y) * x, lambda: y * y)
    return tf.while_loop(lambda i, y: i < 4, body, [0, x])[1]


LOOPS: list[Callable[[ModuleType, Any], Any]] = [
    counted, upwards_in_twos, two_results, nested, nested_ragged, nested_thrice, one_after_another,
    mapped, folded, scanned, scanned_backwards, array, array_written_in_loop, array_read_twice,
    lstm, with_branch]
