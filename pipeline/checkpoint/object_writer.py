"""Writing a checkpoint that TensorFlow 2's `tf.train.Checkpoint` restores."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.checkpoint.object_graph import GRAPH_KEY, encode_object_graph, key_of
from pipeline.checkpoint.writer import write_bundle

_COUNTER = "save_counter"  # every tf.train.Checkpoint has one and wants it back


def write_object_checkpoint(
    prefix: str | os.PathLike[str], tensors: Mapping[str, Any], **options: Any
) -> None:
    """Writes tensors by path so that `tf.train.Checkpoint(…).restore(prefix)` finds them.

    The path `model/dense/kernel` is what `tf.train.Checkpoint(model=model)` reaches as
    `model.dense.kernel`; list elements are numbered. Options and errors are those of
    `write_bundle`.
    """
    named = {path: value for path, value in tensors.items() if path != _COUNTER}
    named[_COUNTER] = tensors.get(_COUNTER, np.int64(1))
    bundle = {key_of(path): value for path, value in named.items()}
    bundle[GRAPH_KEY] = np.array(encode_object_graph(named), np.object_)
    write_bundle(prefix, {key: bundle[key] for key in sorted(bundle)}, **options)
