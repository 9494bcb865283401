"""A function and its variables → a frozen graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import jax
from google.protobuf.message import Message

from pipeline.lowering import passes
from pipeline.lowering.expand import MOST_EQUATIONS
from pipeline.lowering.jaxpr import trace
from pipeline.lowering.lower import lower
from pipeline.lowering.modules import as_function
from pipeline.lowering.opset import opset as find_opset


def freeze(
    function: Callable[..., Any],
    variables: Any = None,
    inputs: Mapping[str, jax.ShapeDtypeStruct] = MappingProxyType({}),
    *,
    outputs: Sequence[str],
    opset: Literal["tf1", "modern"] = "tf1",
    constraints: Sequence[str] = (),
    sizes: Mapping[str, str] = MappingProxyType({}),
    output_shapes: bool = False,
    unroll: int = MOST_EQUATIONS,
) -> Message:
    """A GraphDef of ordinary TensorFlow ops that computes `function(variables, *inputs)`.

    Args:
        function: pure; gives one array, or a tree of as many arrays as there are `outputs`. The
            names of its nodes follow `jax.named_scope`. Or a module of flax nnx (in the state it
            is to be exported in: call its `eval()` first), flax Linen or Equinox; its nodes have
            the names of its attributes. One of Equinox, which takes one example, is mapped over
            the batch.
        variables: arrays by name (`layer1/weights`), or any pytree of arrays, whose paths are the
            names. They become constants of these names; a matrix that its product wants turned is
            the constant `NAME/transpose`. None: `function(*inputs)`, or a module of nnx or Equinox.
        inputs: shape and dtype of each placeholder, by name. A leading None is the batch, the same
            one in all inputs; a string is a dimension of that name, unknown too.
        outputs: a name for each result. The op that makes a result takes its name; where other ops
            read that result as well, they read an Identity of the name behind it.
        constraints: what holds of dimensions with names: `t <= 64`, `mod(t, 4) == 0`, `t >= s`.
            The batch is called `batch`. A graph does not check them.
        sizes: constraints of one name each: `{"t": "<= 64"}`.
        unroll: as how many equations a `scan` may be written out, one step after another. A longer
            one is a loop, a `StatelessWhile`, smaller and unknown to most readers; 0 keeps all.
        opset: `tf1` for readers made for TensorFlow 1.x, `modern` for TensorFlow 2.
        output_shapes: write `_output_shapes` on every node, for readers that don't infer shapes.

    Raises:
        LoweringError: some primitives have no TensorFlow counterpart (all are listed, with their
            source lines), or a name is illegal or given twice.
    """
    function, variables = as_function(function, variables, inputs)
    stated = [*constraints, *(f"{name} {what}" for name, what in sizes.items())]
    traced = trace(function, variables, inputs, constraints=stated)
    passes.run(traced.program, unroll)
    return lower(traced, outputs, find_opset(opset), output_shapes=output_shapes)
