"""A function and its variables → a frozen graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import jax
from google.protobuf.message import Message

from pipeline.lowering import passes
from pipeline.lowering.jaxpr import trace
from pipeline.lowering.lower import lower
from pipeline.lowering.opset import opset as find_opset


def freeze(
    function: Callable[..., Any],
    variables: Any,
    inputs: Mapping[str, jax.ShapeDtypeStruct],
    *,
    outputs: Sequence[str],
    opset: Literal["tf1", "modern"] = "tf1",
) -> Message:
    """A GraphDef of ordinary TensorFlow ops that computes `function(variables, *inputs)`.

    Args:
        function: pure; gives one array, or a tree of as many arrays as there are `outputs`. The
            names of its nodes follow `jax.named_scope`.
        variables: arrays by name (`layer1/weights`), or any pytree of arrays, whose paths are the
            names. They become constants of these names.
        inputs: shape and dtype of each placeholder, by name. A leading None is the batch, the same
            one in all inputs; a string is a dimension of that name, unknown too.
        outputs: a name for each result. The op that makes a result takes its name; where other ops
            read that result as well, they read an Identity of the name behind it.
        opset: `tf1` for readers made for TensorFlow 1.x, `modern` for TensorFlow 2.

    Raises:
        LoweringError: some primitives have no TensorFlow counterpart (all are listed, with their
            source lines), or a name is illegal or given twice.
    """
    traced = trace(function, variables, inputs)
    passes.run(traced.program)
    return lower(traced, outputs, find_opset(opset))
