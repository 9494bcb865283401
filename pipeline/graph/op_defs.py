"""TensorFlow's op definitions: argument names, attribute types, defaults and allowed values.

The table beside this file is generated from TensorFlow's registry by
`tests/graph/generate_op_defs.py`. A line is parsed when its op is first asked for.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from google.protobuf import text_format
from tensorboard.compat.proto.op_def_pb2 import OpDef

from pipeline.graph.errors import GraphError


@cache
def _lines() -> dict[str, str]:
    text = resources.files("pipeline.graph").joinpath("op_defs.txt").read_text(encoding="ascii")
    return dict(line.split("\t", 1) for line in text.splitlines())


def has_op_def(name: str) -> bool:
    """Whether the table knows the op."""
    return name in _lines()


@cache
def op_def(name: str) -> OpDef:
    """The definition of an op. Shared: not to be changed by the caller.

    Raises:
        GraphError: the table has no such op.
    """
    if name not in _lines():
        raise GraphError(f"op {name} is not in the table of op definitions (TensorFlow 2.21); add "
                         f"it to tests/graph/generate_op_defs.py and run that")
    return text_format.Parse(_lines()[name], OpDef())
